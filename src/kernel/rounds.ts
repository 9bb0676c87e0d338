// Rounds of visits to all values of a map, as long jobs. Several rounds may be under way at once.

import type { LongJobs } from './long-jobs.ts';
import { Queue } from './queue.ts';

/** Values that are added while others are looked at come after them. */
interface Values<T> {
  readonly size: number;
  values(): IterableIterator<T>;
}

export class Rounds<T> {
  readonly #jobs: LongJobs;
  readonly #map: Values<T>;
  #underWay = 0;
  readonly #waiting = new Queue<() => void>();

  constructor(jobs: LongJobs, map: Values<T>) {
    this.#jobs = jobs;
    this.#map = map;
  }

  get areOver(): boolean {
    return this.#underWay === 0;
  }

  /** Calls `call` once no round is under way: now, or later. */
  whenOver(call: () => void): void {
    if (this.areOver) call();
    else this.#waiting.push(call);
  }

  /**
   * Visits every value that the map has now, unless it leaves the map before. Then calls `then`.
   * There are at most as many visits as there are values now. Else values that leave and come back
   * without end would be visited without end.
   */
  begin(visit: (value: T) => void, then = (): void => {}): void {
    const values = this.#map.values();
    let left = this.#map.size;
    let isLate = false;
    this.#underWay += 1;
    const isDone = this.#jobs.begin(() => {
      const { value } = left > 0 ? values.next() : END;
      left -= 1;
      if (value !== undefined) visit(value);
      if (value !== undefined && left > 0) return true;
      if (isLate) this.#end(then);
      return false;
    });
    if (isDone) this.#end(then);
    else isLate = true;
  }

  #end(then: () => void): void {
    this.#underWay -= 1;
    then();
    while (this.areOver && this.#waiting.size > 0) this.#waiting.take()?.();
  }
}

const END = { value: undefined } as const;
