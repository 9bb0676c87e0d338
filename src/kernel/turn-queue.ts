// Run to completion, later: jobs run one after another in a microtask, never inside the call that pushed them. After a batch
// the loop gets a turn of its own, so that timers and I/O of the process go on however many instant jobs follow each other.

import { soon } from './deferred.ts';
import { Queue } from './queue.ts';

export interface TurnTaker {
  onTurn(): void;
}

/** Jobs between two turns of the event loop: small enough for the loop, large enough that the turn costs nothing a job. */
const BATCH = 256;

export class TurnQueue {
  readonly #waiting = new Queue<TurnTaker>();
  #scheduled = false;
  #left = BATCH;
  readonly #turn = () => this.#run();

  push(job: TurnTaker): void {
    this.#waiting.push(job);
    if (!this.#scheduled) this.#schedule();
  }

  /**
   * For what has a turn of its own already, such as the handler of a promise: between `begin` and `end` jobs are collected, and `end` runs
   * them within the same turn. One job mostly follows from another, and each would cost a microtask otherwise. False: they have a turn.
   */
  begin(): boolean {
    if (this.#scheduled) return false;
    this.#scheduled = true;
    return true;
  }

  end(): void {
    this.#run();
  }

  #schedule(): void {
    this.#scheduled = true;
    if (this.#left > 0) soon(this.#turn);
    else {
      this.#left = BATCH;
      setImmediate(this.#turn);
    }
  }

  #run(): void {
    try {
      while (this.#left > 0) {
        const job = this.#waiting.take();
        if (job === undefined) break;
        this.#left -= 1;
        job.onTurn();
      }
    } finally {
      this.#scheduled = false;
      if (this.#waiting.size > 0) this.#schedule();
    }
  }
}
