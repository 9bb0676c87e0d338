// How many may be inside at once, how often one may enter, and who goes first. A thin shell over p-queue: a place is a job that
// lasts until it is given back. With no limit and no pause the queue is not in the way at all.
// The rate's window runs on p-queue's own timers (the platform's), not on an injected clock.

import PQueue from 'p-queue';
import { deferred, ignore } from './deferred.ts';

export interface GateLimits {
  readonly concurrency: number;
  readonly rate: { readonly limit: number; readonly intervalMs: number } | undefined;
}

/** Gives the place back, or leaves the line; the second call does nothing. */
export type Leave = () => void;

export class Gate {
  readonly #queue: PQueue;
  readonly #limited: boolean;

  constructor({ concurrency, rate }: GateLimits) {
    this.#queue =
      rate === undefined
        ? new PQueue({ concurrency })
        : new PQueue({ concurrency, intervalCap: rate.limit, interval: rate.intervalMs });
    this.#limited = concurrency !== Infinity || rate !== undefined;
  }

  /** Nobody has to ask for a place. */
  get open(): boolean {
    return !this.#limited && !this.#queue.isPaused;
  }

  /** Calls `granted` once there is a place, on a later turn or within this call. */
  enter(priority: number, granted: () => void): Leave {
    const place = deferred<void>();
    const waiting = new AbortController();
    let inside = false;
    ignore(
      this.#queue.add(
        () => {
          inside = true;
          granted();
          return place.promise;
        },
        // Aborting takes a waiting job out of the line. Once inside only the promise counts: an abort would free the place too early.
        { priority, signal: waiting.signal },
      ),
    );
    return () => {
      if (inside) place.resolve();
      else waiting.abort();
    };
  }

  pause(): void {
    this.#queue.pause();
  }

  resume(): void {
    this.#queue.start();
  }
}
