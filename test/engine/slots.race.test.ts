// Random interleavings. Bodies end, commands are called and time passes in every order that a
// random scheduler draws, also in the middle of the library's own turns. The invariants are checked
// on the history afterwards.

import fc from 'fast-check';
import { type Outcome, type Submission, Supervisor } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES, type AdmissionPolicy } from '../../src/model/settings.ts';
import { RUNS, SEED } from '../support/effort.ts';

interface Plan {
  readonly slot: string;
  readonly admission: AdmissionPolicy;
  readonly ends: 'value' | 'error' | 'errorOnce';
  readonly heedsStop: boolean;
  readonly afterwards: 'nothing' | 'cancel' | 'restart' | 'cancelSlot' | 'pause' | 'shutdown';
  /** Microtasks between the drawn moment and the call. */
  readonly hops: number;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  slot: fc.constantFrom('a', 'a', 'b'),
  admission: fc.constantFrom('queue' as const, ...ADMISSION_POLICIES),
  ends: fc.constantFrom('value', 'value', 'error', 'errorOnce'),
  heedsStop: fc.boolean(),
  afterwards: fc.oneof(
    { weight: 12, arbitrary: fc.constant('nothing' as const) },
    { weight: 8, arbitrary: fc.constantFrom('cancel' as const, 'restart' as const) },
    { weight: 3, arbitrary: fc.constantFrom('cancelSlot' as const, 'pause' as const) },
    { weight: 1, arbitrary: fc.constant('shutdown' as const) },
  ),
  hops: fc.nat(4),
});

interface Entry {
  readonly plan: Plan;
  readonly submission: Submission<string>;
  readonly outcomes: Outcome<string>[];
  calls: number;
  alive: number;
  calledAfterOutcome: boolean;
}

class World {
  readonly clock = new VirtualClock();
  readonly supervisor = new Supervisor({ clock: this.clock, shutdownGraceMs: 1_000 });
  readonly entries: Entry[] = [];
  /** The owners, in the order in which their first bodies began. */
  readonly begun: Entry[] = [];
  readonly overlaps: string[] = [];
  shutdownBegan = false;
  startedAfterShutdown = 0;
  readonly #alive = new Map<string, number>();
  readonly #scheduler: fc.Scheduler;

  constructor(scheduler: fc.Scheduler) {
    this.#scheduler = scheduler;
  }

  async play(given: Plan): Promise<void> {
    await this.#moment(given.hops);
    if (this.supervisor.snapshot().phase !== 'open') return;
    const entry = this.#submit(given);
    if (given.afterwards === 'nothing') return;
    await this.#moment(given.hops);
    this.#act(entry);
  }

  async #moment(hops: number): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve());
    for (let hop = 0; hop < hops; hop += 1) await undefined;
  }

  #submit(given: Plan): Entry {
    const submission = this.supervisor.submit({
      slot: given.slot,
      admission: given.admission,
      backoff: { firstMs: 5, jitter: 'none' },
      maxRetries: 1,
      run: (ctx) => {
        const work = this.#call(entry, ctx.attempt);
        return given.heedsStop
          ? ctx.untilCanceled(work).finally(() => this.#bodyEnded(entry))
          : work.finally(() => this.#bodyEnded(entry));
      },
    });
    const entry: Entry = { plan: given, submission, outcomes: [], calls: 0, alive: 0, calledAfterOutcome: false };
    this.entries.push(entry);
    void submission.outcome.then((outcome) => entry.outcomes.push(outcome));
    return entry;
  }

  #call(entry: Entry, attempt: number): Promise<string> {
    const { slot, ends } = entry.plan;
    const alive = (this.#alive.get(slot) ?? 0) + 1;
    this.#alive.set(slot, alive);
    if (alive > 1) this.overlaps.push(slot);
    if (entry.calls === 0) this.begun.push(entry);
    if (this.shutdownBegan) this.startedAfterShutdown += 1;
    entry.calls += 1;
    entry.calledAfterOutcome ||= entry.outcomes.length > 0;
    const fails = ends === 'error' || (ends === 'errorOnce' && attempt === 1);
    return this.#scheduler.schedule(Promise.resolve()).then(() => {
      if (fails) throw new Error('own');
      return entry.submission.id;
    });
  }

  #bodyEnded({ plan: { slot } }: Entry): void {
    this.#alive.set(slot, (this.#alive.get(slot) ?? 0) - 1);
  }

  #act({ plan: { slot, afterwards }, submission }: Entry): void {
    switch (afterwards) {
      case 'cancel':
        void submission.cancel();
        return;
      case 'restart':
        submission.restart();
        return;
      case 'cancelSlot':
        void this.supervisor.slot(slot).cancel();
        return;
      case 'pause':
        this.supervisor.slot(slot).pause();
        void this.#moment(1).then(() => this.supervisor.slot(slot).resume());
        return;
      case 'shutdown':
        this.shutdownBegan = true;
        void this.supervisor.shutdown();
        return;
      case 'nothing':
    }
  }

  /** Runs until the scheduler has nothing to draw and no timer is set. */
  async rest(): Promise<void> {
    do {
      await this.#scheduler.waitIdle();
      await this.clock.settle();
    } while (this.#scheduler.count() > 0 || (await this.clock.next()));
  }
}

