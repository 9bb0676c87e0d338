// The interface of a lease store, for slots that several processes share. This library has no store
// of its own.

import type { TaskId } from './id.ts';
import type { AdmissionPolicy } from './settings.ts';

/**
 * A lease store: grants slots to processes. It is the supervisor's `leases` option. The default
 * store grants every request at once.
 *
 * Calls for one slot never overlap, but for one: the lease of a body that was given up is released
 * when that body ends, also while another request for its slot is pending. Until then its process
 * may hold several leases of the slot. The slot is free for other processes once all of them are
 * released or have expired.
 */
export interface SlotLeases {
  /**
   * Called once by each supervisor that gets the store, in its constructor, which throws what this
   * throws. For a store that cannot serve two supervisors.
   */
  open?(): void;
  /**
   * Requests the lease of a slot. Returns the lease, or a promise that resolves once it is granted.
   * A process that holds a lease of the slot already, for a body that was given up, is granted
   * another one, with a greater fence.
   *
   * A throw, a rejection, or a value that is not a {@link LeaseAnswer}: the store cannot be used.
   * (A value that has a `release` is released.)
   * The submission is rejected as `leaseUnavailable`; an owner that asked again after a loss is
   * stopped as `leaseLost`.
   */
  acquire(request: LeaseRequest): LeaseAnswer | Promise<LeaseAnswer>;
  /**
   * How long the store may take to answer a canceled `acquire` or a `release`, in ms, more than 0.
   * After that time the event `leaseStalled` is published once for the call. The call is not
   * repeated. Default 30,000.
   */
  readonly ttlMs?: number | undefined;
  /**
   * Closes the store. Called once, at the end of a shutdown, which waits for it for at most 5,000
   * ms. Leases of bodies that were given up and are alive are not released before: let them expire.
   * Only a `release` may follow: of a lease that was granted late, or of such a body that has
   * ended. An error is ignored.
   */
  close?(): Promise<void>;
}

/**
 * The answer of a lease store.
 *
 * - `null`: another process has the slot, and the policy does not wait. The submission is rejected
 *   as `slotBusy`.
 * - `superseded`: a later replacement in another process took the place of the replacement that
 *   waits here. That one is rejected as `superseded`, and what else waits asks again. Allowed for
 *   an urgent request only.
 */
export type LeaseAnswer = Lease | null | 'superseded';

/** The request for the lease of one slot. */
export interface LeaseRequest {
  /** The name of the slot. */
  readonly slot: string;
  /**
   * The submission that would start next, or the owner that lost its lease. Another one may start
   * in its place: the slot decides when the lease is granted.
   */
  readonly owner: TaskId;
  /**
   * The admission policy of that submission. `replace`: ask the present holder to stop.
   * `dropIfRunning`: do not wait, return `null` if another process has the slot. All other
   * policies: wait. For an owner that lost its lease: `queue`.
   */
  readonly policy: AdmissionPolicy;
  /**
   * Aborted once a replacement waits for the answer; for the policy `replace` from the start. Ask
   * the present holder to stop, and let this request go first.
   */
  readonly urgent: AbortSignal;
  /**
   * Aborted when no submission waits for the slot any more. A lease that is granted later is
   * released.
   */
  readonly signal: AbortSignal;
}

/** The right of this process to run bodies in one slot. */
export interface Lease {
  /**
   * The fencing token. Greater than the token of every earlier lease of this slot. A lease with
   * another token is refused as `leaseUnavailable` and released, and no body runs under it.
   */
  readonly fence: bigint;
  /**
   * Aborted when the lease is lost, or is about to be. The body is then stopped. The lease is
   * released once the body has ended.
   */
  readonly lost: AbortSignal;
  /**
   * False once it can no longer be proved that this process holds the slot. That counts as `lost`,
   * whatever it says later. Read before each attempt and by `ctx.canceled`, so it must cost
   * nothing: compare a clock, do no I/O. It serves where timers come late, as after a freeze of the
   * process.
   */
  readonly held?: boolean | undefined;
  /**
   * For how long after `lost` no other process can have the slot, in ms, 0 or more. The grace of a
   * body that is stopped by the loss is at most this long. Default: no limit.
   */
  readonly graceMs?: number | undefined;
  /**
   * Aborted when a replacement in another process asks for the slot. The owner is then stopped by
   * `replace`. A replacement and a `keepLatest` that wait here are rejected as `superseded`.
   */
  readonly revoked?: AbortSignal | undefined;
  /**
   * Set to true when another process is waiting. Read when an owner ends; the lease is then
   * released instead of being kept for the next owner, unless a replacement waits here.
   */
  readonly contended?: boolean | undefined;
  /**
   * Asks the store whether this process holds the slot. `ctx.ensureOwned` calls it. False counts as
   * `lost`. A throw or a rejection says nothing: the lease counts as held, and the body gets the
   * error. Default: `held` alone is asked.
   */
  confirm?(): Promise<boolean>;
  /**
   * Gives the slot back. Called once, also for a lost lease, when the body has ended. For a body
   * that was given up: when it has ended after all. An error is ignored: the lease then expires in
   * the store.
   */
  release(): void | Promise<void>;
}
