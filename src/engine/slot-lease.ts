// The lease of one slot: requested, held, watched, released. The store's answers become inputs of
// the slot's machine.

import { isAborted, onAbort } from '../kernel/abort-listeners.ts';
import { CancelToken } from '../kernel/cancel-token.ts';
import { stopReason } from '../model/error.ts';
import { field } from '../model/foreign.ts';
import type { LeaseRequest } from '../model/lease.ts';
import type { SlotMachine } from '../policy/slot-machine.ts';
import { type HeldLease, type LeaseStore, LOCAL } from './lease-store.ts';
import type { LiveSubmission } from './submission.ts';

export class SlotLease {
  readonly #slot: string;
  readonly #machine: SlotMachine<LiveSubmission>;
  readonly #store: LeaseStore;
  readonly #answered: () => void;
  #held: HeldLease = LOCAL;
  #unwatch: (() => void) | undefined;
  #requested: CancelToken<unknown> | undefined;

  /** `answered` is called after each input that came from the store. */
  constructor(slot: string, machine: SlotMachine<LiveSubmission>, store: LeaseStore, answered: () => void) {
    this.#slot = slot;
    this.#machine = machine;
    this.#store = store;
    this.#answered = answered;
  }

  get fence(): bigint {
    return this.#held.fence;
  }

  /** Another process waits for the slot. */
  get contended(): boolean {
    return field(this.#held.lease, 'contended') === true;
  }

  acquire(asker: LiveSubmission, request: number): void {
    const machine = this.#machine;
    const token = new CancelToken<unknown>();
    this.#requested = token;
    this.#store.acquire(requestOf(asker, token), {
      granted: (held) => {
        this.#requested = undefined;
        if (isAborted(held.lost)) machine.denied(request, 'leaseUnavailable', new Error('lost before it was granted'));
        else if (machine.granted(request)) this.#hold(held, request);
        else this.#store.release(this.#slot, held.lease);
        this.#answered();
      },
      refused: (failure) => {
        this.#requested = undefined;
        if (failure === null) machine.denied(request, 'slotBusy');
        else machine.denied(request, 'leaseUnavailable', failure.error);
        this.#answered();
      },
    });
  }

  /** Cancels the pending request, unless the store has answered it. */
  cancelRequest(): void {
    const token = this.#requested;
    token?.cancel(stopReason('caller', 'no submission waits for this slot any more'));
    token?.deliver(() => {});
  }

  release(): void {
    const held = this.#held;
    this.drop();
    if (held !== LOCAL) this.#store.release(this.#slot, held.lease);
  }

  /** Forgets a lost lease. It must not be released. */
  drop(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#held = LOCAL;
  }

  #hold(held: HeldLease, request: number): void {
    this.#held = held;
    const { lost, revoked } = held;
    const unwatchLost = this.#watch(lost, () => this.#machine.lost(request));
    const unwatchRevoked = revoked && this.#watch(revoked, () => this.#machine.revoked(request));
    this.#unwatch = () => {
      unwatchLost();
      unwatchRevoked?.();
    };
  }

  #watch(signal: AbortSignal, input: () => void): () => void {
    if (!isAborted(signal))
      return onAbort(signal, () => {
        input();
        this.#answered();
      });
    input(); // `acquire` calls `answered` after this
    return () => {};
  }
}

/**
 * A plain object, so that a store can spread or log it. The signal is made when the store reads it.
 */
function requestOf(asker: LiveSubmission, token: CancelToken<unknown>): LeaseRequest {
  return {
    slot: asker.slot,
    owner: asker.id,
    policy: asker.policy,
    get signal() {
      return token.signal;
    },
  };
}
