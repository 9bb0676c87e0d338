// What a supervisor shows of itself: copies, taken at one moment. They do not change afterwards.

import type { Failure } from './failure.ts';
import type { TaskId } from './id.ts';
import type { Outcome } from './outcome.ts';

export const TASK_STATUSES = [
  'queued',
  'starting',
  'running',
  'backoff',
  'interval',
  'suspended',
  'stopping',
  'overrun',
  'ended',
] as const;

/**
 * What a submission is doing.
 *
 * - `queued`: it waits for its slot.
 * - `starting`: it owns the slot, and its next attempt waits for the concurrency gate or for its
 *   turn.
 * - `running`: its body runs.
 * - `backoff`: it waits between a failure and the retry.
 * - `interval`: it waits between a success and the next attempt.
 * - `suspended`: the slot's lease was lost, its body has ended, and it waits for another lease.
 * - `stopping`: its body was asked to stop and has not ended.
 * - `overrun`: its body was asked to stop, has not ended, and the grace is over.
 * - `ended`: it has its outcome.
 */
export type TaskStatus = (typeof TASK_STATUSES)[number];

/**
 * One live submission. A joined submission shows the status and the attempts of the body that it
 * shares.
 */
export interface TaskView {
  /** The id of the submission. */
  readonly id: TaskId;
  /** The label of the task: the spec's `name`, or else its slot. */
  readonly name: string;
  /** The name of its slot. */
  readonly slot: string;
  /** What it is doing. */
  readonly status: TaskStatus;
  /** Attempts begun. 0 until the first attempt begins. */
  readonly attempt: number;
  /** Retries after failures. */
  readonly retries: number;
  /** How long it has had this status, in ms. */
  readonly sinceMs: number;
  /** The time until the next attempt, in ms. Present in `backoff` and `interval` only. */
  readonly nextAttemptInMs?: number;
  /** The failure of the latest attempt that failed. Absent while none has failed. */
  readonly lastFailure?: Failure;
  /** How many others share its body and its outcome. Absent where it has both to itself. */
  readonly joined?: number;
  /** The spec's `meta`. */
  readonly meta: unknown;
}

/** One slot. */
export interface SlotView {
  /** The name of the slot. */
  readonly name: string;
  /**
   * `idle`: it has no owner. `waiting`: its lease was requested. `running`: it has an owner.
   * `stopping`: its owner was asked to stop. A timeout, a stall and `restart()` stop only an
   * attempt: the phase stays `running`.
   */
  readonly phase: 'idle' | 'waiting' | 'running' | 'stopping';
  /** It was paused: nothing starts in it until `resume`. */
  readonly paused: boolean;
  /**
   * Absent while the slot has no owner. If the owner has left a body that others share, the first
   * of them that is left.
   */
  readonly owner?: TaskView;
  /**
   * The waiting submissions, in the order in which they will start. Those that share one place are
   * shown once.
   */
  readonly queued: readonly TaskView[];
  /** Whether the slot is alive or dead. Absent where it is not vital. See {@link VitalSlot}. */
  readonly vital?: 'alive' | 'dead';
}

/**
 * A slot that is vital: from the admission of a task with `vital: true` until it is empty and not
 * dead. Empty: it has no owner, and no submission waits there.
 */
export interface VitalSlot {
  /** The name of the slot. */
  readonly slot: string;
  /**
   * False: the slot is dead. It is empty, and its last owner ended `failed` or `fatal`, or was
   * killed or given up because of a deadline or a lost lease; or its last vital submission was
   * rejected `leaseUnavailable`. True while it has an owner, also one in backoff, at the gate or
   * suspended, or while a submission waits there, for a lease too.
   */
  readonly alive: boolean;
  /**
   * The kind of the outcome of its last owner. `rejected`: a vital submission got no lease since.
   * Absent while neither has happened since the slot is vital.
   */
  readonly lastOutcome?: Outcome['kind'];
}

/** What `totals` of a {@link Snapshot} counts. */
export type TotalName = 'submitted' | 'started' | 'attempts' | 'retries' | 'dropped' | Outcome['kind'];

/** The state of a supervisor. */
export interface Snapshot {
  /** `open`; `closing` from the call of `shutdown` on; `closed` once the shutdown has ended. */
  readonly phase: 'open' | 'closing' | 'closed';
  /** The slots that have an owner, have waiting submissions, or are paused. */
  readonly slots: readonly SlotView[];
  /**
   * Exact counts since the start. They do not depend on events.
   *
   * - `submitted`: all submissions, rejected ones included.
   * - `started`: submissions that became an owner. A joined submission does not count.
   * - `attempts`: attempts begun.
   * - `retries`: retries after failures.
   * - `dropped`: submissions rejected as `slotBusy`. They count as `rejected` too.
   * - The kind of an outcome: submissions with this outcome.
   */
  readonly totals: Readonly<Record<TotalName, number>>;
  /** Owners that have not ended. */
  readonly running: number;
  /** Submissions that wait for a slot. */
  readonly queued: number;
  /** Owners whose body has overrun its grace. */
  readonly overrun: number;
  /** Abandoned bodies that have not ended. */
  readonly abandonedAlive: number;
}

/** What a shutdown did. It names every task whose body may still be alive. */
export interface ShutdownReport {
  /**
   * Every body ended by itself: none was killed or given up after the shutdown began, by the
   * shutdown's grace or by its own, and none that was given up before is alive. `killed` and
   * `abandoned` are empty then.
   */
  readonly clean: boolean;
  /** What began the shutdown. */
  readonly cause: ShutdownCause;
  /**
   * Why `deadFraction` began the shutdown, as it was then: the names of the dead vital slots, the
   * number of all vital slots, and the `deadFraction`. Absent for every other cause.
   */
  readonly dead?: { readonly slots: readonly string[]; readonly of: number; readonly threshold: number };
  /** Outcomes since the start of the supervisor, by kind. */
  readonly counts: Readonly<Record<Outcome['kind'], number>>;
  /** The tasks whose body was killed after the shutdown began, one for each body. */
  readonly killed: readonly TaskView[];
  /**
   * The tasks whose body was abandoned after the shutdown began, or was abandoned before and is
   * alive.
   */
  readonly abandoned: readonly TaskView[];
  /**
   * Events that were dropped or not delivered, over all subscribers, since the start of the
   * supervisor.
   */
  readonly eventsDropped: number;
}

export const SHUTDOWN_CAUSES = ['caller', 'signal', 'deadFraction', 'finished'] as const;

/**
 * What began a shutdown.
 *
 * - `caller`: a call of `shutdown`, or the end of an `await using` block.
 * - `signal`: a process signal that `stopOnSignals` or `run` listens to, or the `signal` of `run`.
 * - `deadFraction`: too many vital slots are dead.
 * - `finished`: every task of `run` has its outcome.
 */
export type ShutdownCause = (typeof SHUTDOWN_CAUSES)[number];

/** What `supervisor.run` returns. */
export interface RunReport {
  /** The outcome of each spec, in the order of the specs. */
  readonly outcomes: readonly Outcome[];
  /** The report of the shutdown that followed. */
  readonly shutdown: ShutdownReport;
}
