// Calls turn takers one after another in a microtask, never within the call that pushed them. After
// a batch the event loop gets a turn of its own, so timers and I/O of the process go on, however
// many turn takers follow each other.

import { soon } from './deferred.ts';
import { Queue } from './queue.ts';

export interface TurnTaker {
  onTurn(): void;
}

/**
 * How many turn takers are called between two turns of the event loop: few enough that timers and
 * I/O go on, and enough that the cost of a turn does not count.
 */
export const BATCH = 256;

export class TurnQueue {
  readonly #waiting = new Queue<TurnTaker>();
  #scheduled = false;
  #leftInBatch = BATCH;
  readonly #onTurn = () => this.#run();
  /** Taken once: a turn that fake timers swallow would be the last one. */
  readonly #setImmediate = setImmediate;

  push(taker: TurnTaker): void {
    this.#waiting.push(taker);
    if (!this.#scheduled) this.#schedule();
  }

  /**
   * For code that has a turn of its own already, such as the handler of a promise. Turn takers that
   * are pushed between `begin` and `end` are called by `end`, within the same turn. Mostly one push
   * leads to the next, and each would cost a microtask otherwise. Returns false if a turn is
   * scheduled already: `end` must then not be called.
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
    if (this.#leftInBatch > 0) soon(this.#onTurn);
    else {
      this.#leftInBatch = BATCH;
      this.#setImmediate(this.#onTurn);
    }
  }

  #run(): void {
    try {
      while (this.#leftInBatch > 0) {
        const taker = this.#waiting.take();
        if (taker === undefined) break;
        this.#leftInBatch -= 1;
        taker.onTurn();
      }
    } finally {
      this.#scheduled = false;
      if (this.#waiting.size > 0) this.#schedule();
    }
  }
}
