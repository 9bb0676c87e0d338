// One slot in the table: its machine, who runs and who shares on it, and its lease. It takes decisions to the store and brings the
// store's answers to the machine; what follows from them is carried out by the table (slots.ts).

import { isAborted, onAbort } from '../kernel/abort-fan.ts';
import { CancelToken } from '../kernel/cancel-token.ts';
import type { Deferred } from '../kernel/deferred.ts';
import { field } from '../model/brand.ts';
import { stopReason } from '../model/error.ts';
import type { LeaseRequest } from '../model/lease.ts';
import type { SlotView } from '../model/view.ts';
import { SlotMachine } from '../policy/slot.ts';
import type { Actor } from './actor.ts';
import { type HeldLease, type LeaseDesk, LOCAL } from './lease-desk.ts';
import type { LiveSubmission } from './submission.ts';

export class Seat {
  readonly name: string;
  readonly machine = new SlotMachine<LiveSubmission>();
  actor: Actor | undefined;
  /** Those who share the owner's outcome. */
  joined: Set<LiveSubmission> | undefined;
  /** How many of the supervisor's waiting submissions are this slot's. */
  pending = 0;
  /** The machine's effects are being carried out. */
  busy = false;
  ownerGone: Deferred<void> | undefined;
  drained: Deferred<void> | undefined;
  readonly #desk: LeaseDesk;
  readonly #answered: (seat: Seat) => void;
  #held: HeldLease = LOCAL;
  #unwatchLease: (() => void) | undefined;
  #asked: CancelToken<unknown> | undefined;

  /** `answered`: the store has said something, and the machine has heard it. */
  constructor(name: string, desk: LeaseDesk, answered: (seat: Seat) => void) {
    this.name = name;
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

  /** Neither owner nor queue. */
  get quiet(): boolean {
    const { machine } = this;
    return machine.owner === null && !machine.hasNext && machine.inLine === 0;
  }

  view(): SlotView {
    const { name, machine, actor } = this;
    const { phase, paused } = machine;
    return {
      name,
      phase,
      paused,
      ...(actor !== undefined && { owner: actor.submission.view(actor) }),
      queued: [...machine.waiting()].map((one) => one.view()),
    };
  }

  acquire(asker: LiveSubmission, request: number): void {
    // The desk would say the same, by a longer way.
    if (this.#desk.isLocal) {
      this.machine.granted(request);
      return;
    }
    const token = new CancelToken<unknown>();
    this.#asked = token;
    this.#desk.ask(requestOf(asker, token), {
      granted: (held) => {
        this.#asked = undefined;
        if (isAborted(held.lost))
          this.machine.denied(request, 'leaseUnavailable', new Error('lost before it was granted'));
        else if (this.machine.granted(request)) this.#hold(held, request);
        else this.#desk.release(this.name, held.lease);
        this.#answered(this);
      },
      refused: (failure) => {
        this.#asked = undefined;
        if (failure === null) this.machine.denied(request, 'slotBusy');
        else this.machine.denied(request, 'leaseUnavailable', failure.error);
        this.#answered(this);
      },
    });
  }

  /** Takes back the request: nobody waits for its answer. */
  callOff(): void {
    const asked = this.#asked; // none, if the store has answered within the call
    asked?.cancel(stopReason('caller', 'nobody waits for this slot any more'));
    asked?.deliver(() => {});
  }

  release(): void {
    const held = this.#held;
    this.forget();
    if (held !== LOCAL) this.#desk.release(this.name, held.lease); // the local one has nothing to do, and is asked nothing
  }

  /** A lost lease is nobody's to release. */
  forget(): void {
    this.#unwatchLease?.();
    this.#unwatchLease = undefined;
    this.#held = LOCAL;
  }

  #hold(held: HeldLease, request: number): void {
    this.#held = held;
    const { lost, revoked } = held;
    const unwatchLost = this.#watch(lost, () => this.machine.lost(request));
    const unwatchRevoked = revoked && this.#watch(revoked, () => this.machine.revoked(request));
    this.#unwatchLease = () => {
      unwatchLost();
      unwatchRevoked?.();
    };
  }

  #watch(signal: AbortSignal, hear: () => void): () => void {
    if (!isAborted(signal))
      return onAbort(signal, () => {
        hear();
        this.#answered(this);
      });
    hear(); // the grant's own effects are carried out after this
    return nothing;
  }
}

const nothing = (): void => {};

/** What the store is asked: a plain object, that a store may spread or write down. The signal is made only if it is looked at. */
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
