// A lease store that calls the library from inside every one of its callbacks, and whose leases
// change in any way while they are read.

import {
  ClosedError,
  type Lease,
  type LeaseAnswer,
  type LeaseRequest,
  type SlotLeases,
  type Submission,
  type Supervisor,
  type TaskContext,
} from 'slotvisor';
import { seededRandom, type VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES } from '../../../src/model/settings.ts';
import { setup } from '../../support/setup.ts';

const RESTARTS = ['never', 'onFailure', 'always'] as const;
const SLOTS = ['a', 'b'] as const;

/** One run of the library against the store. */
class World {
  readonly random: () => number;
  readonly faults: string[] = [];
  readonly all: Submission[] = [];
  /** Each answers a request. */
  pending: (() => void)[] = [];
  readonly bodies: { readonly ctx: TaskContext; end(): void }[] = [];
  readonly steps: (() => unknown)[];
  readonly clock: VirtualClock;
  readonly supervisor: Supervisor;
  /** How deep the store's callbacks are nested. */
  #depth = 0;
  #fence = 0n;
  calm = false;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    const { supervisor, clock } = setup({ leases: this.store, defaults: { graceMs: 20 } });
    this.supervisor = supervisor;
    this.clock = clock;
    const one = (): Submission | undefined => this.pick(this.all);
    const slot = () => this.supervisor.slot(this.pick(SLOTS) ?? 'a');
    this.steps = [
      () => this.submit(),
      () => this.submit(),
      () => this.submit(),
      () => one()?.cancel(),
      () => one()?.restart(),
      () => slot().cancel(),
      () => slot().pause(),
      () => slot().resume(),
      () => slot().resume(),
      () => this.supervisor.pause(),
      () => this.supervisor.resume(),
      () => slot().view(),
      () => this.supervisor.tasks(),
      () => this.pick(this.bodies)?.ctx.canceled,
      () => this.pick(this.bodies)?.ctx.ensureOwned(),
    ];
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.random() * from.length)];
  }

  step(): void {
    try {
      void this.pick(this.steps)?.();
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
    }
  }

  /** Called by every callback of the store. */
  reenter(): void {
    if (this.calm || this.#depth > 2 || this.random() < 0.6) return;
    this.#depth += 1;
    this.step();
    this.#depth -= 1;
  }

  submit(): void {
    if (this.all.length > 300) return;
    const restart = this.pick(RESTARTS);
    const submission = this.supervisor.submit({
      slot: this.pick(SLOTS) ?? 'a',
      admission: this.pick(ADMISSION_POLICIES),
      restart,
      ...(restart === 'always' && { intervalMs: 5 }),
      ...(restart !== 'never' && { maxRetries: 3, backoff: { firstMs: 5 } }),
      onShutdown: this.random() < 0.3 ? 'finish' : 'stop',
      shutdownStage: this.random() < 0.3 ? 1 : 0,
      onOverrun: this.random() < 0.3 ? 'abandon' : 'hold',
      ...(restart !== 'never' && { retryIf: () => this.retryIf() }),
      run: (ctx) => this.body(ctx),
    });
    this.all.push(submission);
  }

  retryIf(): boolean {
    this.reenter();
    return true;
  }

  /** More bodies than owners, without those that were given up. */
  checkBodies(): void {
    const { owners, abandonedAlive } = this.supervisor.snapshot();
    const alive = this.bodies.length - abandonedAlive;
    if (alive > owners) this.faults.push(`${alive} bodies, and ${owners} owners`);
  }

  body(ctx: TaskContext): Promise<void> {
    const owner = this.supervisor.slot(ctx.slot).view().owner;
    if (owner?.status !== 'running') this.faults.push(`a body began in ${ctx.slot}, and its owner is ${owner?.status}`);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.bodies.splice(this.bodies.indexOf(body), 1);
        if (this.random() < 0.5) resolve();
        else reject(new Error('failed'));
      };
      const body = { ctx, end };
      this.bodies.push(body);
      this.checkBodies();
    });
  }

  lease(slot: string): Lease {
    const world = this;
    const lost = new AbortController();
    const revoked = new AbortController();
    this.#fence += this.random() < 0.05 ? 0n : 1n;
    let released = false;
    const chance = (p: number): boolean => !this.calm && this.random() < p;
    return {
      fence: this.#fence,
      lost: lost.signal,
      revoked: revoked.signal,
      graceMs: this.pick([0, 5, 1_000]),
      get held() {
        world.reenter();
        if (chance(0.03)) lost.abort();
        if (chance(0.03)) revoked.abort();
        return !chance(0.05);
      },
      get contended() {
        world.reenter();
        if (chance(0.1)) lost.abort();
        return chance(0.3);
      },
      async confirm() {
        world.reenter();
        return !chance(0.2);
      },
      release: () => {
        if (released) world.faults.push(`a second release of ${slot}`);
        released = true;
        world.reenter();
        if (chance(0.2)) throw new Error('no release');
        return chance(0.5) ? Promise.resolve() : undefined;
      },
    };
  }

  readonly store: SlotLeases = {
    acquire: (request) => {
      this.reenter();
      this.watch(request);
      const { slot, urgent } = request;
      const answer = (): LeaseAnswer => {
        if (this.calm || this.random() < 0.8) return this.lease(slot);
        return urgent.aborted ? 'superseded' : null;
      };
      if (!this.calm && this.random() < 0.1) throw new Error('down');
      if (this.calm || this.random() < 0.5) return answer();
      return new Promise((resolve) => {
        this.pending.push(() => resolve(answer()));
      });
    },
  };

  watch(request: LeaseRequest): void {
    request.signal.addEventListener('abort', () => this.reenter());
    request.urgent.addEventListener('abort', () => this.reenter());
  }

  answer(): void {
    const pending = this.pending.splice(0);
    for (const settle of pending)
      if (this.calm || this.random() < 0.7) settle();
      else this.pending.push(settle);
  }
}