function check({ entries, begun, overlaps, startedAfterShutdown, supervisor, clock }: World): void {
  const wrong: string[] = overlaps.map((slot) => `two bodies alive on ${slot} (S1)`);
  if (startedAfterShutdown > 0) wrong.push('a body began after the shutdown (S7)');
  for (const { plan: given, submission, outcomes, calls, calledAfterOutcome } of entries) {
    const [outcome] = outcomes;
    const label = `${submission.id} ${given.admission} ${given.slot}`;
    if (outcome === undefined || outcomes.length > 1) wrong.push(`${label}: ${outcomes.length} outcomes (S3)`);
    if (outcome === undefined) continue;
    // A canceled owner that others joined has its outcome at once. The body goes on for the others.
    const isDetached = outcome.kind === 'canceled' && given.afterwards === 'cancel';
    if (calledAfterOutcome && !isDetached) wrong.push(`${label}: called after its outcome`);
    if (outcome.kind === 'rejected' && calls > 0) wrong.push(`${label}: rejected, and called`);
    const hasOwnBody = submission.admission !== 'joined';
    if (hasOwnBody && outcome.kind === 'completed' && outcome.value !== submission.id)
      wrong.push(`${label}: the value of another`);
    if (hasOwnBody && outcome.kind !== 'rejected' && outcome.attempts !== calls && given.afterwards !== 'cancel')
      wrong.push(`${label}: ${outcome.attempts} attempts reported, ${calls} made`);
    if (outcome.kind === 'failed' && given.ends !== 'error' && hasOwnBody)
      wrong.push(`${label}: failed without a failed attempt`);
    if (outcome.kind === 'abandoned' || outcome.kind === 'killed' || outcome.kind === 'fatal')
      wrong.push(`${label}: ${outcome.kind}`);
  }
  for (const slot of ['a', 'b']) {
    const queued = begun.filter(({ plan: given }) => given.slot === slot && given.admission === 'queue');
    const order = queued.map((entry) => entries.indexOf(entry));
    if (order.some((at, i) => i > 0 && at < (order[i - 1] as number)))
      wrong.push(`a queued submission was overtaken on ${slot} (S4)`);
  }
  const { slots, queued, running } = supervisor.snapshot();
  if (slots.length + queued + running > 0) wrong.push('work is left (S10)');
  if (clock.timers > 0) wrong.push(`${clock.timers} timers left`);
  expect(wrong).toEqual([]);
}

describe('in every order of events', () => {
  test(
    `a slot has one live body (S1), each submission one outcome (S3), the queue keeps its order (S4) and no work is left (S10): ${RUNS.schedules} schedules, seed ${SEED}`,
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.scheduler(), fc.array(plan, { minLength: 2, maxLength: 6 }), async (scheduler, plans) => {
          const world = new World(scheduler);
          for (const given of plans) void world.play(given);
          await world.rest();
          check(world);
        }),
        { numRuns: RUNS.schedules, seed: SEED },
      );
    },
    RUNS.timeoutMs,
  );
});
