// How a submission ended. Each submission gets exactly one outcome, as a value. Its promise never
// rejects.

import type { StopCause } from './error.ts';
import { brand } from './error-brand.ts';
import type { Failure } from './failure.ts';
import type { TaskId } from './id.ts';
import { recordClass } from './record.ts';

/**
 * Why a submission ended before it, or the flight that it joined, owned the slot. If a flight is
 * rejected, all of its participants are.
 *
 * - `slotBusy`: an owner was in the slot or a submission waited in it, and the policy does not
 *   wait; or the lease store returned `null`.
 * - `queueFull`: the slot's queue was full. With `onFull: 'dropOldest'`, this is the submission
 *   that had waited longest.
 * - `superseded`: it waited, and a later `replace` or `keepLatest` submission took its place. A
 *   `replace` takes the place of a waiting `keepLatest`, too.
 * - `canceled`: it was canceled while it waited, or its `signal` was aborted before it started.
 * - `queueTimeout`: it waited for its slot for longer than `queueTimeoutMs`.
 * - `deadline`: `deadlineMs` passed while it waited.
 * - `resourceLimit`: it would have exceeded `limits.slots` or `limits.pending`. A start that would
 *   wait at the concurrency gate counts to the latter.
 * - `batchRejected`: another submission of the same `submitAll` would have been rejected.
 * - `shuttingDown`: a shutdown began while it waited. With `onShutdown: 'finish'`: its finish time
 *   was over.
 * - `leaseUnavailable`: the lease store threw, rejected, or returned something that is not a lease;
 *   or the lease was lost before it was granted; or its fence was not greater than the last one.
 */
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

export const REJECT_REASONS = [
  'slotBusy',
  'queueFull',
  'superseded',
  'canceled',
  'queueTimeout',
  'deadline',
  'resourceLimit',
  'batchRejected',
  'shuttingDown',
  'leaseUnavailable',
] as const satisfies readonly RejectReason[];

/**
 * Why a submission was rejected, and because of which other submission.
 *
 * @inline
 */
export interface Rejection {
  /** Why the submission ended before it, or the flight that it joined, owned the slot. */
  readonly reason: RejectReason;
  /**
   * `superseded`, and `queueFull` with `dropOldest`: the later submission. `slotBusy`: the owner,
   * or else the first submission that waits. Absent where there is none. If it has left a flight:
   * the first participant that is left.
   */
  readonly by?: TaskId;
}

/**
 * Which rule forbade another attempt after a failure.
 *
 * - `policy`: the restart policy is `never`.
 * - `maxRetries`: all retries of the streak were used.
 * - `restartLimit`: the task was restarted too often within the window.
 * - `retryIf`: the predicate returned a falsy value, threw, or returned a promise.
 * - `shuttingDown`: the task has `onShutdown: 'finish'`, and a shutdown began.
 */
export type FailedBecause = 'policy' | 'maxRetries' | 'restartLimit' | 'retryIf' | 'shuttingDown';

export const FAILED_BECAUSE = [
  'policy',
  'maxRetries',
  'restartLimit',
  'retryIf',
  'shuttingDown',
] as const satisfies readonly FailedBecause[];

/**
 * How a submission ended.
 *
 * - `completed`: the body returned a value, and the restart policy asks for no further attempt.
 * - `failed`: the last attempt failed, and `because` names the rule that forbade another one.
 * - `fatal`: the body threw a `FatalError`.
 * - `canceled`: the submission owned or shared the slot and was stopped, or the body threw a
 *   `CanceledError` of its own.
 * - `killed`: the body did not stop within its grace, and its `kill` resolved. It is dead.
 * - `abandoned`: the body did not stop within its grace and was given up. It may still be alive.
 * - `rejected`: neither the submission nor the flight that it joined ever owned the slot; or it
 *   left the flight before.
 */
