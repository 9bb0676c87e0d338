// The port for slots that several processes share. The core knows these shapes and no store.

import type { TaskId } from './id.ts';
import type { AdmissionPolicy } from './settings.ts';

/**
 * Grants slots. The default grants every request in the same turn.
 * `null`: the slot is held elsewhere and the policy does not wait: rejected `slotBusy`.
 * A throw or a rejection: the store cannot be reached: rejected `leaseUnavailable`.
 */
export interface SlotLeases {
  acquire(request: LeaseRequest): Lease | null | Promise<Lease | null>;
  close?(): Promise<void>;
}

export interface LeaseRequest {
  readonly slot: string;
  /** The candidate that asks. Who gets the slot is decided here, in this process, when the lease comes. */
  readonly owner: TaskId;
  /** `replace` asks the present holder to stop; `dropIfRunning` does not wait. */
  readonly policy: AdmissionPolicy;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

export interface Lease {
  /** Greater than every earlier one of this slot. */
  readonly fence: bigint;
  /** Gone, or about to be: the body must stop now. A lost lease is never released. */
  readonly lost: AbortSignal;
  /** A replacement elsewhere asks for the slot. */
  readonly revoked?: AbortSignal;
  /** Somebody elsewhere waits: the lease is handed over between two owners. Looked at when an owner ends. */
  readonly contended?: boolean;
  release(): void | Promise<void>;
}
