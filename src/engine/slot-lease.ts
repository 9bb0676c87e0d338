// The lease of one slot: requested, held, watched, released. The store's answers become inputs of
// the slot's machine.

import { isAborted, onAbort } from '../kernel/abort-listeners.ts';
import { CancelToken } from '../kernel/cancel-token.ts';
import { type CanceledError, stopReason } from '../model/error.ts';
import type { LeaseWait } from '../model/explain.ts';
import type { LeaseRequest } from '../model/lease.ts';
import type { AdmissionPolicy } from '../model/settings.ts';
import type { SlotMachine } from '../policy/slot-machine.ts';
import { type HeldLease, LOCAL } from './held-lease.ts';
import type { LeaseStore } from './lease-store.ts';
import type { LiveSubmission } from './submission.ts';

export interface LeaseListener {
  /**
   * The store has answered, or the lease has changed. `apply` passes that to the machine. It may
   * call the store, which may call back: the effects of all that are carried out after it.
   */
  leaseChanged(apply: () => void): void;
  /** The lease is lost, and the machine knows. */
  leaseLost(lease: HeldLease): void;
}

/** The request that the store has not answered. */
interface Pending {
  readonly withdrawn: CancelToken<CanceledError>;
  readonly urgent: CancelToken<CanceledError>;
  readonly fromMs: number;
  /** The store knows of it. It may still wait for the release before it. */
  asked: boolean;
  stopWatch: () => void;
}

export class SlotLease {
  readonly #slot: string;
  readonly #machine: SlotMachine<LiveSubmission>;
  readonly #store: LeaseStore;
  readonly #listener: LeaseListener;
  #held: HeldLease = LOCAL;
  #lastFence: bigint | undefined;
  #unwatch: (() => void) | undefined;
  #pending: Pending | undefined;

  constructor(slot: string, machine: SlotMachine<LiveSubmission>, store: LeaseStore, listener: LeaseListener) {
    this.#slot = slot;
    this.#machine = machine;
    this.#store = store;
    this.#listener = listener;
    this.#lastFence = store.fences.get(slot);
  }

  get held(): HeldLease {
    return this.#held;
  }

  /** The request that the store has not answered. */
  get request(): LeaseWait | undefined {
    const pending = this.#pending;
    return pending && { sinceMs: this.#store.nowMs - pending.fromMs, calledOff: pending.withdrawn.canceled };
  }

  acquire(asker: LiveSubmission, request: number, policy: AdmissionPolicy): void {
    const machine = this.#machine;
    const { nowMs } = this.#store;
    const pending = { withdrawn: newToken(), urgent: newToken(), fromMs: nowMs, asked: false, stopWatch: () => {} };
    this.#pending = pending;
    if (policy === 'replace') this.urge();
    const answered = (): void => {
      this.#pending = undefined;
      pending.stopWatch();
    };
    this.#store.acquire(requestOf(asker, policy, pending), {
      asked: () => {
        pending.asked = true;
      },
      granted: (held) => {
        answered();
        this.#listener.leaseChanged(() => this.#granted(held, request));
      },
      refused: (why) => {
        answered();
        this.#listener.leaseChanged(() => {
          if (why === null) machine.denied(request, 'slotBusy');
          else if (why !== 'superseded') machine.denied(request, 'leaseUnavailable', why.error);
          else if (pending.urgent.canceled) machine.denied(request, 'superseded');
          else machine.denied(request, 'leaseUnavailable', notUrgent());
        });
      },
    });
  }

  /** Tells the store that a replacement waits. */
  urge(): void {
    cancel(this.#pending?.urgent, stopReason('replace', 'a replacement waits for this slot'));
  }

  /** Cancels the pending request, unless the store has answered it. */
  cancelRequest(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    if (pending.asked) pending.stopWatch = this.#store.watch(this.#slot, 'acquire');
    cancel(pending.withdrawn, stopReason('caller', 'no submission waits for this slot any more'));
  }

  release(): void {
    const held = this.#drop();
    if (held !== LOCAL) this.#store.release(this.#slot, held);
  }

  /** Releases the lease when the bodies have ended that were given up under it. */
  setAside(): void {
    const held = this.#drop();
    held.whenBodiesEnded(() => this.#store.releaseAside(this.#slot, held));
  }

  /** Called when the slot leaves the table. */
  end(): void {
    if (this.#lastFence !== undefined) this.#store.fences.keep(this.#slot, this.#lastFence);
  }

  #granted(held: HeldLease, request: number): void {
    const refusal = this.#refusalOf(held);
    if (refusal === undefined && this.#machine.granted(request)) {
      this.#hold(held, request);
      return;
    }
    this.#store.release(this.#slot, held);
    if (refusal !== undefined) this.#machine.denied(request, 'leaseUnavailable', refusal);
  }

  #refusalOf(held: HeldLease): Error | undefined {
    const last = this.#lastFence;
    if (last !== undefined && held.fence <= last)
      return new RangeError(
        `the lease's fence must be greater than ${last}, the last one of this slot: it is ${held.fence}`,
      );
    this.#lastFence = held.fence;
    return held.isLost ? new Error('the lease was lost before it was granted') : undefined;
  }

  #hold(held: HeldLease, request: number): void {
    const { lost, revoked } = held;
    this.#held = held;
    held.onLost = () => {
      this.#listener.leaseChanged(() => this.#machine.lost(request));
      this.#listener.leaseLost(held);
    };
    const onRevoked = (): void => this.#listener.leaseChanged(() => this.#machine.revoked(request));
    const unwatchLost = onAbort(lost, () => held.lose());
    const unwatchRevoked = revoked && onAbort(revoked, onRevoked);
    if (revoked && isAborted(revoked)) onRevoked();
    this.#unwatch = () => {
      held.onLost = undefined;
      unwatchLost();
      unwatchRevoked?.();
    };
  }

  #drop(): HeldLease {
    const held = this.#held;
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#held = LOCAL;
    return held;
  }
}

const newToken = (): CancelToken<CanceledError> => new CancelToken();

function cancel(token: CancelToken<CanceledError> | undefined, reason: CanceledError): void {
  token?.cancel(reason);
  token?.deliver(() => {});
}

const notUrgent = (): Error => new TypeError("the lease store may answer 'superseded' to an urgent request only");

/**
 * A plain object, so that a store can spread or log it. The signals are made when the store reads
 * them.
 */
function requestOf(asker: LiveSubmission, policy: AdmissionPolicy, { withdrawn, urgent }: Pending): LeaseRequest {
  return {
    slot: asker.slot,
    owner: asker.id,
    policy,
    get urgent() {
      return urgent.signal;
    },
    get signal() {
      return withdrawn.signal;
    },
  };
}
