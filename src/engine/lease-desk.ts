// The talk with the lease store: the one guarded place where it is called. Calls for one slot never overlap; a store that throws,
// hangs, answers late or answers nonsense harms that slot alone.

import { ignore, isThenable } from '../kernel/deferred.ts';
import { KeyedLock } from '../kernel/lock.ts';
import type { Lease, LeaseRequest, SlotLeases } from '../model/lease.ts';

export interface LeaseAnswer {
  granted(lease: Lease): void;
  /** `null`: held elsewhere; else what the store threw. */
  refused(error: { readonly error: unknown } | null): void;
}

export class LeaseDesk {
  readonly #store: SlotLeases;
  readonly #lock = new KeyedLock();
  readonly #talks = new Set<Promise<unknown>>();

  constructor(store: SlotLeases) {
    this.#store = store;
  }

  ask(request: LeaseRequest, answer: LeaseAnswer): void {
    // A store that answers at once, as the local one does, costs no turn: the slot is owned when submit returns.
    if (!this.#lock.isBusy(request.slot)) {
      let lease: unknown;
      try {
        lease = this.#store.acquire(request);
      } catch (error) {
        answer.refused({ error });
        return;
      }
      if (!isThenable(lease)) {
        give(lease, answer);
        return;
      }
      this.#talk(request.slot, () => lease, answer);
      return;
    }
    this.#talk(request.slot, () => (request.signal.aborted ? null : this.#store.acquire(request)), answer);
  }

  #talk(slot: string, section: () => unknown, answer: LeaseAnswer): void {
    this.#track(
      this.#lock.run(slot, section).then(
        (lease) => give(lease, answer),
        (error: unknown) => answer.refused({ error }),
      ),
    );
  }

  /** A release that fails is the store's to repair: its lease runs out there. */
  release(slot: string, lease: Lease): void {
    if (!this.#lock.isBusy(slot)) {
      let done: unknown;
      try {
        done = lease.release();
      } catch {
        return;
      }
      if (isThenable(done)) this.#track(this.#lock.run(slot, () => done));
      return;
    }
    this.#track(this.#lock.run(slot, () => lease.release()));
  }

  /** Every talk has ended, and the store is closed. May wait for ever: the caller bounds it. */
  async close(): Promise<void> {
    while (this.#talks.size > 0) await Promise.all(this.#talks);
    try {
      await this.#store.close?.();
    } catch {
      // nothing is left that could use the store
    }
  }

  #track(talk: Promise<unknown>): void {
    const quiet = talk.then(
      () => {},
      () => {},
    );
    this.#talks.add(quiet);
    ignore(quiet.then(() => this.#talks.delete(quiet)));
  }
}

function give(lease: unknown, answer: LeaseAnswer): void {
  if (lease === null) answer.refused(null);
  else if (isLease(lease)) answer.granted(lease);
  else answer.refused({ error: new TypeError('the lease store answered neither with a lease nor with null') });
}

function isLease(value: unknown): value is Lease {
  try {
    const { fence, lost, release } = value as Lease;
    return typeof fence === 'bigint' && typeof lost.aborted === 'boolean' && typeof release === 'function';
  } catch {
    return false;
  }
}
