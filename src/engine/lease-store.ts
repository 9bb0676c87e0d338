// Calls the user's lease store. Every call goes through here, and every error is caught here. Calls
// for one slot never overlap. A store that throws, hangs, answers late or returns a wrong type
// affects only the slot it was asked for.

import { ignore, promised } from '../kernel/deferred.ts';
import { KeyedLock } from '../kernel/lock.ts';
import { abortSignal, aFunction, refuse } from '../model/check.ts';
import type { Lease, LeaseRequest, SlotLeases } from '../model/lease.ts';
import { LOCAL_LEASE, localLeases } from './local-leases.ts';

/** A lease of the store. Each field was read once. */
export interface HeldLease {
  readonly lease: Lease;
  readonly fence: bigint;
  readonly lost: AbortSignal;
  readonly revoked: AbortSignal | undefined;
}

export interface LeaseAnswer {
  granted(held: HeldLease): void;
  /** `null`: another process holds the slot. Otherwise what the store threw. */
  refused(error: { readonly error: unknown } | null): void;
}

export class LeaseStore {
  readonly #store: SlotLeases;
  readonly #lock = new KeyedLock();
  readonly #calls = new Set<Promise<unknown>>();

  constructor(store: SlotLeases) {
    this.#store = store;
  }

  /** Every slot belongs to this process. */
  get isLocal(): boolean {
    return this.#store === localLeases;
  }

  acquire(request: LeaseRequest, answer: LeaseAnswer): void {
    // A store that answers synchronously costs no turn: the slot is owned when `submit` returns.
    if (!this.#lock.isBusy(request.slot)) {
      let lease: unknown;
      try {
        lease = this.#store.acquire(request);
      } catch (error) {
        answer.refused({ error });
        return;
      }
      const later = promised(lease);
      if (later === undefined) deliver(lease, answer);
      else this.#call(request.slot, () => later, answer);
      return;
    }
    this.#call(request.slot, () => (request.signal.aborted ? null : this.#store.acquire(request)), answer);
  }

  #call(slot: string, section: () => unknown, answer: LeaseAnswer): void {
    this.#track(
      this.#lock.run(slot, section).then(
        (lease) => deliver(lease, answer),
        (error: unknown) => answer.refused({ error }),
      ),
    );
  }

  /** A release that fails is ignored: the lease runs out in the store. */
  release(slot: string, lease: Lease): void {
    if (!this.#lock.isBusy(slot)) {
      try {
        const later = promised(lease.release());
        if (later !== undefined) this.#track(this.#lock.run(slot, () => later));
      } catch {
        // see above
      }
      return;
    }
    this.#track(this.#lock.run(slot, () => lease.release()));
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
    try {
      await this.#store.close?.();
    } catch {
      // the supervisor is done with the store
    }
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

/** The lease of every local slot. It is never lost and never revoked. */
export const LOCAL: HeldLease = Object.freeze({
  lease: LOCAL_LEASE,
  fence: LOCAL_LEASE.fence,
  lost: LOCAL_LEASE.lost,
  revoked: undefined,
});

function deliver(lease: unknown, answer: LeaseAnswer): void {
  if (lease === null) {
    answer.refused(null);
    return;
  }
  let held: HeldLease;
  try {
    held = readLease(lease as Lease);
  } catch (cause) {
    const error = new TypeError('the lease store must return a lease or null', { cause });
    answer.refused({ error });
    return;
  }
  answer.granted(held);
}

/** Reads each field once. Throws when the value is not a lease. */
function readLease(lease: Lease): HeldLease {
  const { fence, lost, revoked, release } = lease;
  if (typeof fence !== 'bigint') refuse('fence', 'must be a bigint', fence);
  aFunction('release', release);
  abortSignal('lost', lost);
  if (revoked !== undefined) abortSignal('revoked', revoked);
  return { lease, fence, lost, revoked };
}
