// What a supervisor shows of itself: copies, taken at one moment. They do not change afterwards.
// Over 300 lines because every field is documented here.

import type { StopCause } from './error.ts';
import type { Failure } from './failure.ts';
import type { TaskId } from './id.ts';
import type { Outcome, RejectReason } from './outcome.ts';
import type { AdmissionPolicy } from './settings.ts';

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
export type TaskStatus =
  | 'queued'
  | 'starting'
  | 'running'
  | 'backoff'
  | 'interval'
  | 'suspended'
  | 'stopping'
  | 'overrun'
  | 'ended';

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
] as const satisfies readonly TaskStatus[];

/**
 * What a live submission waits for.
 *
 * - `owner`: for its slot, which has an owner.
 * - `slotPaused`: for its slot, which has no owner and was paused.
 * - `lease`: for the lease of its slot. It was requested, or lost and requested again.
 * - `gate`: at the concurrency gate, which has no free place.
 * - `rate`: at the concurrency gate, which has a free place: the rate lets no attempt begin yet.
 * - `supervisorPaused`: at the concurrency gate: the supervisor was paused.
 * - `backoff`: for its retry after a failure.
 * - `interval`: for its next attempt after a success.
 */
export type WaitingFor =
  | 'owner'
  | 'slotPaused'
  | 'lease'
  | 'gate'
  | 'rate'
  | 'supervisorPaused'
  | 'backoff'
  | 'interval';

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
  /** Its admission policy. */
  readonly policy: AdmissionPolicy;
  /** What it is doing. */
  readonly status: TaskStatus;
  /** What it waits for. Absent while it waits for nothing but its turn, and while its body runs. */
  readonly waitingFor?: WaitingFor;
  /**
   * The stop request that its body has not followed. Present while its body was asked to stop and
   * has not ended.
   */
  readonly stop?: {
    /**
     * Why the task was stopped. If only the attempt was: `deadline` for a timeout or a stall,
     * `caller` for `restart()`, `leaseLost` for a lost lease.
     */
    readonly by: StopCause;
    /** The time since the body was asked, in ms. */
    readonly sinceMs: number;
  };
  /** Attempts begun. 0 until the first attempt begins. */
  readonly attempt: number;
  /** Retries after failures. */
  readonly retries: number;
  /**
   * The streak: how many attempts have failed since the last one that succeeded or was stable. It
   * changes when an attempt ends.
   */
  readonly streak: number;
  /** The time since the first failure of the streak, in ms. Absent where `streak` is 0. */
  readonly failingMs?: number;
  /** How long it has had this status, in ms. */
  readonly sinceMs: number;
  /** The time since its `submit`, in ms. */
  readonly ageMs: number;
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
  /** How many wait, also where `queued` shows fewer. Those that share one place count once. */
  readonly queuedCount: number;
  /**
   * The waiting submissions, in the order in which they will start. Those that share one place are
   * shown once. At most as many as the option `queued` of the call, from the first on.
   */
  readonly queued: readonly TaskView[];
  /** Whether the slot is alive or dead. Absent where it is not vital. See {@link VitalSlot}. */
  readonly vital?: 'alive' | 'dead';
  /** How long it has been dead, in ms. Absent where it is not. */
  readonly deadMs?: number;
}

/**
 * How many waiting submissions a view must show to tell which of them has waited longest. A
 * replacement goes first, however late it came. The next one may have joined late a place whose
 * earlier submissions have left. The rest is in the order of arrival.
 */
export const SEEN_OF_QUEUE = 3;

/**
 * A slot that is vital: from the admission of a task with `vital: true` until it is empty and not
 * dead. Empty: it has no owner, and no submission waits there.
 */
export interface VitalSlot {
  /** The name of the slot. */
  readonly slot: string;
  /**
   * False: the slot is dead. It is empty, and its last owner ended `failed`, `fatal`, `killed` or
   * `abandoned`; or its last vital submission was rejected `leaseUnavailable`. True while it has an
   * owner, also one in backoff, at the gate or suspended, or while a submission waits there, for a
   * lease too.
   */
  readonly alive: boolean;
  /**
   * The kind of the outcome of its last owner. `rejected`: a vital submission got no lease since.
   * Absent while neither has happened since the slot is vital.
   */
  readonly lastOutcome?: Outcome['kind'];
}

