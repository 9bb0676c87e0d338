// The reference model of a lease store and of how it is used: one request a slot at a time, kept
// from owner to owner, given back at proof of end.

import type { AdmissionPolicy } from 'slotvisor';
import type { Reference } from './reference.ts';
import { type Ask, type Body, type Flight, type Lease, type Place, TIMES } from './reference-nouns.ts';

/** `stale`: a lease whose fence is not greater than the slot's last. */
export type LeaseReply = 'grant' | 'deny' | 'throw' | 'superseded' | 'stale';

export class Leases {
  readonly #all: Reference;
  /** For each slot, the calls of the store in their order. */
  readonly calls = new Map<string, string[]>();
  readonly #fences = new Map<string, number>();

  constructor(all: Reference) {
    this.#all = all;
  }

  /** 0 before the first lease of the slot. */
  lastFence(slot: string): number {
    return this.#fences.get(slot) ?? 0;
  }

  #called(slot: string, call: string): void {
    this.calls.set(slot, [...(this.calls.get(slot) ?? []), call]);
  }

  request(place: Place, asker: Flight, policy: AdmissionPolicy): void {
    const { slot } = place;
    const urgent = policy === 'replace';
    place.ask = { slot, policy, owner: asker.leader.number, asker, urgent, calledOff: false, stalled: undefined };
    this.#all.changed(place);
    this.#called(slot, `acquire ${policy} for ${asker.leader.number}`);
    if (this.#all.setting.leases === 'prompt') this.answer(place, 'grant');
  }

  /** Tells the store that a replacement waits for the request that is out. */
  urge(place: Place): void {
    const { ask } = place;
    if (ask === undefined || ask.calledOff || place.owner !== undefined || place.replacement === undefined) return;
    if (!ask.urgent) this.#all.see('a request becomes urgent');
    ask.urgent = true;
  }

  /** An owner that resumes wants its lease also while the slot is paused. */
  callOffUnwanted(place: Place): void {
    const { ask } = place;
    if (ask === undefined || ask.calledOff || place.owner !== undefined) return;
    if (place.waiting.length > 0 && !place.paused) return;
    this.#all.see('a request is called off');
    ask.calledOff = true;
    ask.stalled = this.#all.time.after(TIMES.leaseTtl, () => {});
  }

  answer(place: Place, reply: LeaseReply): void {
    const { ask } = place;
    if (ask === undefined) return;
    place.ask = undefined;
    this.#all.time.drop(ask.stalled);
    if (reply === 'grant') this.#granted(place, ask);
    else {
      if (reply === 'stale') this.#called(place.slot, `release ${this.lastFence(place.slot)}`);
      if (!ask.calledOff) this.#refused(place, ask, reply);
    }
    this.#all.advance(place);
  }

  #granted(place: Place, { calledOff }: Ask): void {
    const { slot, owner } = place;
    const fence = this.lastFence(slot) + 1;
    this.#fences.set(slot, fence);
    const lease: Lease = { slot, fence, state: 'held', isExpired: false, contended: false };
    const [next] = place.waiting;
    if (owner !== undefined) {
      owner.lease = lease;
      this.#all.attempts.resume(owner);
    } else if (calledOff || next === undefined) {
      this.#all.see('a request is called off, and granted');
      this.#release(lease);
    } else {
      next.lease = lease;
      this.#all.own(place, next);
    }
  }

  /** Who asked is rejected, if it still waits. An owner that asked after a loss is stopped. */
  #refused(place: Place, ask: Ask, reply: Exclude<LeaseReply, 'grant'>): void {
    const superseded = reply === 'superseded' && ask.urgent;
    if (place.owner !== undefined) {
      this.#all.see('a second request is refused');
      this.#all.stopOwner(place, 'leaseLost');
    } else if (superseded) {
      if (place.replacement === undefined) return;
      this.#all.see('a waiting replacement is superseded elsewhere');
      this.#all.reject(place.replacement, 'superseded');
    } else if (place.waiting.includes(ask.asker))
      this.#all.reject(ask.asker, reply === 'deny' ? 'slotBusy' : 'leaseUnavailable');
  }

  #release({ slot, fence }: Lease): void {
    this.#called(slot, `release ${fence}`);
  }

  /** Its lease is lost, and no body runs: it is given back, and the owner asks again. */
  ownerSuspended(flight: Flight): void {
    const place = this.#all.place(flight.plan.slot);
    this.#giveBack(flight.lease as Lease);
    flight.lease = undefined;
    this.request(place, flight, 'queue');
  }

  /** A lease under which a body lives that was given up is released when that body has ended. */
  #giveBack(lease: Lease): void {
    if (this.#hasBody(lease)) this.#all.see('a lease is set aside');
    else this.#release(lease);
  }

  #hasBody(lease: Lease): boolean {
    return this.#all.attempts.bodies.some((body) => body.lease === lease);
  }

  givenUpBodyEnded({ lease, flight }: Body): void {
    if (lease === undefined || flight.lease === lease || this.#hasBody(lease)) return;
    this.#all.see('a lease that was set aside is released');
    this.#release(lease);
  }

  /** The next one has the lease, if it may be kept. */
  ownerEnded(place: Place, flight: Flight): void {
    const { lease } = flight;
    flight.lease = undefined;
    if (place.ask !== undefined) {
      if (place.waiting.length > 0) this.#all.see('a suspended owner ends, and its request is passed on');
      this.urge(place);
      this.callOffUnwanted(place);
    }
    if (lease === undefined) return;
    const [next] = place.waiting;
    const isWantedHere = !lease.contended || place.replacement !== undefined;
    if (lease.state === 'held' && !this.#hasBody(lease) && isWantedHere && next !== undefined && !place.paused) {
      this.#all.see('a lease is kept for the next');
      next.lease = lease;
      this.#all.own(place, next);
    } else this.#giveBack(lease);
  }

  /** The lease of the owner, if the test can lose or revoke it. */
  heldBy(place: Place): Lease | undefined {
    return place.owner?.lease?.state === 'lost' ? undefined : place.owner?.lease;
  }

  lose(place: Place): void {
    const { owner } = place;
    const lease = this.heldBy(place);
    if (owner === undefined || lease === undefined) return;
    const { attempts, setting } = this.#all;
    lease.state = 'lost';
    if (owner.plan.restart === 'never' || owner.isFinishing) {
      if (owner.stop === undefined) this.#all.see('a lost lease ends its owner');
      attempts.stop(owner, 'leaseLost');
    } else if (owner.stop === undefined) attempts.suspend(owner);
    if (setting.leases === 'prompt') attempts.limitGrace(owner, TIMES.leaseGrace);
  }

  /** A replacement in another process asks for the slot. */
  revoke(place: Place): void {
    const lease = this.heldBy(place);
    if (lease === undefined || lease.state === 'revoked') return;
    this.#all.see('a lease is revoked');
    lease.state = 'revoked';
    this.#all.supersede(place);
    this.#all.stopOwner(place, 'replace');
  }

  /** The lease says that it is not held any more. It is asked before each attempt. */
  expire(place: Place): void {
    const lease = this.heldBy(place);
    if (lease !== undefined) lease.isExpired = true;
  }

  contend(place: Place): void {
    const lease = this.heldBy(place);
    if (lease !== undefined) lease.contended = true;
  }
}
