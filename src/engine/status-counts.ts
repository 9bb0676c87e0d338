// How many owners have each status: one typed array, so that a change costs two additions, and
// nothing is walked to count. An actor moves itself from one place of it to another.
//
// The array has three parts, each with one place a status: an owner's place is its part plus its
// status.

import { TASK_STATUSES, type TaskStatus } from '../model/view.ts';

type OwnerStatus = Exclude<TaskStatus, 'queued' | 'ended'>;

/** A status as a number. */
const numberOf = (status: TaskStatus): number => TASK_STATUSES.indexOf(status);

export const STARTING = numberOf('starting');
export const RUNNING = numberOf('running');
export const BACKOFF = numberOf('backoff');
export const INTERVAL = numberOf('interval');
export const SUSPENDED = numberOf('suspended');
export const STOPPING = numberOf('stopping');
export const OVERRUN = numberOf('overrun');
/** It has ended, and its submissions are about to get their outcome. */
export const ENDED = numberOf('ended');

/** The part of the owners that have a participant. */
export const SHOWN = 0;
/** Of the owners whose participants have all left, and whose bodies have not ended. */
export const LEFT = TASK_STATUSES.length;
/** Of the owners that do not count, because they are new or have ended. It is never read. */
export const UNCOUNTED = 2 * TASK_STATUSES.length;

export class StatusCounts {
  readonly #counts = new Int32Array(3 * TASK_STATUSES.length);

  move(from: number, to: number): void {
    const counts = this.#counts;
    counts[from] = (counts[from] as number) - 1;
    counts[to] = (counts[to] as number) + 1;
  }

  /** The owners that have a participant, by status. */
  get shown(): Record<OwnerStatus, number> {
    return {
      starting: this.#at(STARTING),
      running: this.#at(RUNNING),
      backoff: this.#at(BACKOFF),
      interval: this.#at(INTERVAL),
      suspended: this.#at(SUSPENDED),
      stopping: this.#at(STOPPING),
      overrun: this.#at(OVERRUN),
    };
  }

  /** How many owners have a participant. */
  get owners(): number {
    return this.#counts.subarray(SHOWN, LEFT).reduce((sum, count) => sum + count);
  }

  /** How many owners have overrun, with a participant or without. */
  get overrun(): number {
    return this.#at(SHOWN + OVERRUN) + this.#at(LEFT + OVERRUN);
  }

  #at(place: number): number {
    return this.#counts[place] as number;
  }
}
