// What a conformance case works with: sessions of several processes, time that passes, and errors
// that say what was expected.

import { randomUUID } from 'node:crypto';
import { inspect, isDeepStrictEqual } from 'node:util';
import type { AskAnswer, AskMode, FleetLook, LeaseNews, LeasePulse, LeaseStore } from '../ext/fleet/index.ts';
import type { ConformanceRule, LeaseWorld } from './lease-world.ts';

/** For sessions that expire in no case, however slow the machine is. */
const PATIENT_TTL_MS = 120_000;
/** How many ttls a case waits for what a store does at once, or after some ttls. */
const PATIENCE_TTLS = 60;
const POLL_MS = 10;

/** A case, before it has a world to run in. */
export interface Case {
  readonly name: string;
  readonly rule: ConformanceRule;
  run(world: CaseWorld): Promise<void>;
}

/** @throws Error that names the claim, if it is not true. */
export function claim(isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Error(what);
}

/** @throws Error with both values, if they differ. */
export function expectSame(what: string, got: unknown, expected: unknown): void {
  claim(isDeepStrictEqual(got, expected), `${what} must be ${inspect(expected)}, got ${inspect(got)}`);
}

export class CaseWorld {
  readonly ttlMs: number;
  readonly world: LeaseWorld;
  readonly #sessions: CaseSession[] = [];
  readonly #ends: (() => Promise<unknown>)[] = [];

  constructor(world: LeaseWorld, ttlMs: number) {
    this.world = world;
    this.ttlMs = ttlMs;
  }

  /** The store as one more process sees it. It is closed at the end of the case. */
  store(): LeaseStore {
    const store = this.world.store();
    this.atEnd(() => store.close());
    return store;
  }

  /** Does this at the end of the case, also if that fails. */
  atEnd(end: () => Promise<unknown>): void {
    this.#ends.push(end);
  }

  /** A session of one more process. It listens to its news. */
  async session({
    ttlMs = PATIENT_TTL_MS,
    store = this.store(),
    name = undefined as string | undefined,
  } = {}): Promise<CaseSession> {
    const session = new CaseSession(store);
    this.#sessions.push(session);
    await session.open(ttlMs, name);
    return session;
  }

  sessions(count: number): Promise<CaseSession[]> {
    return Promise.all(Array.from({ length: count }, () => this.session()));
  }

  async pass(ms: number): Promise<void> {
    const { clock } = this.world;
    await (clock === undefined ? new Promise((resolve) => setTimeout(resolve, ms)) : clock.advance(ms));
  }

  /** Resolves after a time, while something else lets it pass. */
  sleep(ms: number): Promise<void> {
    const { clock } = this.world;
    return new Promise((resolve) => void (clock === undefined ? setTimeout(resolve, ms) : clock.setTimer(ms, resolve)));
  }

  /** Lets time pass until the check is true. */
  async until(what: string, check: () => boolean | Promise<boolean>, stepMs = POLL_MS): Promise<void> {
    const limitMs = PATIENCE_TTLS * this.ttlMs;
    const beganMs = this.#nowMs();
    while (!(await check())) {
      claim(this.#nowMs() - beganMs < limitMs, `${what}: not so within ${limitMs} ms`);
      await this.pass(stepMs);
    }
  }

  /** Lets time pass until the promise settles. */
  async settled<T>(what: string, promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const note = (): void => {
      isSettled = true;
    };
    promise.then(note, note);
    await this.until(what, () => isSettled);
    return promise;
  }

  /** Lets time pass until the check is true. Meanwhile the sessions beat. */
  async beatUntil(
    what: string,
    sessions: readonly CaseSession[],
    check: () => boolean | Promise<boolean>,
  ): Promise<void> {
    const beatAndCheck = async (): Promise<boolean> => {
      for (const session of sessions) await session.beat();
      return check();
    };
    await this.until(what, beatAndCheck, this.ttlMs / 10);
  }

  /** The end of a case that has passed: where no session is left, nothing is stored. */
  async expectEmpty(): Promise<void> {
    for (const session of this.#sessions) await session.end();
    claim(await this.world.isEmpty(), 'all sessions have ended, and the store is not empty');
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.stopListening();
    for (const end of this.#ends) await end();
    await this.world.close();
  }

  #nowMs(): number {
    return this.world.clock?.now() ?? performance.now();
  }
}

/** A session, as a process of a case uses it. */
export class CaseSession {
  readonly id = randomUUID();
  readonly store: LeaseStore;
  /** What it has heard, in order. */
  readonly heard: LeaseNews[] = [];
  stopListening: () => void = () => {};

  constructor(store: LeaseStore) {
    this.store = store;
  }

  async open(ttlMs: number, name = 'conformance'): Promise<void> {
    this.stopListening = await this.store.listen(
      this.id,
      (news) => this.heard.push(news),
      () => {},
    );
    await this.store.open(this.id, name, ttlMs);
  }

  acquire(slot: string, mode: AskMode = 'wait'): Promise<AskAnswer> {
    return this.store.acquire(this.id, { slot, mode });
  }

  /** Asks for a slot that must be granted at once. Returns the fence. */
  async take(slot: string, mode: AskMode = 'wait', contended = false): Promise<bigint> {
    const answer = await this.acquire(slot, mode);
    claim(answer.state === 'granted', `acquire with '${mode}' must be granted, got ${inspect(answer)}`);
    expectSame(`the answer to acquire with '${mode}'`, answer, { state: 'granted', fence: answer.fence, contended });
    claim(typeof answer.fence === 'bigint', `a fence must be a bigint, got ${inspect(answer.fence)}`);
    return answer.fence;
  }

  /** Asks for a slot for which the session must wait. `fence`: the holder's. */
  async wait(slot: string, fence: bigint, mode: AskMode = 'wait'): Promise<void> {
    expectSame(`the answer to acquire with '${mode}'`, await this.acquire(slot, mode), { state: 'waiting', fence });
  }

  release(slot: string, fence: bigint, contended = true): Promise<void> {
    return this.store.release(this.id, { slot, fence, contended });
  }
  withdraw(slot: string): Promise<void> {
    return this.store.withdraw(this.id, slot);
  }
  beat(...waiting: readonly string[]): Promise<LeasePulse | null> {
    return this.store.beat(this.id, waiting);
  }
  end(): Promise<void> {
    return this.store.end(this.id);
  }

  /** What a beat reports. The session must be known. */
  async pulse(...waiting: readonly string[]): Promise<LeasePulse> {
    const pulse = await this.beat(...waiting);
    claim(pulse !== null, 'the beat of a session that has not expired must not be null');
    return pulse;
  }

  /** What the store shows to the process of the session. */
  look({ q = '', limit = 200, lineLimit = 20 } = {}): Promise<FleetLook> {
    return this.store.look(this.id, { q, limit, lineLimit });
  }

  /** What the store says that the session holds. */
  async holdings(): Promise<Record<string, bigint>> {
    return Object.fromEntries(await this.store.holdings(this.id));
  }

  /** The fence with which the session holds the slot. */
  fenceOf(slot: string): Promise<bigint | undefined> {
    return this.store.holdings(this.id, slot).then((held) => held.get(slot));
  }

  /** The slot must be the session's. Returns the fence. */
  async mustHold(slot: string, who: string): Promise<bigint> {
    const fence = await this.fenceOf(slot);
    claim(fence !== undefined, `${who} must hold the slot`);
    return fence;
  }

  async mustNotHold(slot: string, who: string): Promise<void> {
    claim((await this.fenceOf(slot)) === undefined, `${who} must not hold the slot`);
  }
}
