// What can be looked at: plain copies, taken at one moment, never live objects.

import type { Failure } from './failure.ts';
import type { TaskId } from './id.ts';
import type { Outcome } from './outcome.ts';

/**
 * `queued`: waits for its slot. `starting`: owns it, waits for its turn or for the concurrency gate. `running`: a body is alive.
 * `backoff`, `interval`: between two attempts. `stopping`: told to stop, the body has not ended. `overrun`: the same, past its grace.
 */
export type TaskStatus = 'queued' | 'starting' | 'running' | 'backoff' | 'interval' | 'stopping' | 'overrun' | 'ended';

export interface TaskView {
  readonly id: TaskId;
  readonly name: string;
  readonly slot: string;
  readonly status: TaskStatus;
  /** Attempts begun so far. */
  readonly attempt: number;
  /** Retries after failures so far. */
  readonly retries: number;
  /** How long it has been in this status. */
  readonly sinceMs: number;
  /** In `backoff` and `interval`: the rest of the wait. */
  readonly nextAttemptInMs?: number;
  readonly lastFailure?: Failure;
  readonly meta: unknown;
}

export interface SlotView {
  readonly name: string;
  /** `waiting`: the slot's lease has been asked for. */
  readonly phase: 'idle' | 'waiting' | 'running' | 'stopping';
  readonly paused: boolean;
  readonly owner?: TaskView;
  /** In the order in which they will start. */
  readonly queued: readonly TaskView[];
}

export type TotalName = 'submitted' | 'started' | 'attempts' | 'retries' | 'dropped' | Outcome['kind'];

export interface Snapshot {
  readonly phase: 'open' | 'draining' | 'closed';
  /** Slots that hold or await work, or are paused; idle ones leave the table. */
  readonly slots: readonly SlotView[];
  /**
   * Exact counts since the start, never derived from events. `started` counts bodies' owners (a joined submission starts nothing),
   * `dropped` the submissions turned away with `slotBusy`, the outcome words every submission that ended so.
   */
  readonly totals: Readonly<Record<TotalName, number>>;
  /** Submissions that own a slot. */
  readonly running: number;
  /** Submissions that wait for a slot. */
  readonly queued: number;
  /** Owners past their grace. */
  readonly overrun: number;
  /** Bodies that were given up and have not ended yet. */
  readonly abandonedAlive: number;
}

/** What a shutdown did. Everything that may still be alive is named. */
export interface ShutdownReport {
  readonly withinGrace: boolean;
  readonly cause: ShutdownCause;
  /** Outcomes since the start of the supervisor. */
  readonly counts: Readonly<Record<Outcome['kind'], number>>;
  readonly killed: readonly TaskView[];
  readonly abandoned: readonly TaskView[];
  /** Events that a full or slow subscriber never saw, over all subscribers. */
  readonly eventsDropped: number;
}

export type ShutdownCause = 'caller' | 'signal' | 'deadFraction' | 'finished';

export interface RunReport {
  readonly outcomes: readonly Outcome[];
  readonly shutdown: ShutdownReport;
}
