// The lease that a supervisor gets of a slot.

import type { Lease } from '../../index.ts';

/** What a lease hangs on: the session that it was granted to. */
export interface LeaseSession {
  /** Whether its leases may be believed. Reads clocks only. */
  isGood(): boolean;
  isContended(slot: string): boolean;
  confirm(lease: FleetLease): Promise<boolean>;
  release(lease: FleetLease): Promise<void>;
}

export class FleetLease implements Lease {
  readonly slot: string;
  readonly fence: bigint;
  readonly graceMs: number;
  readonly #session: LeaseSession;
  readonly #lost = new AbortController();
  readonly #revoked = new AbortController();

  constructor(session: LeaseSession, slot: string, fence: bigint, graceMs: number) {
    this.#session = session;
    this.slot = slot;
    this.fence = fence;
    this.graceMs = graceMs;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }
  get revoked(): AbortSignal {
    return this.#revoked.signal;
  }
  get held(): boolean {
    return !this.#lost.signal.aborted && this.#session.isGood();
  }
  get contended(): boolean {
    return this.#session.isContended(this.slot);
  }

  async confirm(): Promise<boolean> {
    return this.held && (await this.#session.confirm(this)) && this.held;
  }
  release(): Promise<void> {
    return this.#session.release(this);
  }

  lose(why: string): void {
    this.#lost.abort(new Error(`the lease of slot ${JSON.stringify(this.slot)} is lost: ${why}`));
  }
  revoke(): void {
    this.#revoked.abort();
  }
}
