// One session of this process with the store: what it holds there, and until when that may be
// believed. A session that was given up is never used again.

import { randomUUID } from 'node:crypto';
import type { Clock } from '../../index.ts';
import { FleetLease, type LeaseSession } from './fleet-lease.ts';
import type { HeldSlot } from './store.ts';
import { type Moment, momentOf, type SessionTimes, sinceMs } from './times.ts';

/** A slot that the store holds this session to have. */
interface Holding {
  /** Of the latest grant. */
  fence: bigint;
  /** Another session waits for it. */
  isContended: boolean;
  /** The lease of the latest grant, and leases of bodies that were given up and are alive. */
  readonly leases: Set<FleetLease>;
}

export interface SessionHost {
  /** No answer proves any more that the session is alive. */
  expired(session: Session): void;
  /** Gives a slot back to the store. */
  giveBack(session: Session, held: HeldSlot): Promise<void>;
  /** The fence under which the store holds this session to have the slot. */
  askFence(session: Session, slot: string): Promise<bigint | undefined>;
}

export class Session implements LeaseSession {
  readonly id = randomUUID();
  /** Counts every grant and every slot given back. What the store counts holds for one value. */
  changes = 0;
  isOver = false;
  readonly #held = new Map<string, Holding>();
  readonly #clock: Clock;
  readonly #times: SessionTimes;
  readonly #host: SessionHost;
  #renewed: Moment;

  constructor(clock: Clock, times: SessionTimes, host: SessionHost) {
    this.#clock = clock;
    this.#times = times;
    this.#host = host;
    this.#renewed = momentOf(clock);
  }

  /** How many slots it holds. */
  get size(): number {
    return this.#held.size;
  }
  get ageMs(): number {
    return sinceMs(this.#clock, this.#renewed);
  }
  get goodForMs(): number {
    return this.#times.softMs - this.ageMs;
  }

  /** @param sent when the call began that the store has answered: the ttl counts from later on. */
  renew(sent: Moment): void {
    this.#renewed = sent;
  }

  isGood(): boolean {
    if (!this.isOver && this.goodForMs <= 0) this.#host.expired(this);
    return !this.isOver;
  }

  /** From now on none of its leases holds. They are given back as their bodies end. */
  giveUp(why: string): void {
    this.isOver = true;
    for (const { leases } of this.#held.values()) for (const lease of leases) lease.lose(why);
  }

  add(slot: string, fence: bigint, isContended: boolean): FleetLease {
    const lease = new FleetLease(this, slot, fence, this.#times.graceMs);
    const holding = this.#held.get(slot) ?? { fence, isContended, leases: new Set() };
    holding.fence = fence;
    holding.isContended = isContended;
    holding.leases.add(lease);
    this.#held.set(slot, holding);
    this.changes += 1;
    return lease;
  }

  fenceOf(slot: string): bigint | undefined {
    return this.#held.get(slot)?.fence;
  }
  isContended(slot: string): boolean {
    return this.#held.get(slot)?.isContended === true;
  }
  /** The slots, each with the fence of its latest grant. */
  *fences(): Iterable<[slot: string, fence: bigint]> {
    for (const [slot, { fence }] of this.#held) yield [slot, fence];
  }

  /** Another session waits; with `isUrgent`, a replacement. */
  wanted(slot: string, isUrgent: boolean): void {
    const holding = this.#held.get(slot);
    if (holding === undefined) return;
    holding.isContended = true;
    if (isUrgent) for (const lease of holding.leases) lease.revoke();
  }

  /** The store has granted a slot to this session again, and nothing runs under that grant. */
  grantedAgain(slot: string, fence: bigint): void {
    const holding = this.#held.get(slot);
    if (holding !== undefined) holding.fence = fence;
  }

  /**
   * The store has granted a slot to this session again, which this process did not know. No lease
   * has that fence. The slot is given back with it, when the bodies have ended.
   */
  outdate(slot: string, fence: bigint, why: string): void {
    this.grantedAgain(slot, fence);
    for (const lease of this.#held.get(slot)?.leases ?? []) lease.lose(why);
  }

  /** The store does not hold this session to have the slot. */
  lose(slot: string, why: string): void {
    const leases = this.#held.get(slot)?.leases ?? [];
    this.#held.delete(slot);
    this.changes += 1;
    for (const lease of leases) lease.lose(why);
  }

  async confirm({ slot }: FleetLease): Promise<boolean> {
    const fence = await this.#host.askFence(this, slot);
    return fence !== undefined && fence === this.fenceOf(slot);
  }

  /** With the last lease of its slot the slot is given back. */
  async release(lease: FleetLease): Promise<void> {
    const { slot } = lease;
    const holding = this.#held.get(slot);
    if (holding === undefined || !holding.leases.delete(lease) || holding.leases.size > 0) return;
    this.#held.delete(slot);
    this.changes += 1;
    await this.#host.giveBack(this, { slot, fence: holding.fence, contended: holding.isContended });
  }
}