export type Outcome<T = unknown> =
  | {
      readonly kind: 'completed';
      /** What the body returned. */
      readonly value: T;
      /** Attempts begun. */
      readonly attempts: number;
    }
  | {
      readonly kind: 'failed';
      /** The failure of the last attempt. */
      readonly failure: Failure;
      /** Attempts begun. */
      readonly attempts: number;
      /** Which rule forbade another attempt. */
      readonly because: FailedBecause;
      /** What `retryIf` threw. For a promise that it returned, a TypeError. Absent otherwise. */
      readonly retryIfError?: unknown;
    }
  | {
      readonly kind: 'fatal';
      /** The failure with the `FatalError`. */
      readonly failure: Failure;
      /** Attempts begun. */
      readonly attempts: number;
    }
  | {
      readonly kind: 'canceled';
      /** What caused the first stop request. `task`: the body ended itself. */
      readonly by: StopCause;
      /** The reason that the caller gave. Absent where none was given. */
      readonly reason?: unknown;
      /**
       * What failed while the attempt was stopping, such as an error that the body threw. Absent
       * where nothing failed. The stop reason itself does not count.
       */
      readonly failure?: Failure;
      /**
       * What the body of the last attempt returned after it was asked to stop, such as how far it
       * has come. Absent where it did not return, or had lost its lease. All who took part to its
       * end have it.
       */
      readonly value?: T;
      /** Attempts begun. */
      readonly attempts: number;
    }
  | {
      readonly kind: 'killed';
      /** What caused the first stop request. */
      readonly by: StopCause | 'overrun';
      /** Attempts begun. */
      readonly attempts: number;
    }
  | {
      readonly kind: 'abandoned';
      /** What caused the first stop request. */
      readonly by: StopCause | 'overrun';
      /** Attempts begun. */
      readonly attempts: number;
    }
  | (Rejection & {
      readonly kind: 'rejected';
      /**
       * `leaseUnavailable`: what the lease store threw, or an error that describes its bad answer.
       * Absent for every other reason.
       */
      readonly error?: unknown;
    });

export const Completed = recordClass<[unknown, number], Extract<Outcome, { kind: 'completed' }>>(
  function (value, attempts) {
    this.kind = 'completed';
    this.value = value;
    this.attempts = attempts;
  },
);

export type Rejected = Extract<Outcome, { kind: 'rejected' }>;

export const Rejected = recordClass<[RejectReason, by?: TaskId | undefined, error?: unknown], Rejected>(
  function (reason, by, error) {
    this.kind = 'rejected';
    this.reason = reason;
    if (by !== undefined) this.by = by;
    if (error !== undefined) this.error = error;
  },
);

export const OUTCOME_KINDS = Object.keys({
  completed: true,
  failed: true,
  fatal: true,
  canceled: true,
  killed: true,
  abandoned: true,
  rejected: true,
} satisfies Record<Outcome['kind'], true>) as Outcome['kind'][];

/**
 * One sentence for people. Programs use the fields of the outcome. `queueLimit` is that of the
 * slot.
 */
export function outcomeText(outcome: Outcome, queueLimit: number): string {
  switch (outcome.kind) {
    case 'completed':
      return 'completed';
    case 'failed':
      return `failed after ${attemptsText(outcome.attempts)}, because of ${outcome.because}: ${outcome.failure.message}`;
    case 'fatal':
      return `failed for good: ${outcome.failure.message}`;
    case 'canceled':
      return `canceled (by ${outcome.by})`;
    case 'killed':
      return `killed (by ${outcome.by})`;
    case 'abandoned':
      return `abandoned (by ${outcome.by}): its body may still be alive`;
    case 'rejected':
      return `rejected: ${outcome.reason}${outcome.reason === 'queueFull' ? fullText(queueLimit) : ''}`;
  }
}

const fullText = (queueLimit: number): string =>
  ` (queueLimit is ${queueLimit}: set it in slots, in slotDefaults or with slot.configure)`;

export const attemptsText = (count: number): string => (count === 1 ? '1 attempt' : `${count} attempts`);

/**
 * Thrown by `submission.value()` for every outcome except `completed`. If the body threw, `cause`
 * is the thrown object.
 */
export class OutcomeError extends Error {
  /** The name of the class. */
  override readonly name: string = 'OutcomeError';
  /** For programs. It is the same in every copy of the package. */
  readonly code: string = 'SLOTVISOR_OUTCOME';
  static {
    brand(OutcomeError, 'OutcomeError');
  }
  /** How the submission ended. */
  readonly outcome: Outcome;
  /** @param options `cause` is what the body threw. */
  constructor(message: string, outcome: Outcome, options?: { cause?: unknown }) {
    super(message, options);
    this.outcome = outcome;
  }
}
