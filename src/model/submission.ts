// The handle of a submitted task, as its caller sees it.

import type { TaskId } from './id.ts';
import type { Outcome } from './outcome.ts';
import type { TaskStatus } from './view.ts';

/**
 * What the slot decided, known when `submit` returns. `started`: it owns the slot, and its first
 * attempt begins on a later turn. `queued`: it waits in the queue, or as the replacement. `joined`:
 * it shares the outcome of the owner, or of a submission that waits. `waiting`: the slot's lease
 * was requested. `rejected`: it is not admitted, and the outcome says why.
 */
export type Admission = 'started' | 'queued' | 'joined' | 'waiting' | 'rejected';

/** A submitted task: its identity, how it goes, and how it ended. */
export interface Submission<T = unknown> {
  /** Unique over all processes. */
  readonly id: TaskId;
  /** The name of its slot. */
  readonly slot: string;
  /** The spec's name, else the slot. */
  readonly name: string;
  /** The decision of the slot. It does not change later. */
  readonly admission: Admission;
  /** What it does now. */
  readonly status: TaskStatus;
  /**
   * How it ended. Resolves exactly once and never rejects, so it may be ignored. A body must not
   * await its own outcome, nor that of a submission that waits for its slot: see
   * [Waits that never end](../SEMANTICS.md#waits-that-never-end).
   */
  readonly outcome: Promise<Outcome<T>>;
  /**
   * The value of a `completed` task. A body must not await it where it must not await `outcome`.
   *
   * @throws OutcomeError for every other outcome: the promise rejects with it.
   */
  value(): Promise<T>;
  /**
   * Asks the task to stop, and resolves with its outcome once the body has ended. A submission that
   * shares its body with others ends at once, and the body goes on. A body must not await the
   * cancel of its own submission: it would wait for its own end.
   */
  cancel(reason?: unknown): Promise<Outcome<T>>;
  /**
   * Ends the running attempt, the backoff or the interval, and starts a fresh attempt. It is not a
   * failure. Earlier failures are forgotten: the retry streak and the restart limit begin again. An
   * error that the old attempt throws while it ends is dropped. Returns false, and changes nothing,
   * while the task waits, starts or stops, and after its end.
   */
  restart(): boolean;
}
