// How many owners have each status: one typed array, so that a change costs two additions, and
// nothing is walked to count. An actor moves itself from one place of it to another.
//
// Each status has two places: the place of owners that have a participant is the status as a
// number, and the place of owners whose participants have all left is `LEFT` behind it.

import { TASK_STATUSES, type TaskStatus } from '../model/view.ts';

type OwnerStatus = Exclude<TaskStatus, 'queued' | 'ended'>;

/** A status as a number. */
const numberOf = (status: OwnerStatus): number => TASK_STATUSES.indexOf(status);

export const STARTING = numberOf('starting');
export const RUNNING = numberOf('running');
export const BACKOFF = numberOf('backoff');
export const INTERVAL = numberOf('interval');
export const SUSPENDED = numberOf('suspended');
export const STOPPING = numberOf('stopping');
export const OVERRUN = numberOf('overrun');

export const LEFT = TASK_STATUSES.length;

export class StatusCounts {
  readonly #counts = new Int32Array(2 * LEFT);

  add(place: number, owners: 1 | -1): void {
    this.#counts[place] = this.#at(place) + owners;
  }

  move(from: number, to: number): void {
    this.add(from, -1);
    this.add(to, 1);
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
    return this.#counts.subarray(0, LEFT).reduce((sum, count) => sum + count);
  }

  /** How many owners have overrun, with a participant or without. */
  get overrun(): number {
    return this.#at(OVERRUN) + this.#at(LEFT + OVERRUN);
  }

  #at(place: number): number {
    return this.#counts[place] as number;
  }
}
