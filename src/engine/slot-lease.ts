// The lease of one slot: requested, held, watched, released. What the store answers goes to the slot's machine.

import { isAborted, onAbort } from '../kernel/abort-fan.ts';
import { CancelToken } from '../kernel/cancel-token.ts';
import { field } from '../model/brand.ts';
import { stopReason } from '../model/error.ts';
import type { LeaseRequest } from '../model/lease.ts';
import type { SlotMachine } from '../policy/slot.ts';
import { type HeldLease, type LeaseDesk, LOCAL } from './lease-desk.ts';
import type { LiveSubmission } from './submission.ts';

export class SlotLease {
  readonly #slot: string;
  readonly #machine: SlotMachine<LiveSubmission>;
  readonly #desk: LeaseDesk;
  readonly #answered: () => void;
  #held: HeldLease = LOCAL;
  #unwatch: (() => void) | undefined;
  #requested: CancelToken<unknown> | undefined;

  /** `answered`: the store has said something, and the machine has heard it. */
  constructor(slot: string, machine: SlotMachine<LiveSubmission>, desk: LeaseDesk, answered: () => void) {
    this.#slot = slot;
    this.#machine = machine;
    this.#desk = desk;
    this.#answered = answered;
  }

  get fence(): bigint {
    return this.#held.fence;
  }

  /** Somebody elsewhere waits for the slot. */
  get contended(): boolean {
    return field(this.#held.lease, 'contended') === true;
  }

  acquire(asker: LiveSubmission, request: number): void {
    const machine = this.#machine;
    const token = new CancelToken<unknown>();
    this.#requested = token;
    this.#desk.ask(requestOf(asker, token), {
      granted: (held) => {
        this.#requested = undefined;
        if (isAborted(held.lost)) machine.denied(request, 'leaseUnavailable', new Error('lost before it was granted'));
        else if (machine.granted(request)) this.#hold(held, request);
        else this.#desk.release(this.#slot, held.lease);
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

  /** Cancels the pending request, if the store has not answered it. */
  cancelRequest(): void {
    const token = this.#requested;
    token?.cancel(stopReason('caller', 'nobody waits for this slot any more'));
    token?.deliver(() => {});
  }

  release(): void {
    const held = this.#held;
    this.drop();
    if (held !== LOCAL) this.#desk.release(this.#slot, held.lease);
  }

  /** Forgets a lease that was lost: it must not be released. */
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

  #watch(signal: AbortSignal, tell: () => void): () => void {
    if (!isAborted(signal))
      return onAbort(signal, () => {
        tell();
        this.#answered();
      });
    tell(); // the grant's own effects are carried out after this
    return () => {};
  }
}

/** A plain object, so that a store may spread or log it. The signal is created only if the store reads it. */
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
