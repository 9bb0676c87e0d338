// The table of restart policies: what follows the end of an attempt. The decision is pure.
// engine/retries.ts decides the rest: whether `retryIf` and the restart limit allow a retry.

import type { StopCause } from '../model/error.ts';
import type { Failure } from '../model/failure.ts';
import type { FailedBecause } from '../model/outcome.ts';
import type { TaskSettings } from '../model/settings.ts';

/** How an attempt ended. Its body has ended, was killed or was given up. */
export type AttemptEnd =
  | { readonly kind: 'value'; readonly value: unknown; readonly failure?: undefined }
  | { readonly kind: 'failure'; readonly failure: Failure }
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

export type Decision =
  | { readonly next: 'complete'; readonly value: unknown }
  | { readonly next: 'cancel'; readonly by: StopCause; readonly reason: unknown; readonly failure: Failure | undefined }
  | { readonly next: 'fail'; readonly failure: Failure; readonly because: FailedBecause }
  | { readonly next: 'fatal'; readonly failure: Failure }
  | { readonly next: 'suspend' } //         then a fresh attempt
  | { readonly next: 'freshAttempt' } //    at once, after restart()
  | { readonly next: 'afterInterval' } //   after a success
  | { readonly next: 'retry'; readonly failure: Failure }; // after backoff, if `retryIf` and the restart limit agree

export function afterAttempt(end: AttemptEnd, task: Progress, settings: TaskSettings): Decision {
  if (task.stop !== undefined) {
    const { by, reason } = task.stop;
    return { next: 'cancel', by, reason, failure: end.failure };
  }
  if (task.suspending) return { next: 'suspend' };
  // Nothing else stopped the attempt, so it was restart().
  if (task.restartAsked || end.kind === 'stopped') return task.finishing ? SHUT_DOWN : { next: 'freshAttempt' };
  switch (end.kind) {
    case 'value':
      if (settings.restart === 'always' && !task.finishing) return { next: 'afterInterval' };
      return { next: 'complete', value: end.value };
    case 'gaveUp':
      return { next: 'cancel', by: 'task', reason: end.reason, failure: undefined };
    case 'failure':
      return afterFailure(end.failure, task, settings);
  }
}

const SHUT_DOWN: Decision = { next: 'cancel', by: 'shutdown', reason: undefined, failure: undefined };

function afterFailure(failure: Failure, { streak, finishing }: Progress, settings: TaskSettings): Decision {
  if (failure.fatal) return { next: 'fatal', failure };
  if (settings.restart === 'never') return { next: 'fail', failure, because: 'policy' };
  if (streak >= settings.maxRetries) return { next: 'fail', failure, because: 'maxRetries' };
  return finishing ? { next: 'fail', failure, because: 'shuttingDown' } : { next: 'retry', failure };
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
