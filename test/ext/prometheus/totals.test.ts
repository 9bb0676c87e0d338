// In random worlds, with scrapes at random moments: what is scraped is what `stats()` says, and no
// counter ever goes down.

import fc from 'fast-check';
import { Registry } from 'prom-client';
import { type AdmissionPolicy, type Stats, Supervisor, type TaskContext } from 'slotvisor';
import { prometheus } from 'slotvisor/prometheus';
import { VirtualClock } from 'slotvisor/testing';
import { expect, test } from 'vitest';
import { OUTCOME_KINDS } from '../../../src/model/outcome.ts';
import { keyOf } from './exposition.ts';
import { Scrape } from './scrape.ts';

type Ends = 'value' | 'error' | 'timeout' | 'late' | 'killed' | 'stop';

type Action =
  | { readonly do: 'submit'; readonly slot: string; readonly admission: AdmissionPolicy; readonly ends: Ends }
  | { readonly do: 'scrape' | 'pause' | 'resume' | 'shutdown' }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'cancel'; readonly slot: string };

const slots = fc.constantFrom('sync:1', 'sync:2', 'mail:1');

const actions = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('submit' as const),
        slot: slots,
        admission: fc.constantFrom('queue', 'replace', 'keepLatest', 'join', 'dropIfRunning'),
        ends: fc.constantFrom('value', 'error', 'timeout', 'late', 'killed', 'stop'),
      }),
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 40 }) }) },
    { weight: 4, arbitrary: fc.constant({ do: 'scrape' as const }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), slot: slots }) },
    { weight: 1, arbitrary: fc.constantFrom({ do: 'pause' as const }, { do: 'resume' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'shutdown' as const }) },
  ),
  { minLength: 10, maxLength: 60 },
);

class World {
  readonly #clock = new VirtualClock();
  readonly #register = new Registry();
  readonly #supervisor = new Supervisor({
    clock: this.#clock,
    concurrency: 2,
    slotDefaults: { queueLimit: 2 },
    limits: { pending: 4 },
  });
  #last = new Map<string, number>();
  scrapes = 0;

  constructor() {
    this.#supervisor.subscribe(() => {}, { capacity: 1 }); // it loses events
    prometheus(this.#supervisor, { register: this.#register });
  }

  async act(action: Action): Promise<void> {
    switch (action.do) {
      case 'submit':
        if (this.#supervisor.phase === 'open') this.#submit(action.slot, action.admission, action.ends);
        return;
      case 'advance':
        return this.#clock.advance(action.ms);
      case 'cancel':
        void this.#supervisor.slot(action.slot).cancel();
        return;
      case 'pause':
      case 'resume':
        return this.#supervisor[action.do]();
      case 'shutdown':
        void this.#supervisor.shutdown({ graceMs: 20 });
        return;
      case 'scrape':
        return this.scrape();
    }
  }

  #submit(slot: string, admission: AdmissionPolicy, ends: Ends): void {
    const wait = (ms: number) => new Promise<void>((resolve) => this.#clock.setTimer(ms, resolve));
    const body = async (ctx: TaskContext) => {
      if (ends === 'error') throw new Error('no');
      if (ends === 'late' || ends === 'killed') return wait(60);
      await ctx.sleep(ends === 'value' ? 3 : 30);
    };
    this.#supervisor.submit({
      slot,
      admission,
      maxRetries: 1,
      backoff: { firstMs: 5, jitter: 'none' },
      graceMs: 10,
      onOverrun: ends === 'late' ? 'abandon' : 'hold',
      timeoutMs: ends === 'timeout' ? 5 : Infinity,
      run: ends === 'killed' ? { run: body, kill: () => {} } : body,
    });
  }

  async scrape(): Promise<void> {
    const page = this.#register.metrics(); // it reads all values before it returns
    const stats = this.#supervisor.stats();
    const scrape = new Scrape(await page);
    this.scrapes += 1;
    expect(countsOf(scrape)).toEqual(countsIn(stats));
    expect(scrape.value('slotvisor_tasks_abandoned', { supervisor: 'default' })).toBe(stats.abandonedAlive);
    expect(scrape.value('slotvisor_slots', { supervisor: 'default' })).toBe(stats.slotCount);
    expect(scrape.value('slotvisor_open', { supervisor: 'default' })).toBe(stats.phase === 'open' ? 1 : 0);
    this.#checkHistograms(scrape, stats);
    this.#checkThatNothingFell(scrape);
  }

  /** Every attempt has waited, and every attempt that has ended has lasted. */
  #checkHistograms(scrape: Scrape, stats: Stats): void {
    const sum = (name: string): number =>
      scrape.families
        .flatMap(({ samples }) => samples)
        .filter((sample) => sample.name === name)
        .reduce((total, { value }) => total + value, 0);
    expect(sum('slotvisor_attempt_wait_seconds_count')).toBe(stats.totals.attempts);
    expect(sum('slotvisor_attempt_duration_seconds_count')).toBeLessThanOrEqual(stats.totals.attempts);
    if (stats.bodies === 0 && stats.owners === 0)
      expect(sum('slotvisor_attempt_duration_seconds_count')).toBe(stats.totals.attempts);
  }

  #checkThatNothingFell({ families }: Scrape): void {
    const now = new Map<string, number>();
    for (const { type, samples } of families)
      if (type !== 'gauge') for (const { name, labels, value } of samples) now.set(name + keyOf(labels), value);
    for (const [series, value] of this.#last) expect(now.get(series), series).toBeGreaterThanOrEqual(value);
    this.#last = now;
  }

  async end(): Promise<void> {
    void this.#supervisor.shutdown({ graceMs: 20 });
    await this.#clock.advance(1_000);
    await this.scrape();
  }
}

const countsOf = (scrape: Scrape) => ({
  ...Object.fromEntries(
    ['submissions', 'attempts', 'retries', 'overruns', 'events_dropped'].map((id) => [
      id,
      scrape.value(`slotvisor_${id}_total`, { supervisor: 'default' }),
    ]),
  ),
  outcomes: scrape.values('slotvisor_outcomes_total', 'outcome'),
  rejections: scrape.values('slotvisor_rejections_total', 'reason'),
  failures: scrape.values('slotvisor_attempt_failures_total', 'kind'),
  tasks: scrape.values('slotvisor_tasks', 'state'),
});

const countsIn = ({ totals, rejections, failures, tasks, eventsDropped }: Stats) => ({
  submissions: totals.submitted,
  attempts: totals.attempts,
  retries: totals.retries,
  overruns: totals.overruns,
  events_dropped: eventsDropped,
  outcomes: Object.fromEntries(OUTCOME_KINDS.map((kind) => [kind, totals[kind]])),
  rejections: { ...rejections },
  failures: { ...failures },
  tasks: { ...tasks },
});

test('every scrape says what stats() says, and no counter ever goes down', async () => {
  let scrapes = 0;
  await fc.assert(
    fc.asyncProperty(actions, async (plan) => {
      const world = new World();
      for (const action of plan) await world.act(action as Action);
      await world.end();
      scrapes += world.scrapes;
    }),
    { numRuns: 150 },
  );
  expect(scrapes).toBeGreaterThan(600);
});
