// One lease of the store. Each field was read once, but for `held` and `contended`, which change.
// Every read and call of the user's object is guarded here, `release` apart (lease-store.ts).

import { isAborted } from '../kernel/abort-listeners.ts';
import { aBigInt, abortSignal, aFunction, durationMs } from '../model/check.ts';
import { field } from '../model/foreign.ts';
import type { Lease } from '../model/lease.ts';
import { LOCAL_LEASE } from './local-leases.ts';

export class HeldLease {
  readonly lease: Lease;
  readonly fence: bigint;
  readonly lost: AbortSignal;
  readonly revoked: AbortSignal | undefined;
  /** For how long after a loss the slot belongs to no other process, in ms. */
  readonly graceMs: number;
  readonly #confirm: Lease['confirm'];
  /** Set by the slot. It is called once. */
  onLost: (() => void) | undefined;
  /** Bodies that ran under it, were given up, and are alive. */
  #bodiesGivenUp = 0;
  #whenBodiesEnded: (() => void) | undefined;

  /** @throws OptionError when the value is not a lease. */
  constructor(lease: Lease) {
    const { fence, lost, revoked, graceMs, confirm, release } = lease;
    aBigInt('fence', fence);
    abortSignal('lost', lost);
    if (revoked !== undefined) abortSignal('revoked', revoked);
    if (confirm !== undefined) aFunction('confirm', confirm);
    aFunction('release', release);
    this.lease = lease;
    this.fence = fence;
    this.lost = lost;
    this.revoked = revoked;
    this.graceMs = graceMs === undefined ? Infinity : durationMs('graceMs', graceMs);
    this.#confirm = confirm;
  }

  /** What the lease says itself. `held` is read first, since its getter may abort `lost`. */
  get isLost(): boolean {
    return field(this.lease, 'held') === false || isAborted(this.lost);
  }
  /** Another process waits for the slot. */
  get contended(): boolean {
    return field(this.lease, 'contended') === true;
  }
  /** A local slot needs no other lease: this process has them all. */
  get hasBodyAlive(): boolean {
    return this !== LOCAL && this.#bodiesGivenUp > 0;
  }

  /** Asks the lease. If it is lost, the slot knows when this returns false. */
  check(): boolean {
    if (this === LOCAL || field(this.lease, 'held') !== false) return true;
    this.lose();
    return false;
  }

  /** Informs the slot of the loss, once: the grace of the body counts from the first time. */
  lose(): void {
    const { onLost } = this;
    this.onLost = undefined;
    onLost?.();
  }

  /**
   * Asks the store. Rejects with what the store threw: nothing is known then. If the lease is lost,
   * the slot knows when this resolves to false.
   */
  async confirm(): Promise<boolean> {
    const confirm = this.#confirm;
    if (confirm === undefined || (await confirm.call(this.lease))) return this.check();
    this.lose();
    return false;
  }

  bodyGivenUp(): void {
    this.#bodiesGivenUp += 1;
  }

  /** A body that was given up has ended after all. */
  bodyEnded(): void {
    this.#bodiesGivenUp -= 1;
    if (this.#bodiesGivenUp === 0) this.#whenBodiesEnded?.();
  }

  whenBodiesEnded(callback: () => void): void {
    this.#whenBodiesEnded = callback;
  }
}

/** The lease of every local slot. It is never lost and never revoked. */
export const LOCAL = new HeldLease(LOCAL_LEASE);