/** What `totals` of {@link Stats} counts. */
export type TotalName = 'submitted' | 'started' | 'attempts' | 'retries' | 'overruns' | 'dropped' | Outcome['kind'];

/**
 * The counts of a supervisor, exact at one moment. They depend on no event. They cost the same
 * however many slots and submissions there are.
 */
export interface Stats {
  /** `open`; `closing` from the call of `shutdown` on; `closed` once the shutdown has ended. */
  readonly phase: 'open' | 'closing' | 'closed';
  /**
   * Counts since the start.
   *
   * - `submitted`: all submissions, rejected ones included.
   * - `started`: submissions that became an owner. A joined submission does not count.
   * - `attempts`: attempts begun.
   * - `retries`: retries after failures.
   * - `overruns`: attempts whose body overran its grace, or the grace of a shutdown.
   * - `dropped`: submissions rejected as `slotBusy`. They count as `rejected` too.
   * - The kind of an outcome: submissions with this outcome.
   */
  readonly totals: Readonly<Record<TotalName, number>>;
  /** Rejected submissions since the start, by reason. Every reason is present. */
  readonly rejections: Readonly<Record<RejectReason, number>>;
  /**
   * Failed attempts since the start, by the kind of their failure. Every kind is present. What a
   * body throws after a stop request is no failed attempt.
   */
  readonly failures: Readonly<Record<Failure['kind'], number>>;
  /**
   * Live submissions by status. Every status but `ended` is present. Those that share a body or a
   * place count once here, and the others in `joined`: the sum of both is the number of live
   * submissions.
   */
  readonly tasks: Readonly<Record<Exclude<TaskStatus, 'ended'>, number>>;
  /** Live submissions that share a body or a place with an earlier participant that is left. */
  readonly joined: number;
  /** The slots that have an owner, have waiting submissions, or are paused. */
  readonly slotCount: number;
  /** Owners that have not ended. An owner whose participants have all left counts until its end. */
  readonly owners: number;
  /** Attempts that have not ended. Those that were abandoned are in `abandonedAlive`. */
  readonly bodies: number;
  /** Submissions that wait for a slot. Those that share one place count once. */
  readonly queued: number;
  /**
   * Submissions that wait for their first attempt: for a slot, for the lease, or at the concurrency
   * gate. It is what `limits.pending` bounds, and counted also without that limit.
   */
  readonly pending: number;
  /** The concurrency gate. */
  readonly gate: {
    /** `supervisor.pause()` was called: no attempt begins until `resume()`. */
    readonly paused: boolean;
    /** How many may be inside at once. `Infinity` without a limit. */
    readonly concurrency: number;
    /** Attempts that have not ended, and attempts that have a place and wait for their turn. */
    readonly inside: number;
    /** Owners that wait for a place, for the rate, or for the end of a pause. */
    readonly queued: number;
  };
  /** Owners whose body has overrun its grace. */
  readonly overrun: number;
  /** Abandoned bodies that have not ended. */
  readonly abandonedAlive: number;
  /** Events that were dropped or not delivered, over all subscribers, since the start. */
  readonly eventsDropped: number;
}

/** The state of a supervisor: its counts and its slots. */
export interface Snapshot extends Stats {
  /** The slots that have an owner, have waiting submissions, or are paused. */
  readonly slots: readonly SlotView[];
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
  /** Why `deadFraction` began the shutdown, as it was then. Absent for every other cause. */
  readonly dead?: {
    /** The names of the dead vital slots. */
    readonly slots: readonly string[];
    /** The number of all vital slots. */
    readonly of: number;
    /** The `deadFraction`. */
    readonly threshold: number;
  };
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

/**
 * What began a shutdown.
 *
 * - `caller`: a call of `shutdown`, or the end of an `await using` block.
 * - `signal`: a process signal that `stopOnSignals` or `run` listens to, or the `signal` of `run`.
 * - `deadFraction`: too many vital slots are dead.
 * - `finished`: every task of `run` has its outcome.
 */
export type ShutdownCause = 'caller' | 'signal' | 'deadFraction' | 'finished';

export const SHUTDOWN_CAUSES = [
  'caller',
  'signal',
  'deadFraction',
  'finished',
] as const satisfies readonly ShutdownCause[];

/** What `supervisor.run` returns. */
export interface RunReport {
  /** The outcome of each spec, in the order of the specs. */
  readonly outcomes: readonly Outcome[];
  /** The report of the shutdown that followed. */
  readonly shutdown: ShutdownReport;
}
