// The concurrency gate: how many may be inside at once, how many may enter within a time, and in
// which order. It wraps p-queue: p-queue runs a function for each place, and the place is taken
// until that function's promise settles. `open` is true while there is neither a limit nor a pause;
// callers then do not use the gate at all. The interval of a rate is measured by p-queue with the
// platform's timers, not with an injected clock.

import PQueue from 'p-queue';
import { deferred, ignore } from './deferred.ts';
import { PriorityQueue, Waiter } from './priority-queue.ts';

export interface GateLimits {
  readonly concurrency: number;
  readonly rate: { readonly limit: number; readonly intervalMs: number } | undefined;
}

// p-queue copies its options into an object that inherits from `Object.prototype`. An option that
// is not used must be there too: p-queue would find what any code has added to `Object.prototype`.
const NO_TIMEOUT: object = { timeout: undefined };
const NO_SIGNAL: object = { signal: undefined };

/** Gives the place back, or stops waiting for one. A second call does nothing. */
export type Leave = () => void;

export class Gate {
  readonly #waiters = new PriorityQueue();
  readonly #queue: PQueue;
  readonly #limited: boolean;

  constructor({ concurrency, rate }: GateLimits) {
    const waiters = this.#waiters;
    // p-queue removes a waiting function by an AbortSignal, which costs more than the rest of a
    // place, or through its queue class. So it gets this queue.
    const queueClass = function OwnQueue() {
      return waiters;
    } as unknown as new () => never;
    const limits = rate === undefined ? {} : { intervalCap: rate.limit, interval: rate.intervalMs };
    this.#queue = new PQueue({ ...NO_TIMEOUT, concurrency, queueClass, ...limits });
    this.#limited = concurrency !== Infinity || rate !== undefined;
  }

  /** There is neither a limit nor a pause, so `enter` need not be called. */
  get open(): boolean {
    return !this.#limited && !this.#queue.isPaused;
  }

  /** Calls `granted` once there is a place, on a later turn or within this call. */
  enter(priority: number, granted: () => void): Leave {
    const place = deferred<void>();
    const waiter = new Waiter(priority);
    const takePlace = () => {
      granted();
      return place.promise;
    };
    ignore(this.#queue.add(takePlace, { ...NO_SIGNAL, waiter, id: '' } as object)); // without an id, p-queue would make one
    // Once inside, the waiter is no longer in the queue, and resolving the promise gives the place
    // back.
    return () => {
      if (!this.#waiters.remove(waiter)) place.resolve();
      else if (this.#waiters.size === 0) this.#recheck();
    };
  }

  /**
   * Makes p-queue check its queue again, by setting its limit. If the queue is empty, p-queue then
   * stops its timer.
   */
  #recheck(): void {
    const { concurrency } = this.#queue;
    this.#queue.concurrency = concurrency;
  }

  pause(): void {
    this.#queue.pause();
  }

  resume(): void {
    this.#queue.start();
  }
}
