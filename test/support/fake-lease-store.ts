// A fake remote lease store. It answers when the test says so, and checks how the library uses it.

import type { Lease, LeaseAnswer, LeaseRequest, SlotLeases, TaskBody } from 'slotvisor';
import { expect, onTestFinished } from 'vitest';

/** A lease of this store. */
export class FakeLease implements Lease {
  readonly slot: string;
  readonly fence: bigint;
  contended = false;
  held = true;
  graceMs: number | undefined;
  confirm?: () => Promise<boolean>;
  state: 'held' | 'lost' | 'released' = 'held';
  readonly #lost = new AbortController();
  readonly #revoked = new AbortController();
  readonly #released: (lease: FakeLease) => void | Promise<void>;

  constructor(slot: string, fence: bigint, released: (lease: FakeLease) => void | Promise<void>) {
    this.slot = slot;
    this.fence = fence;
    this.#released = released;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }
  get revoked(): AbortSignal {
    return this.#revoked.signal;
  }

  /** The lease expired, or the store became unreachable. */
  lose(): void {
    this.state = 'lost';
    this.#lost.abort();
  }

  /** Another process wants to replace the owner of the slot. */
  revoke(): void {
    this.#revoked.abort();
  }

  release(): void | Promise<void> {
    return this.#released(this);
  }
}

/** One call of `acquire`. The first answer ends it. A second answer changes nothing. */
export class Ask {
  readonly request: LeaseRequest;
  /** Aborted once a replacement waits for the answer. */
  readonly urgent: AbortSignal;
  /** Aborted when no submission waits for the lease any more. */
  readonly signal: AbortSignal;
  readonly promise: Promise<LeaseAnswer>;
  answered = false;
  readonly #store: UncheckedLeaseStore;
  #resolve!: (answer: LeaseAnswer) => void;
  #reject!: (error: unknown) => void;

  constructor(store: UncheckedLeaseStore, request: LeaseRequest) {
    this.#store = store;
    this.request = request;
    this.urgent = request.urgent;
    this.signal = request.signal;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  grant(): FakeLease {
    const lease = this.#store.make(this.request.slot);
    this.answer(lease);
    return lease;
  }
  /** Answers that another process holds the lease. */
  deny(): void {
    this.answer(null);
  }
  /** Answers that a later replacement in another process took the place of the one that waits. */
  supersede(): void {
    this.answer('superseded');
  }
  /** Answers with any value, because a store may be wrong. */
  answer(value: unknown): void {
    this.#end();
    this.#resolve(value as Lease);
  }
  fail(error: unknown): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    if (this.answered) return;
    this.answered = true;
    this.#store.leave(this.request.slot);
  }
}

/**
 * What `acquire` returns. It may be a thenable of the test. `undefined` stands for the promise of
 * the ask. An error thrown here is thrown by the store.
 */
type Respond = (ask: Ask) => unknown;

/** Each request waits until the test or `respond` answers it. Misuse is listed in `violations`. */
export class UncheckedLeaseStore implements SlotLeases {
  readonly asks: Ask[] = [];
  readonly leases: FakeLease[] = [];
  /** The calls in their order: `acquire s`, `release s 1`, `close`. */
  readonly calls: string[] = [];
  respond: Respond;
  /** How a release ends. It ends at once if this returns nothing. */
  onRelease: (lease: FakeLease) => void | Promise<void> = () => {};
  onClose: () => Promise<void> = async () => {};
  /** What each new lease has beside its fence. */
  fields: Pick<Lease, 'held' | 'graceMs' | 'confirm'> = {};
  /** A test in which bodies are given up: the library asks again while it holds their lease. */
  givesUpBodies = false;
  readonly violations: string[] = [];
  readonly #inside = new Set<string>();
  readonly #fences = new Map<string, bigint>();

  constructor(respond: Respond = () => undefined) {
    this.respond = respond;
  }

