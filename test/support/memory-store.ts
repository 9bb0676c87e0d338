// A lease store in memory, shared by several processes of one test. Its engine has a clock of its
// own, which can be stepped. Each process has a network of its own, which can fail.

import type { Clock } from 'slotvisor';
import type {
  AskAnswer,
  FleetLook,
  HeldSlot,
  LeaseAsk,
  LeaseNews,
  LeasePulse,
  LeaseStore,
  LookAsk,
} from 'slotvisor/fleet';
import { FaultyStore } from '../../src/testing/faulty-store.ts';
import { MemoryEngine } from './memory-engine.ts';

type Hear = (news: LeaseNews) => void;

export class MemoryFleet {
  readonly engine: MemoryEngine;
  readonly #clock: Clock;
  readonly #hearers = new Map<string, Set<Hear>>();
  #stepMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.engine = new MemoryEngine(
      () => clock.now() + this.#stepMs,
      (session, news) => {
        for (const hear of this.#hearers.get(session) ?? []) hear(news);
      },
    );
  }

  /** The store as one process sees it. */
  store(): MemoryStore {
    return new MemoryStore(new ProcessStore(this.#clock, this.engine, this.#hearers));
  }

  /** Sets the clock of the store, forward or back. Timers do not change. */
  stepClock(ms: number): void {
    this.#stepMs += ms;
  }

  /** No session, no slot and no place in line is stored. */
  get isEmpty(): boolean {
    return this.engine.isEmpty;
  }

  /** The session that holds the slot, as far as the store knows. */
  holderOf(slot: string): string | undefined {
    return this.engine.holderOf(slot);
  }

  /** Throws unless the tables of the store agree. */
  check(): void {
    this.engine.check();
  }
}

/** The store as one process sees it, with the faults of a {@link FaultyStore}. */
export class MemoryStore extends FaultyStore {
  readonly #process: ProcessStore;

  constructor(process: ProcessStore) {
    super(process);
    this.#process = process;
  }

  /**
   * How long a call takes, half of it each way, and twice as long as news take. 0: each way takes a
   * microtask.
   */
  get latencyMs(): number {
    return this.#process.latencyMs;
  }
  set latencyMs(ms: number) {
    this.#process.latencyMs = ms;
  }
}

class ProcessStore implements LeaseStore {
  latencyMs = 0;
  readonly #clock: Clock;
  readonly #engine: MemoryEngine;
  readonly #hearers: Map<string, Set<Hear>>;

  constructor(clock: Clock, engine: MemoryEngine, hearers: Map<string, Set<Hear>>) {
    this.#clock = clock;
    this.#engine = engine;
    this.#hearers = hearers;
  }

  open(session: string, name: string, ttlMs: number): Promise<void> {
    return this.#call(() => this.#engine.open(session, ttlMs, name));
  }
  beat(session: string, waiting: readonly string[]): Promise<LeasePulse | null> {
    return this.#call(() => this.#engine.beat(session, waiting));
  }
  acquire(session: string, ask: LeaseAsk): Promise<AskAnswer> {
    return this.#call(() => this.#engine.acquire(session, ask));
  }
  release(session: string, held: HeldSlot): Promise<void> {
    return this.#call(() => this.#engine.release(session, held));
  }
  withdraw(session: string, slot: string): Promise<void> {
    return this.#call(() => this.#engine.withdraw(session, slot));
  }
  holdings(session: string, slot?: string): Promise<ReadonlyMap<string, bigint>> {
    return this.#call(() => this.#engine.holdings(session, slot));
  }
  look(session: string | undefined, ask: LookAsk): Promise<FleetLook> {
    return this.#call(() => this.#engine.look(session, ask));
  }
  end(session: string): Promise<void> {
    return this.#call(() => this.#engine.end(session));
  }
  listen(session: string, hear: Hear): Promise<() => void> {
    let isOver = false;
    const onNews = (news: LeaseNews): void => {
      void this.#travel().then(() => isOver || hear(news));
    };
    return this.#call(() => {
      const hearers = this.#hearers.get(session) ?? new Set();
      this.#hearers.set(session, hearers.add(onNews));
      return () => {
        isOver = true;
        hearers.delete(onNews);
        if (hearers.size === 0 && this.#hearers.get(session) === hearers) this.#hearers.delete(session);
      };
    });
  }
  isPermanent(): boolean {
    return false;
  }
  async close(): Promise<void> {}

  async #call<T>(work: () => T): Promise<T> {
    await this.#travel();
    const answer = work();
    await this.#travel();
    return answer;
  }

  #travel(): Promise<void> {
    if (this.latencyMs === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#clock.setTimer(this.latencyMs / 2, resolve));
  }
}
