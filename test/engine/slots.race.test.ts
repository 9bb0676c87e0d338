// Random interleavings: bodies end, commands come and time passes in every order that a scheduler can draw, also in the middle of the
// library's own turns. What must hold is looked for in the history afterwards.

import fc from 'fast-check';
import { type Outcome, type Submission, Supervisor } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { RUNS, SEED } from '../support/effort.ts';

interface Plan {
  readonly slot: string;
  readonly admission: 'queue' | 'replace' | 'dropIfRunning' | 'keepLatest' | 'join';
  readonly ends: 'value' | 'error' | 'errorOnce';
  readonly heeds: boolean;
  readonly afterwards: 'nothing' | 'cancel' | 'restart' | 'cancelSlot' | 'pause' | 'shutdown';
  /** Microtasks between the moment that was drawn and the call. */
  readonly hops: number;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  slot: fc.constantFrom('a', 'a', 'b'),
  admission: fc.constantFrom('queue', 'queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'),
  ends: fc.constantFrom('value', 'value', 'error', 'errorOnce'),
  heeds: fc.boolean(),
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
  readonly supervisor = new Supervisor({ clock: this.clock, graceMs: 1_000 });
  readonly entries: Entry[] = [];
  /** The leaders, in the order in which their first bodies began. */
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
        return given.heeds
          ? ctx.untilCanceled(work).finally(() => this.#leave(entry))
          : work.finally(() => this.#leave(entry));
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

  #leave({ plan: { slot } }: Entry): void {
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

  /** Until nothing is left to draw and no timer is left to fire. */
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
    const who = `${submission.id} ${given.admission} ${given.slot}`;
    if (outcome === undefined || outcomes.length > 1) wrong.push(`${who}: ${outcomes.length} outcomes (S3)`);
    if (outcome === undefined) continue;
    // A leader that leaves those who joined it has its outcome at once; the work goes on for them.
    const left = outcome.kind === 'canceled' && given.afterwards === 'cancel';
    if (calledAfterOutcome && !left) wrong.push(`${who}: called after its outcome`);
    if (outcome.kind === 'rejected' && calls > 0) wrong.push(`${who}: rejected, and called`);
    const own = submission.admission !== 'joined';
    if (own && outcome.kind === 'completed' && outcome.value !== submission.id) wrong.push(`${who}: another's value`);
    if (own && outcome.kind !== 'rejected' && outcome.attempts !== calls && given.afterwards !== 'cancel')
      wrong.push(`${who}: ${outcome.attempts} attempts told, ${calls} made`);
    if (outcome.kind === 'failed' && given.ends !== 'error' && own) wrong.push(`${who}: failed without failing`);
    if (outcome.kind === 'abandoned' || outcome.kind === 'killed' || outcome.kind === 'fatal')
      wrong.push(`${who}: ${outcome.kind}`);
  }
  for (const slot of ['a', 'b']) {
    const inLine = begun.filter(({ plan: given }) => given.slot === slot && given.admission === 'queue');
    const order = inLine.map((entry) => entries.indexOf(entry));
    if (order.some((at, i) => i > 0 && at < (order[i - 1] as number))) wrong.push(`overtaken on ${slot} (S4)`);
  }
  const { slots, queued, running } = supervisor.snapshot();
  if (slots.length + queued + running > 0) wrong.push('work is left (S10)');
  if (clock.timers > 0) wrong.push(`${clock.timers} timers left`);
  expect(wrong).toEqual([]);
}

describe('whatever the order in which things happen', () => {
  test(
    `${RUNS.schedules} schedules: one body a slot, one outcome each, in line, nothing left (seed ${SEED})`,
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
