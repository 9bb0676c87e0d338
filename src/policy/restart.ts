// What follows the end of an attempt: the table of restart policies. The same input gives the same answer; it waits for nothing.

import type { StopCause } from '../model/error.ts';
import type { Failure } from '../model/failure.ts';
import type { FailedBecause } from '../model/outcome.ts';
import type { TaskSettings } from '../model/settings.ts';

/** How an attempt ended, once its body has ended or has been given up. */
export type AttemptEnd =
  | { readonly kind: 'value'; readonly value: unknown; readonly failure?: undefined }
  | { readonly kind: 'failure'; readonly failure: Failure }
  /** It threw a CanceledError of its own making. */
  | { readonly kind: 'gaveUp'; readonly reason: unknown; readonly failure?: undefined }
  /** It ended because its stop was requested; `failure` is what it threw beside the stop's own reason. */
  | { readonly kind: 'stopped'; readonly failure: Failure | undefined };

export interface StopRequest {
  readonly by: StopCause;
  readonly reason: unknown;
}

/** What is known of the task when the attempt ended. */
export interface Progress {
  readonly stop: StopRequest | undefined;
  /** `restart()` asked for a fresh attempt. */
  readonly restartAsked: boolean;
  /** Failed attempts in a row before this one. */
  readonly streak: number;
}

export type Decision =
  | { readonly next: 'complete'; readonly value: unknown }
  | { readonly next: 'cancel'; readonly by: StopCause; readonly reason: unknown; readonly failure: Failure | undefined }
  | { readonly next: 'fail'; readonly failure: Failure; readonly because: FailedBecause }
  | { readonly next: 'fatal'; readonly failure: Failure }
  | { readonly next: 'freshAttempt' } //    at once: restart()
  | { readonly next: 'afterInterval' } //   after a success
  | { readonly next: 'retry'; readonly failure: Failure }; // after backoff, if `retryIf` and the restart limit agree

export function afterAttempt(end: AttemptEnd, task: Progress, settings: TaskSettings): Decision {
  if (task.stop !== undefined) {
    const { by, reason } = task.stop;
    return { next: 'cancel', by, reason, failure: end.failure };
  }
  // Without a stop request of the task only restart() can have stopped it.
  if (task.restartAsked || end.kind === 'stopped') return { next: 'freshAttempt' };
  switch (end.kind) {
    case 'value':
      return settings.restart === 'always' ? { next: 'afterInterval' } : { next: 'complete', value: end.value };
    case 'gaveUp':
      return { next: 'cancel', by: 'task', reason: end.reason, failure: undefined };
    case 'failure':
      return afterFailure(end.failure, task.streak, settings);
  }
}

function afterFailure(failure: Failure, streak: number, settings: TaskSettings): Decision {
  if (failure.fatal) return { next: 'fatal', failure };
  if (settings.restart === 'never') return { next: 'fail', failure, because: 'policy' };
  if (streak >= settings.maxRetries) return { next: 'fail', failure, because: 'maxRetries' };
  return { next: 'retry', failure };
}

/** `always` without an interval: starts are at least this far apart, so that an instant body cannot spin. */
const MIN_PERIOD_MS = 1;

/** The pause after a success that took `ranMs`. */
export function intervalDelayMs(intervalMs: number, ranMs: number): number {
  return Math.max(intervalMs, MIN_PERIOD_MS - ranMs, 0);
}
