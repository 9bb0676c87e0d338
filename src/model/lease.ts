// The interface of a lease store, for slots that several processes share. This library has no store
// of its own.

import type { TaskId } from './id.ts';
import type { AdmissionPolicy } from './settings.ts';

/**
 * A lease store: grants slots to processes. It is the supervisor's `leases` option. The default
 * store grants every request at once. Calls for one slot never overlap.
 */
export interface SlotLeases {
  /**
   * Requests the lease of a slot. Returns the lease, or a promise that resolves once it is granted.
   *
   * - `null`: another process has the slot, and the policy does not wait. The submission is
   *   rejected as `slotBusy`.
   * - A throw, a rejection, or a value that is not a lease: the store cannot be used. The
   *   submission is rejected as `leaseUnavailable`.
   */
  acquire(request: LeaseRequest): Lease | null | Promise<Lease | null>;
  /**
   * Closes the store. Called once, at the end of a shutdown, which waits for it for at most 5,000
   * ms. An error is ignored.
   */
  close?(): Promise<void>;
}

/** The request for the lease of one slot. */
export interface LeaseRequest {
  /** The name of the slot. */
  readonly slot: string;
  /**
   * The submission that would start next. Another one may start in its place: the slot decides when
   * the lease is granted.
   */
  readonly owner: TaskId;
  /**
   * The admission policy of that submission. `replace`: ask the present holder to stop.
   * `dropIfRunning`: do not wait, return `null` if another process has the slot. All other
   * policies: wait.
   */
  readonly policy: AdmissionPolicy;
  /**
   * Aborted when no submission waits for the slot any more. A lease that is granted later is
   * released.
   */
  readonly signal: AbortSignal;
}

/** The right of this process to run bodies in one slot. */
export interface Lease {
  /** The fencing token. Greater than the token of every earlier lease of this slot. */
  readonly fence: bigint;
  /**
   * Aborted when the lease is lost, or is about to be. The body is then stopped. A lost lease is
   * never released.
   */
  readonly lost: AbortSignal;
  /** Aborted when a replacement in another process asks for the slot. The body is then stopped. */
  readonly revoked?: AbortSignal;
  /**
   * Set to true when another process is waiting. Read when an owner ends; the lease is then
   * released instead of being kept for the next owner.
   */
  readonly contended?: boolean;
  /**
   * Gives the slot back. Called once, unless the lease is lost. An error is ignored: the lease then
   * expires in the store.
   */
  release(): void | Promise<void>;
}
