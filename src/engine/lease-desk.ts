// The talk with the lease store: the one guarded place where it is called. Calls for one slot never overlap; a store that throws,
// hangs, answers late or answers nonsense harms that slot alone.

import { ignore, promised } from '../kernel/deferred.ts';
import { KeyedLock } from '../kernel/lock.ts';
import { abortSignal, aFunction, refuse } from '../model/check.ts';
import type { Lease, LeaseRequest, SlotLeases } from '../model/lease.ts';
import { LOCAL_LEASE, localLeases } from './local-leases.ts';

/** A lease as the store gave it: what is needed to watch it, read once. */
export interface HeldLease {
  readonly lease: Lease;
  readonly fence: bigint;
  readonly lost: AbortSignal;
  readonly revoked: AbortSignal | undefined;
}

export interface LeaseAnswer {
  granted(held: HeldLease): void;
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

  /** Every slot is this process's own: there is nobody to ask. */
  get isLocal(): boolean {
    return this.#store === localLeases;
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
      const later = promised(lease);
      if (later === undefined) give(lease, answer);
      else this.#talk(request.slot, () => later, answer);
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
      try {
        const later = promised(lease.release());
        if (later !== undefined) this.#track(this.#lock.run(slot, () => later));
      } catch {
        // as above
      }
      return;
    }
    this.#track(this.#lock.run(slot, () => lease.release()));
  }

  /** Resolves when every talk has ended. May wait for ever: the caller bounds it. */
  async idle(): Promise<void> {
    while (this.#talks.size > 0) await Promise.all(this.#talks);
  }

  /** Closes the store, whose talks may hang: its own handles are its to end. May wait for ever, too. */
  async close(): Promise<void> {
    try {
      await this.#store.close?.();
    } catch {
      // no `close`, or one that throws: nobody is left who could use the store
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

/** One for all slots: it is never lost and never revoked. */
export const LOCAL: HeldLease = Object.freeze({
  lease: LOCAL_LEASE,
  fence: LOCAL_LEASE.fence,
  lost: LOCAL_LEASE.lost,
  revoked: undefined,
});

function give(lease: unknown, answer: LeaseAnswer): void {
  if (lease === null) {
    answer.refused(null);
    return;
  }
  let held: HeldLease;
  try {
    held = read(lease as Lease);
  } catch (cause) {
    const error = new TypeError('the lease store answered neither with a lease nor with null', { cause });
    answer.refused({ error });
    return;
  }
  answer.granted(held);
}

/** What a store gave, each field read once. Throws when it is no lease: SpecError where a field is to blame. */
function read(lease: Lease): HeldLease {
  const { fence, lost, revoked, release } = lease;
  if (typeof fence !== 'bigint') refuse('fence', 'must be a bigint', fence);
  aFunction('release', release);
  abortSignal('lost', lost);
  if (revoked !== undefined) abortSignal('revoked', revoked);
  return { lease, fence, lost, revoked };
}
