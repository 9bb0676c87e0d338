// One process of a fleet, in virtual time: a supervisor with its lease store. It can be frozen, as
// by SIGSTOP: time passes, and none of its code runs. It can be killed.

import { type Clock, Supervisor } from 'slotvisor';
import { type FleetLeases, type FleetOptions, fleetLeases, type LeaseNews, type LeaseStore } from 'slotvisor/fleet';
import type { MemoryFleet, MemoryStore } from './memory-store.ts';

/** A clock whose timers wait while its process is frozen. */
class ProcessClock implements Clock {
  readonly #inner: Clock;
  readonly #late = new Set<() => void>();
  isFrozen = false;
  timers = 0;

  constructor(inner: Clock) {
    this.#inner = inner;
  }
  now(): number {
    return this.#inner.now();
  }
  wallNow(): number {
    return this.#inner.wallNow();
  }
  setTimer(ms: number, fire: () => void): () => void {
    let isSet = true;
    const end = (): void => {
      if (!isSet) return;
      isSet = false;
      this.timers -= 1;
    };
    const run = (): void => {
      if (!isSet) return;
      end();
      fire();
    };
    this.timers += 1;
    const stop = this.#inner.setTimer(Math.max(0, ms), () => {
      if (this.isFrozen) this.#late.add(run);
      else run();
    });
    return () => {
      end();
      stop();
    };
  }
  thaw(): void {
    this.isFrozen = false;
    const late = [...this.#late];
    this.#late.clear();
    for (const run of late) run();
  }
}

export class FrozenProcess {
  readonly clock: ProcessClock;
  readonly store: MemoryStore;
  readonly leases: FleetLeases;
  readonly supervisor: Supervisor;
  readonly errors: unknown[] = [];
  isDead = false;
  /** How often it was frozen. */
  freezes = 0;
  #thawed: (() => void)[] = [];

  constructor(fleet: MemoryFleet, clock: Clock, random: () => number, options: FleetOptions) {
    this.clock = new ProcessClock(clock);
    this.store = fleet.store();
    this.leases = fleetLeases(this.#gated(this.store), {
      ...options,
      clock: this.clock,
      onTrouble: (error) => this.errors.push(error),
    });
    this.supervisor = new Supervisor({ clock: this.clock, leases: this.leases, random, warnings: false });
  }

  get isFrozen(): boolean {
    return this.clock.isFrozen;
  }
  freeze(): void {
    this.clock.isFrozen = true;
    this.freezes += 1;
  }
  /** What came over the network is taken first, and timers are late: the worst order. */
  async thaw(settle: () => Promise<void>): Promise<void> {
    if (this.isDead) return;
    this.clock.isFrozen = false;
    for (const go of this.#thawed.splice(0)) go();
    await settle();
    if (!this.isFrozen) this.clock.thaw();
  }
  kill(): void {
    this.isDead = true;
    this.freeze();
    this.store.cut(true);
  }

  #gated(store: LeaseStore): LeaseStore {
    const wait = async <T>(call: Promise<T>): Promise<T> => {
      try {
        return await call;
      } finally {
        await this.#whenThawed();
      }
    };
    const hearing = (hear: (news: LeaseNews) => void) => (news: LeaseNews) => {
      if (this.isFrozen) void this.#whenThawed().then(() => hear(news));
      else hear(news);
    };
    return {
      open: (session, name, ttlMs) => wait(store.open(session, name, ttlMs)),
      beat: (session, waiting) => wait(store.beat(session, waiting)),
      acquire: (session, ask) => wait(store.acquire(session, ask)),
      release: (session, held) => wait(store.release(session, held)),
      withdraw: (session, slot) => wait(store.withdraw(session, slot)),
      holdings: (session, slot) => wait(store.holdings(session, slot)),
      look: (session, ask) => wait(store.look(session, ask)),
      end: (session) => wait(store.end(session)),
      listen: (session, hear, broken) => wait(store.listen(session, hearing(hear), broken)),
      isPermanent: (error) => store.isPermanent(error),
      close: () => wait(store.close()),
    };
  }

  async #whenThawed(): Promise<void> {
    while (this.isFrozen) await new Promise<void>((resolve) => this.#thawed.push(resolve));
  }
}