  get acquires(): number {
    return this.asks.length;
  }
  get releases(): number {
    return this.calls.filter((call) => call.startsWith('release')).length;
  }
  /** The last request. */
  get ask(): Ask {
    const ask = this.asks.at(-1);
    if (ask === undefined) throw new Error('no lease was requested');
    return ask;
  }
  /** The last granted lease. */
  get lease(): FakeLease {
    const lease = this.leases.at(-1);
    if (lease === undefined) throw new Error('no lease was granted');
    return lease;
  }
  held(slot: string): FakeLease | undefined {
    return this.leases.findLast((lease) => lease.slot === slot && lease.state === 'held');
  }

  acquire(request: LeaseRequest): LeaseAnswer | Promise<LeaseAnswer> {
    const { slot } = request;
    this.calls.push(`acquire ${slot}`);
    this.#enter(slot, 'acquire');
    if (!this.givesUpBodies && this.held(slot) !== undefined)
      this.violations.push(`acquire ${slot} while its lease is held`);
    const ask = new Ask(this, request);
    this.asks.push(ask);
    let inTurn: unknown;
    try {
      inTurn = this.respond(ask);
    } catch (error) {
      this.leave(slot);
      throw error;
    }
    if (inTurn === undefined) return ask.promise;
    if (typeof inTurn !== 'object' || inTurn === null || !('then' in inTurn)) ask.answer(inTurn);
    return inTurn as Lease;
  }

  async close(): Promise<void> {
    this.calls.push('close');
    await this.onClose();
  }

  /** Makes a lease without granting it. */
  make(slot: string): FakeLease {
    const fence = (this.#fences.get(slot) ?? 0n) + 1n;
    this.#fences.set(slot, fence);
    const lease = Object.assign(new FakeLease(slot, fence, (own) => this.#release(own)), this.fields);
    this.leases.push(lease);
    return lease;
  }

  /** Adds a check of S2: when the body starts, the lease of its slot is held with `ctx.fence`. */
  guard<T>(body: TaskBody<T>): TaskBody<T> {
    return (ctx) => {
      const held = this.held(ctx.slot);
      if (held?.fence !== ctx.fence) this.violations.push(`a body with fence ${ctx.fence}, held is ${held?.fence}`);
      return body(ctx);
    };
  }

  /** Marks the call for this slot as ended. */
  leave(slot: string): void {
    this.#inside.delete(slot);
  }

  #enter(slot: string, call: string): void {
    if (this.#inside.has(slot)) this.violations.push(`${call} ${slot} during another call for it`);
    this.#inside.add(slot);
  }

  /** Releases of bodies that were given up may overlap another call. */
  #release(lease: FakeLease): void | Promise<void> {
    const { slot, fence, state } = lease;
    this.calls.push(`release ${slot} ${fence}`);
    if (state === 'released') this.violations.push(`a second release of ${slot} ${fence}`);
    lease.state = 'released';
    if (this.givesUpBodies) return this.onRelease(lease);
    this.#enter(slot, 'release');
    let done: void | Promise<void>;
    try {
      done = this.onRelease(lease);
    } catch (error) {
      this.leave(slot);
      throw error;
    }
    if (done === undefined) this.leave(slot);
    else
      done.then(
        () => this.leave(slot),
        () => this.leave(slot),
      );
    return done;
  }
}

/** As {@link UncheckedLeaseStore}. Misuse by the library fails the test at its end. */
export class FakeLeaseStore extends UncheckedLeaseStore {
  constructor(respond?: Respond) {
    super(respond);
    onTestFinished(() => expect(this.violations).toEqual([]));
  }

  /** A store that grants each lease in the turn after its request. */
  static granting(): FakeLeaseStore {
    return new FakeLeaseStore((ask) => void ask.grant());
  }
}

/** A valid lease, in which `fields` replace or add properties. */
export const leaseWith = (fields: object = {}): Lease => ({
  fence: 1n,
  lost: new AbortController().signal,
  release: () => {},
  ...fields,
});
