// Long jobs, done in parts. A job gets as much done within the call that begins it as one turn of
// the event loop has room for. The rest is done on later turns, so timers and I/O of the process go
// on, however long a job is.

import { Queue } from './queue.ts';

/** Does one part of a job. Returns true while more is left. It must not throw. */
export type Job = () => boolean;

/**
 * How many parts are done between two turns of the event loop. That is more than a queue of the
 * default length, so a call for an ordinary slot has done everything when it returns.
 */
export const PARTS_A_TURN = 1_024;

export class LongJobs {
  /** Each gets a turn, one after the other, so a long one delays no short one. */
  readonly #unfinished = new Queue<Job>();
  #leftInTurn = 0;
  #busy = false;
  #scheduled = false;
  /** Taken once: a turn that fake timers swallow would be the last one. */
  readonly #setImmediate: (job: () => void) => unknown = setImmediate;
  readonly #onTurn = () => {
    this.#scheduled = false;
    this.#turn(() => {
      for (let job = this.#unfinished.take(); job !== undefined; job = this.#unfinished.take()) {
        if (!this.#goOn(job)) return;
      }
    });
  };

  /** Returns true if the job is done. A job that another one begins shares its turn. */
  begin(job: Job): boolean {
    if (this.#busy) return this.#goOn(job);
    let isDone = false;
    this.#turn(() => {
      isDone = this.#goOn(job);
    });
    return isDone;
  }

  #turn(work: () => void): void {
    this.#busy = true;
    this.#leftInTurn = PARTS_A_TURN;
    try {
      work();
    } finally {
      this.#busy = false;
      if (this.#unfinished.size > 0 && !this.#scheduled) {
        this.#scheduled = true;
        this.#setImmediate(this.#onTurn);
      }
    }
  }

  #goOn(job: Job): boolean {
    while (this.#leftInTurn > 0) {
      this.#leftInTurn -= 1;
      if (!job()) return true;
    }
    this.#unfinished.push(job);
    return false;
  }
}
