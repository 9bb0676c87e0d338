// The table of restart policies: what follows the end of an attempt. The decision is pure.
// engine/retries.ts decides the rest: whether `retryIf` and the restart limit allow a retry.

import type { StopCause } from '../model/error.ts';
import type { Failure } from '../model/failure.ts';
import type { FailedBecause } from '../model/outcome.ts';
import type { TaskSettings } from '../model/settings.ts';

/** How an attempt ended. Its body has ended, was killed or was given up. */
export type AttemptEnd =
  | { readonly kind: 'value'; readonly value: unknown; readonly failure?: undefined }
  | {
      readonly kind: 'failure';
      readonly failure: Failure;
      /**
       * How long its body ran, in ms: from its call to the throw or exit, or to the last heartbeat
       * before a stall. Counts where the task has a `stableMs`.
       */
      readonly ranMs: number;
      /** What the body returned after a timeout or a stall. Absent where it did not return. */
      readonly value?: unknown;
    }
  /** The body threw a CanceledError of its own. */
  | { readonly kind: 'gaveUp'; readonly reason: unknown; readonly failure?: undefined }
  /**
   * It ended after a stop request. `failure` is what it threw, unless that was the stop reason
   * itself.
   */
  | { readonly kind: 'stopped'; readonly failure: Failure | undefined };

export interface StopRequest {
  readonly by: StopCause;
  readonly reason: unknown;
}

/** The state of the task when the attempt ended. */
export interface Progress {
  readonly stop: StopRequest | undefined;
  /** `restart()` was called during the attempt. */
  readonly restartAsked: boolean;
  /** The lease was lost: no attempt may begin before there is another one. */
  readonly suspending: boolean;
  /** A shutdown began, and nothing follows the attempt. */
  readonly finishing: boolean;
  /** Failed attempts in a row before this one. */
  readonly streak: number;
}

/** The settings of the task that count. */
export type RestartSettings = Pick<TaskSettings, 'restart' | 'maxRetries' | 'stableMs'>;

export type Decision =
  | { readonly next: 'complete'; readonly value: unknown }
  | {
      readonly next: 'cancel';
      readonly by: StopCause;
      readonly reason: unknown;
      readonly failure: Failure | undefined;
      /** What the body returned after it was asked to stop. Absent where it did not return. */
      readonly value?: unknown;
    }
  | { readonly next: 'fail'; readonly failure: Failure; readonly because: FailedBecause }
  | { readonly next: 'fatal'; readonly failure: Failure }
  | { readonly next: 'suspend' } //         then a fresh attempt
  | { readonly next: 'freshAttempt' } //    at once, after restart()
  | { readonly next: 'afterInterval' } //   after a success
  /** After backoff, if `retryIf` and the restart limit agree. */
  | {
      readonly next: 'retry';
      readonly failure: Failure;
      /** The failure is the first one of a streak of its own. */
      readonly newStreak: boolean;
    };

export function afterAttempt(end: AttemptEnd, task: Progress, settings: RestartSettings): Decision {
  if (task.stop !== undefined) {
    const { by, reason } = task.stop;
    return { next: 'cancel', by, reason, failure: end.failure, ...returned(end, task) };
  }
  if (task.suspending) return { next: 'suspend' };
  // Nothing else stopped the attempt, so it was restart().
  if (task.restartAsked || end.kind === 'stopped')
    return task.finishing ? { ...SHUT_DOWN, ...returned(end, task) } : { next: 'freshAttempt' };
  switch (end.kind) {
    case 'value':
      if (settings.restart === 'always' && !task.finishing) return { next: 'afterInterval' };
      return { next: 'complete', value: end.value };
    case 'gaveUp':
      return { next: 'cancel', by: 'task', reason: end.reason, failure: undefined };
    case 'failure':
      return afterFailure(end, task, settings);
  }
}

/** A value that came after the loss of the lease is dropped. */
function returned(end: AttemptEnd, { suspending }: Progress): { readonly value?: unknown } {
  return 'value' in end && !suspending ? { value: end.value } : {};
}

const SHUT_DOWN: Decision = { next: 'cancel', by: 'shutdown', reason: undefined, failure: undefined };

type FailedEnd = Extract<AttemptEnd, { kind: 'failure' }>;

function afterFailure({ failure, ranMs }: FailedEnd, task: Progress, settings: RestartSettings): Decision {
  if (failure.fatal) return { next: 'fatal', failure };
  if (settings.restart === 'never') return { next: 'fail', failure, because: 'policy' };
  const newStreak = wasStable(failure, ranMs, settings);
  if ((newStreak ? 0 : task.streak) >= settings.maxRetries) return { next: 'fail', failure, because: 'maxRetries' };
  return task.finishing ? { next: 'fail', failure, because: 'shuttingDown' } : { next: 'retry', failure, newStreak };
}

/** A timeout says nothing about the time before it: every hung attempt lasts that long. */
function wasStable({ kind }: Failure, ranMs: number, { stableMs }: RestartSettings): boolean {
  return kind !== 'timedOut' && ranMs >= stableMs;
}

/**
 * With `always` and no interval, starts are at least this far apart, so that a body that ends at
 * once cannot run in a busy loop.
 */
const MIN_PERIOD_MS = 1;

/** The pause after a successful attempt that took `ranMs`, in ms. */
export function intervalDelayMs(intervalMs: number, ranMs: number): number {
  return Math.max(intervalMs, MIN_PERIOD_MS - ranMs, 0);
}
