// Random worlds: a few processes, a few slots, every policy, and every fault of processes and of
// the network. What must hold is checked with every body and every step.

import type { AdmissionPolicy } from 'slotvisor';
import { seededRandom } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { RUNS, SEED } from '../../support/effort.ts';
import { FleetWorld, TTL_MS } from '../../support/fleet-world.ts';
import type { FrozenProcess } from '../../support/frozen-process.ts';

const WORLDS = RUNS.sequences / 10;
const STEPS = 60;
const POLICIES: readonly AdmissionPolicy[] = ['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'];
const OPERATIONS = ['open', 'beat', 'acquire', 'release', 'withdraw', 'holdings', 'end', 'listen'] as const;
const FAULTS = ['failBefore', 'failAfter', 'twice'] as const;

class Script {
  readonly world: FleetWorld;
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.world = new FleetWorld(this.#random, 3);
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)] as T;
  }
  #alive(): FrozenProcess | undefined {
    return this.#pick(this.world.processes.filter(({ isFrozen }) => !isFrozen));
  }

  async step(): Promise<void> {
    const process = this.#alive();
    const dice = this.#random();
    if (process === undefined || dice < 0.3) await this.world.pass(this.#random() * TTL_MS * 0.4);
    else if (dice < 0.75) this.#submit(process);
    else if (dice < 0.8) void process.supervisor.cancel(this.#pick(this.world.submissions)?.id ?? 'none');
    else await this.#fault(process);
  }

  #submit(process: FrozenProcess): void {
    const { world } = this;
    if (process.supervisor.phase !== 'open') return;
    const isResident = this.#random() < 0.3;
    const submission = process.supervisor.submit({
      slot: this.#pick(['a', 'b', 'c']),
      admission: this.#pick(POLICIES),
      ...(isResident ? { restart: 'always', intervalMs: 200 } : { restart: this.#pick(['never', 'onFailure']) }),
      deadlineMs: TTL_MS * 8,
      run: world.body(process, this.#random() * 2_000),
    });
    void submission.outcome.then(() => {});
    world.submissions.push(submission);
  }

  async #fault(process: FrozenProcess): Promise<void> {
    const { world } = this;
    const { clock } = world;
    const later = (ms: number, act: () => void) => void clock.setTimer(ms, act);
    switch (this.#pick(['freeze', 'cut', 'plan', 'plan', 'news', 'step', 'kill', 'shutdown', 'hang'])) {
      case 'freeze':
        process.freeze();
        later(this.#random() * 2 * TTL_MS, () => void process.thaw(() => Promise.resolve()));
        return;
      case 'cut':
        process.store.cut(true);
        later(this.#random() * 1.6 * TTL_MS, () => process.isDead || process.store.cut(false));
        return;
      case 'plan':
        process.store.plan(this.#pick(OPERATIONS), this.#pick(FAULTS), { times: 1 + Math.floor(this.#random() * 3) });
        return;
      case 'hang':
        process.store.plan(this.#pick(OPERATIONS), this.#pick(['hangBefore', 'hangAfter']));
        later(this.#random() * TTL_MS, () => process.store.letGo());
        return;
      case 'news':
        process.store.news = this.#pick(['pass', 'lost', 'doubled', 'held']);
        later(this.#random() * TTL_MS, () => process.store.deliverNews());
        return;
      case 'step':
        world.fleet.stepClock((this.#random() - 0.5) * 4 * TTL_MS);
        return;
      case 'kill':
        process.kill();
        world.start();
        return;
      case 'shutdown':
        void process.supervisor.shutdown({ graceMs: 2_000 });
        world.start();
    }
  }

  /** Mends everything, lets the work end, and ends the processes. */
  async end(): Promise<void> {
    const { world } = this;
    for (const process of world.processes) {
      if (process.isDead) continue;
      process.store.cut(false);
      process.store.clearPlans();
      process.store.news = 'pass';
      if (process.isFrozen) await process.thaw(() => world.clock.settle());
      process.store.letGo();
    }
    await world.pass(TTL_MS * 10);
    const living = world.processes.filter(({ isDead }) => !isDead);
    const ends = living.map(({ supervisor }) => supervisor.shutdown({ graceMs: 2_000 }));
    await world.pass(10_000);
    await Promise.all(ends);
    await world.pass(TTL_MS * 3);
  }
}

describe('processes that share slots', () => {
  test(`run at most one body a slot, in ${WORLDS} random worlds under faults, and leave nothing behind (seed ${SEED})`, async () => {
    let bodies = 0;
    for (let n = 1; n <= WORLDS; n += 1) {
      const script = new Script(SEED * 1_000_000 + n);
      const { world } = script;
      for (let step = 0; step < STEPS; step += 1) {
        await script.step();
        await world.clock.settle();
        world.fleet.check();
        expect(world.violations, `seed ${n}, step ${step}`).toEqual([]);
      }
      await script.end();
      expect(world.violations, `seed ${n}`).toEqual([]);
      for (const process of world.processes.filter(({ isDead }) => !isDead)) {
        expect(process.supervisor.phase, `seed ${n}`).toBe('closed');
        expect(process.clock.timers, `timers of seed ${n}`).toBe(0);
      }
      const alive = world.processes.filter(({ isDead }) => !isDead);
      const open = world.submissions.filter(({ status }) => status !== 'ended').length;
      expect(open === 0 || alive.length < world.processes.length, `seed ${n}: ${open} have not ended`).toBe(true);
      bodies += world.bodies;
    }
    expect(bodies).toBeGreaterThan(WORLDS * 10);
  });
});
