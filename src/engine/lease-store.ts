// Calls the user's lease store. Every `acquire`, `release` and `close` goes through here, and every
// error is caught here. Calls for one slot never overlap, but for `releaseAside`. A store that
// throws, hangs, answers late or returns a wrong type affects only the slot it was asked for.

import { after, type Clock } from '../kernel/clock.ts';
import { ignore, promised } from '../kernel/deferred.ts';
import { KeyedLock } from '../kernel/lock.ts';
import { positiveMs } from '../model/check.ts';
import type { Stall } from '../model/explain.ts';
import { field } from '../model/foreign.ts';
import type { Lease, LeaseRequest, SlotLeases } from '../model/lease.ts';
import { reading } from '../model/options.ts';
import type { EventPublisher } from './events.ts';
import { HeldLease } from './held-lease.ts';
import { localLeases } from './local-leases.ts';
import { RecentFences } from './recent-fences.ts';

/** What becomes of a request. */
export interface RequestListener {
  /** The store is about to be asked. Not called for a request that is canceled before. */
  asked(): void;
  granted(held: HeldLease): void;
  /** `null`: another process holds the slot. Otherwise what the store threw. */
  refused(why: { readonly error: unknown } | null | 'superseded'): void;
}

const DEFAULT_TTL_MS = 30_000;

export class LeaseStore {
  readonly fences = new RecentFences();
  readonly #store: SlotLeases;
  readonly #ttlMs: number;
  readonly #clock: Clock;
  readonly #events: EventPublisher;
  readonly #lock = new KeyedLock();
  readonly #calls = new Set<Promise<unknown>>();
  readonly #stopWatches = new Set<() => void>();
  /** The calls that were published as stalled, and have not been answered since. Oldest first. */
  readonly #stalls = new Set<{ readonly slot: string; readonly what: Stall['what']; readonly fromMs: number }>();
  #closed = false;

  /** @throws OptionError for an invalid `ttlMs`. */
  constructor(store: SlotLeases, clock: Clock, events: EventPublisher) {
    const ttlMs = reading('leases.ttlMs', store, () => store.ttlMs);
    store.open?.();
    this.#store = store;
    this.#ttlMs = ttlMs === undefined ? DEFAULT_TTL_MS : positiveMs('leases.ttlMs', ttlMs);
    this.#clock = clock;
    this.#events = events;
  }

  /** Every slot belongs to this process. */
  get isLocal(): boolean {
    return this.#store === localLeases;
  }

  get nowMs(): number {
    return this.#clock.now();
  }

  /** The first call for this slot that the store has left unanswered for longer than `ttlMs`. */
  stalled(slot: string): Stall | undefined {
    for (const stall of this.#stalls)
      if (stall.slot === slot) return { what: stall.what, sinceMs: this.nowMs - stall.fromMs };
    return undefined;
  }

  acquire(request: LeaseRequest, listener: RequestListener): void {
    // A store that answers synchronously costs no turn: the slot is owned when `submit` returns.
    const ask = () => {
      listener.asked();
      return this.#store.acquire(request);
    };
    if (!this.#lock.isBusy(request.slot)) {
      let answer: unknown;
      try {
        answer = ask();
      } catch (error) {
        listener.refused({ error });
        return;
      }
      const later = promised(answer);
      if (later === undefined) this.#deliver(request.slot, answer, listener);
      else this.#call(request.slot, () => later, listener);
      return;
    }
    this.#call(request.slot, () => (request.signal.aborted ? null : ask()), listener);
  }

  #call(slot: string, section: () => unknown, listener: RequestListener): void {
    this.#track(
      this.#lock.run(slot, section).then(
        (answer) => this.#deliver(slot, answer, listener),
        (error: unknown) => listener.refused({ error }),
      ),
    );
  }

  #deliver(slot: string, answer: unknown, listener: RequestListener): void {
    if (answer === null || answer === 'superseded') {
      listener.refused(answer);
      return;
    }
    let held: HeldLease;
    try {
      held = new HeldLease(answer as Lease);
    } catch (cause) {
      // The store may believe that it granted a lease, and keep it until it is released.
      if (typeof field(answer, 'release') === 'function') this.release(slot, { lease: answer as Lease });
      const error = new TypeError("the lease store must return a lease, null or 'superseded'", { cause });
      listener.refused({ error });
      return;
    }
    listener.granted(held);
  }

  /** A release that fails is ignored: the lease runs out in the store. */
  release(slot: string, { lease }: Pick<HeldLease, 'lease'>): void {
    if (!this.#lock.isBusy(slot)) {
      const later = this.#release(lease);
      if (later !== undefined)
        this.#trackRelease(
          slot,
          this.#lock.run(slot, () => later),
        );
      return;
    }
    this.#trackRelease(
      slot,
      this.#lock.run(slot, () => this.#release(lease)),
    );
  }

  /**
   * Releases a lease that was set aside. It waits for no other call of its slot: a pending request
   * may wait for this release.
   */
  releaseAside(slot: string, { lease }: HeldLease): void {
    const later = this.#release(lease);
    if (later !== undefined) this.#trackRelease(slot, later);
  }

  #release(lease: Lease): Promise<unknown> | undefined {
    try {
      return promised(lease.release());
    } catch {
      return undefined;
    }
  }

  /**
   * Publishes `leaseStalled` once, unless the returned function is called within `ttlMs`: the store
   * has answered. After `close` no event can follow, so nothing is watched.
   */
  watch(slot: string, what: 'acquire' | 'release'): () => void {
    if (this.#closed) return () => {};
    const call = { slot, what, fromMs: this.nowMs };
    const stopTimer = after(this.#clock, this.#ttlMs, () => {
      this.#stopWatches.delete(stop);
      this.#stalls.add(call);
      this.#events.listening?.publish({ type: 'leaseStalled', slot, what, sinceMs: this.nowMs - call.fromMs });
    });
    const stop = (): void => {
      this.#stopWatches.delete(stop);
      this.#stalls.delete(call);
      stopTimer();
    };
    this.#stopWatches.add(stop);
    return stop;
  }

  /**
   * Resolves when every call has ended. A store that hangs delays it without limit, so the caller
   * bounds the wait.
   */
  async idle(): Promise<void> {
    while (this.#calls.size > 0) await Promise.all(this.#calls);
  }

  /** Closes the store. The caller bounds the wait. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#stopWatches) stop();
    try {
      await this.#store.close?.();
    } catch {
      // the supervisor is done with the store
    }
  }

  #trackRelease(slot: string, release: Promise<unknown>): void {
    const stopWatch = this.watch(slot, 'release');
    this.#track(release.then(stopWatch, stopWatch));
  }

  #track(call: Promise<unknown>): void {
    const settled = call.then(
      () => {},
      () => {},
    );
    this.#calls.add(settled);
    ignore(settled.then(() => this.#calls.delete(settled)));
  }
}
