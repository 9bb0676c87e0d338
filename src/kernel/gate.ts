// How many may be inside at once, how often one may enter, and who goes first. A thin shell over p-queue: a place is a job that
// lasts until it is given back. With no limit and no pause the queue is not in the way at all.
// The rate's window runs on p-queue's own timers (the platform's), not on an injected clock.

import PQueue from 'p-queue';
import { deferred, ignore } from './deferred.ts';
import { PriorityQueue, Waiter } from './priority-queue.ts';

export interface GateLimits {
  readonly concurrency: number;
  readonly rate: { readonly limit: number; readonly intervalMs: number } | undefined;
}

/** Gives the place back, or leaves the line; the second call does nothing. */
export type Leave = () => void;

export class Gate {
  readonly #waiters = new PriorityQueue();
  readonly #queue: PQueue;
  readonly #limited: boolean;

  constructor({ concurrency, rate }: GateLimits) {
    const lines = this.#waiters;
    // p-queue lets a waiting job go by an AbortSignal, which costs more than the rest of a place, or by what its line can do.
    const queueClass = function OwnLines() {
      return lines;
    } as unknown as new () => never;
    const limits = rate === undefined ? {} : { intervalCap: rate.limit, interval: rate.intervalMs };
    this.#queue = new PQueue({ concurrency, queueClass, ...limits });
    this.#limited = concurrency !== Infinity || rate !== undefined;
  }

  /** Nobody has to ask for a place. */
  get open(): boolean {
    return !this.#limited && !this.#queue.isPaused;
  }

  /** Calls `granted` once there is a place, on a later turn or within this call. */
  enter(priority: number, granted: () => void): Leave {
    const place = deferred<void>();
    const waiter = new Waiter(priority);
    const job = () => {
      granted();
      return place.promise;
    };
    ignore(this.#queue.add(job, { waiter, id: '' } as object)); // p-queue would make up an id
    // Once inside only the promise counts: the place is given back when it is resolved, and not before.
    return () => {
      if (!this.#waiters.remove(waiter)) place.resolve();
      else if (this.#waiters.size === 0) this.#recheck();
    };
  }

  /** p-queue looks at its line when its limit is set, and puts its timer away when nobody waits. */
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