/** Plays random steps for a while. */
async function play(world: World, clock: VirtualClock, steps: number): Promise<void> {
  for (let n = 0; n < steps; n += 1) {
    world.step();
    if (world.random() < 0.4) world.pick(world.bodies)?.end();
    if (world.random() < 0.5) world.answer();
    await (world.random() < 0.2 ? clock.advance(10) : clock.settle());
    world.checkBodies();
  }
}

/** Every submission has its outcome, and nothing is left. */
async function expectTheEnd(world: World, clock: VirtualClock): Promise<void> {
  const { supervisor } = world;
  world.answer();
  await clock.settle();
  expect(world.faults).toEqual([]);
  const outcomes = await Promise.all(world.all.map((one) => one.outcome));
  const { submitted, completed, failed, canceled, rejected, abandoned } = supervisor.snapshot().totals;
  expect(completed + failed + canceled + rejected + abandoned).toBe(submitted);
  expect(outcomes).toHaveLength(submitted);
  expect(supervisor.snapshot()).toMatchObject({ owners: 0, queued: 0, abandonedAlive: 0 });
  expect(clock.timers).toBe(0);
}

describe('a store that calls the library from inside every callback', () => {
  test('breaks no promise (S1, S3, S6, S8, S10)', async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const world = new World(seed);
      const { supervisor, clock } = world;
      await play(world, clock, 120);
      world.calm = true;
      supervisor.resume();
      for (const slot of SLOTS) supervisor.slot(slot).resume();
      for (const one of world.all) void one.cancel();
      for (let n = 0; n < 400 && (supervisor.tasks().length > 0 || world.bodies.length > 0); n += 1) {
        world.answer();
        for (const body of [...world.bodies]) body.end();
        await clock.advance(10);
      }
      await expectTheEnd(world, clock);
      expect(supervisor.snapshot().slots).toEqual([]);
    }
  });

  test('does not hold up a shutdown (S3, S7)', async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const world = new World(seed);
      const { supervisor, clock } = world;
      await play(world, clock, 60);
      const reports: unknown[] = [];
      const shutdown = (): void =>
        void supervisor.shutdown({ graceMs: Math.floor(world.random() * 60) }).then((report) => reports.push(report));
      shutdown();
      world.steps.push(shutdown);
      await play(world, clock, 40);
      await clock.advance(30_000);
      expect([reports.length > 0, clock.timers]).toEqual([true, 0]);
      world.calm = true;
      for (const body of [...world.bodies]) body.end();
      await clock.settle();
      await expectTheEnd(world, clock);
    }
  });
});
