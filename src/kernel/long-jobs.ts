// Long jobs, done in parts: the first ones within the call that begins the job, and the rest on
// later turns of the event loop. So timers and I/O of the process go on, however long a job is.

import { Queue } from './queue.ts';
import { BATCH } from './turn-queue.ts';

/** Does one part of a job. Returns true while more is left. It must not throw. */
export type Job = () => boolean;

/**
 * How many parts are done within the call that begins a job. That is more than a queue of the
 * default length, so a call for an ordinary slot has done everything when it returns.
 */
export const PARTS_A_CALL = 1_024;

/**
 * How many parts are done on each later turn. A part may ask a body to stop, and the turn queue
 * delivers as many requests a turn. With more parts than that the requests pile up, and the
 * collector moves them (measured for a shutdown of 200,000 live slots: 8.9 us each with 1,024 parts
 * a turn, 6.7 with 256).
 */
export const PARTS_A_TURN = BATCH;

export class LongJobs {
  /** Each gets a turn, one after the other, so a long one delays no short one. */
  readonly #unfinished = new Queue<Job>();
  #left = 0;
  #busy = false;
  #scheduled = false;
  /** Taken once: a turn that fake timers swallow would be the last one. */
  readonly #setImmediate: (job: () => void) => unknown = setImmediate;
  readonly #onTurn = () => {
    this.#scheduled = false;
    this.#turn(PARTS_A_TURN, () => {
      for (let job = this.#unfinished.take(); job !== undefined; job = this.#unfinished.take()) {
        if (!this.#goOn(job)) return;
      }
    });
  };

  /** Returns true if the job is done. A job that another one begins shares its turn. */
  begin(job: Job): boolean {
    if (this.#busy) return this.#goOn(job);
    return this.#turn(PARTS_A_CALL, () => this.#goOn(job));
  }

  #turn<T>(parts: number, work: () => T): T {
    this.#busy = true;
    this.#left = parts;
    try {
      return work();
    } finally {
      this.#busy = false;
      if (this.#unfinished.size > 0 && !this.#scheduled) {
        this.#scheduled = true;
        this.#setImmediate(this.#onTurn);
      }
    }
  }

  #goOn(job: Job): boolean {
    while (this.#left > 0) {
      this.#left -= 1;
      if (!job()) return true;
    }
    this.#unfinished.push(job);
    return false;
  }
}
