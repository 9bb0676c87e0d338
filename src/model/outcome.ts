// How a submission ended: exactly one of these, delivered once, never as a rejection.

import type { StopCause } from './error.ts';
import { brand } from './error-brand.ts';
import type { Failure } from './failure.ts';
import type { TaskId } from './id.ts';

/** Why a submission never owned its slot. */
export type RejectReason =
  | 'slotBusy'
  | 'queueFull'
  | 'superseded'
  | 'canceled'
  | 'queueTimeout'
  | 'deadline'
  | 'resourceLimit'
  | 'batchRejected'
  | 'shuttingDown'
  | 'leaseUnavailable';

export interface Rejection {
  readonly reason: RejectReason;
  readonly by?: TaskId;
}

/** Which rule ended a task that failed. */
export type FailedBecause = 'policy' | 'maxRetries' | 'restartLimit' | 'retryIf';

/**
 * - `completed`: the body returned a value and its restart policy asks for no more.
 * - `failed`: it failed and is not tried again; `because` names the rule. `retryIfError`: what the predicate itself threw.
 * - `fatal`: it threw a `FatalError`.
 * - `canceled`: it owned or shared the slot and was told to stop, or ended itself with a `CanceledError`.
 *   `failure` is what the body threw on its way out, unless that was the stop's own reason.
 * - `killed`: it did not stop within its grace, was ended from outside, and is proved dead.
 * - `abandoned`: it did not stop within its grace and was given up. Its body may still be alive.
 * - `rejected`: it never owned the slot. `by` is the submission that took its place, where there is one;
 *   `error` what the lease store threw (`leaseUnavailable`).
 */
export type Outcome<T = unknown> =
  | { readonly kind: 'completed'; readonly value: T; readonly attempts: number }
  | {
      readonly kind: 'failed';
      readonly failure: Failure;
      readonly attempts: number;
      readonly because: FailedBecause;
      readonly retryIfError?: unknown;
    }
  | { readonly kind: 'fatal'; readonly failure: Failure; readonly attempts: number }
  | {
      readonly kind: 'canceled';
      readonly by: StopCause;
      readonly reason?: unknown;
      readonly failure?: Failure;
      readonly attempts: number;
    }
  | { readonly kind: 'killed'; readonly by: StopCause | 'overrun'; readonly attempts: number }
  | { readonly kind: 'abandoned'; readonly by: StopCause | 'overrun'; readonly attempts: number }
  | (Rejection & { readonly kind: 'rejected'; readonly error?: unknown });

/** One sentence for people; never parsed. */
export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'completed':
      return 'completed';
    case 'failed':
      return `failed after ${outcome.attempts} attempt(s) (${outcome.because}): ${outcome.failure.message}`;
    case 'fatal':
      return `failed for good: ${outcome.failure.message}`;
    case 'canceled':
      return `canceled (by ${outcome.by})`;
    case 'killed':
      return `killed (by ${outcome.by})`;
    case 'abandoned':
      return `abandoned (by ${outcome.by}): its body may still be alive`;
    case 'rejected':
      return `rejected (${outcome.reason})`;
  }
}

/** Thrown by `submission.value()` for every outcome but `completed`. */
export class OutcomeError extends Error {
  override readonly name: string = 'OutcomeError';
  static {
    brand(OutcomeError, 'OutcomeError');
  }
  readonly outcome: Outcome;
  constructor(message: string, outcome: Outcome, options?: { cause?: unknown }) {
    super(message, options);
    this.outcome = outcome;
  }
}
