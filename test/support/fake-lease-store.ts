// A lease store on the other side of a network, as the test wants it. It answers when it is told to, and watches how it is used.

import type { Lease, LeaseRequest, SlotLeases, TaskBody } from 'slotvisor';
import { expect, onTestFinished } from 'vitest';

/** A lease as this store hands it out. */
export class FakeLease implements Lease {
  readonly slot: string;
  readonly fence: bigint;
  contended = false;
  state: 'held' | 'released' | 'lost' = 'held';
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

  /** It ran out, or the store went away. */
  lose(): void {
    this.state = 'lost';
    this.#lost.abort();
  }

  /** Somebody elsewhere wants to replace whoever owns the slot. */
  revoke(): void {
    this.#revoked.abort();
  }

  release(): void | Promise<void> {
    return this.#released(this);
  }
}

/** One call of `acquire`. It is over once it is answered; a second answer changes nothing. */
export class Ask {
  readonly request: LeaseRequest;
  /** Lives as long as the call: what the store sees of "nobody waits any more". */
  readonly signal: AbortSignal;
  readonly promise: Promise<Lease | null>;
  answered = false;
  readonly #store: FakeLeaseStore;
  #resolve!: (answer: Lease | null) => void;
  #reject!: (error: unknown) => void;

  constructor(store: FakeLeaseStore, request: LeaseRequest) {
    this.#store = store;
    this.request = request;
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
  /** Held elsewhere. */
  deny(): void {
    this.answer(null);
  }
  /** Whatever it is: a store may be wrong. */
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

/** What `acquire` returns, a thenable of the test's own included; `undefined`: the promise of the ask. A throw is the store's. */
type Respond = (ask: Ask) => unknown;

/** Every request waits until the test answers it, unless `respond` does. Misuse by the library fails the test at its end. */
export class FakeLeaseStore implements SlotLeases {
  readonly asks: Ask[] = [];
  readonly leases: FakeLease[] = [];
  /** In the order of the calls: `acquire s`, `release s 1`, `close`. */
  readonly calls: string[] = [];
  respond: Respond;
  /** How a release ends; at once if it returns nothing. */
  onRelease: (lease: FakeLease) => void | Promise<void> = () => {};
  onClose: () => Promise<void> = async () => {};
  readonly violations: string[] = [];
  readonly #inside = new Set<string>();
  readonly #fences = new Map<string, bigint>();

  constructor(respond: Respond = () => undefined) {
    this.respond = respond;
    onTestFinished(() => expect(this.violations).toEqual([]));
  }

  /** Grants in the turn after the request. */
  static granting(): FakeLeaseStore {
    return new FakeLeaseStore((ask) => void ask.grant());
  }

  get acquires(): number {
    return this.asks.length;
  }
  get releases(): number {
    return this.calls.filter((call) => call.startsWith('release')).length;
  }
  /** The request that was made last. */
  get ask(): Ask {
    const ask = this.asks.at(-1);
    if (ask === undefined) throw new Error('nothing has been asked for');
    return ask;
  }
  /** The lease that was granted last. */
  get lease(): FakeLease {
    const lease = this.leases.at(-1);
    if (lease === undefined) throw new Error('nothing has been granted');
    return lease;
  }
  held(slot: string): FakeLease | undefined {
    return this.leases.find((lease) => lease.slot === slot && lease.state === 'held');
  }

  acquire(request: LeaseRequest): Promise<Lease | null> | Lease | null {
    const { slot } = request;
    this.calls.push(`acquire ${slot}`);
    this.#enter(slot, 'acquire');
    if (this.held(slot) !== undefined) this.violations.push(`acquire ${slot} while its lease is held`);
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

  /** A lease that is not an answer yet. */
  make(slot: string): FakeLease {
    const fence = (this.#fences.get(slot) ?? 0n) + 1n;
    this.#fences.set(slot, fence);
    const lease = new FakeLease(slot, fence, (own) => this.#release(own));
    this.leases.push(lease);
    return lease;
  }

  /** The body, with a check of S2 before it: whoever starts holds the lease of its slot, and knows its fence. */
  guard<T>(body: TaskBody<T>): TaskBody<T> {
    return (ctx) => {
      const held = this.held(ctx.slot);
      if (held?.fence !== ctx.fence) this.violations.push(`a body with fence ${ctx.fence}, held is ${held?.fence}`);
      return body(ctx);
    };
  }

  /** The call for this slot has ended. */
  leave(slot: string): void {
    this.#inside.delete(slot);
  }

  #enter(slot: string, call: string): void {
    if (this.#inside.has(slot)) this.violations.push(`${call} ${slot} during another call for it`);
    this.#inside.add(slot);
  }

  #release(lease: FakeLease): void | Promise<void> {
    const { slot, fence, state } = lease;
    this.calls.push(`release ${slot} ${fence}`);
    this.#enter(slot, 'release');
    if (state !== 'held') this.violations.push(`release of ${slot} ${fence}, which is ${state}`);
    lease.state = 'released';
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
