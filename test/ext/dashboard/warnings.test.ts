import { type Supervisor, type SupervisorOptions, slotGroup, type TaskSpec } from 'slotvisor';
import { describe, expect, it } from 'vitest';
import { readEventQuery } from '../../../src/ext/dashboard/params.ts';
import { readSlotQuery } from '../../../src/ext/dashboard/query.ts';
import { Recorder } from '../../../src/ext/dashboard/recorder.ts';
import { Sweeper } from '../../../src/ext/dashboard/sweep.ts';
import { type Look, warningsOf } from '../../../src/ext/dashboard/warnings.ts';
import { type Link, type ScheduleRunRow, WARNING_KINDS, type Warning } from '../../../src/ext/dashboard/wire.ts';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { type Setup, setup } from '../../support/setup.ts';

const forever: TaskSpec['run'] = (ctx) => ctx.sleep(Infinity);
const deaf = (): Promise<void> => new Promise(() => {});
const fail = (): Promise<never> => Promise.reject(new Error('upstream answered 503'));
const history = { events: 100, notable: 100, problems: 10, slots: 10, attempts: 10, minutes: 10 };
const often = (count: number, make: (i: number) => void): void => {
  for (let i = 0; i < count; i += 1) make(i);
};

function watched(options: SupervisorOptions = {}) {
  const made = setup(options);
  const { supervisor, clock } = made;
  const recorder = new Recorder(supervisor, { history, groupOf: slotGroup }, clock);
  const sweeper = new Sweeper(supervisor, { groupOf: slotGroup }, clock);
  return { ...made, recorder, sweeper };
}

async function found(made: ReturnType<typeof watched>, more: Partial<Look> = {}): Promise<Warning[]> {
  const { supervisor, recorder, sweeper } = made;
  const tally = await sweeper.tally(0);
  const process = { loopDelayMs: 20 };
  const warnings = warningsOf({
    stats: supervisor.stats(),
    tally,
    recorder,
    process,
    schedules: [],
    ...more,
  });
  for (const one of warnings)
    if (one.link.view === 'slots') expect([one.kind, await shownBy(sweeper, one)]).toEqual([one.kind, one.count]);
    else if (one.kind === 'turnedAway')
      expect(recorder.events(readEventQuery(paramsOf(one.link))).events).toHaveLength(one.count);
  return warnings;
}

const paramsOf = (link: Link) => new URLSearchParams(link as Record<string, string>);

/** How many slots the link of a warning shows. */
async function shownBy(sweeper: Sweeper, { link }: Warning): Promise<number> {
  const { total } = await sweeper.page(readSlotQuery(paramsOf(link)), 0);
  return total;
}

const texts = (warnings: readonly Warning[]): string[] => warnings.map(({ kind, text }) => `${kind}: ${text}`);

interface World extends Partial<Look> {
  readonly options?: () => SupervisorOptions;
  readonly plant: (made: Setup, count: number) => Promise<unknown> | undefined;
  readonly one: readonly string[];
  readonly three: readonly string[];
}

const backoff = (ms: number) => ({ backoff: { firstMs: ms, maxMs: ms, jitter: 'none' as const } });
const submit = (supervisor: Supervisor, count: number, spec: Partial<TaskSpec>): void =>
  often(count, (i) => supervisor.submit({ slot: `sync:${i}`, run: forever, ...spec } as TaskSpec));

const WORLDS: Readonly<Record<string, World>> = {
  'bodies that overran their grace': {
    plant: async ({ supervisor, clock }, count) => {
      submit(supervisor, count, { run: deaf, graceMs: 1_000 });
      await clock.settle();
      often(count, (i) => void supervisor.slot(`sync:${i}`).cancel());
      await clock.advance(8_000);
    },
    one: ['overrun: 1 body has overrun its grace, for 7 s, asked to stop by slot: sync:0'],
    three: [
      'overrun: 3 bodies have overrun their grace, the longest for 7 s, asked to stop by slot: sync:0, sync:1, sync:2',
    ],
  },
  'tasks that fail again and again': {
    plant: async ({ supervisor, clock }, count) => {
      submit(supervisor, count, { run: fail, ...backoff(100) });
      submit(supervisor, 20, { slot: 'fine', run: forever });
      await clock.advance(450);
    },
    one: ['failing: 1 task in sync has failed 5 times or more in a row'],
    three: ['failing: 3 tasks in sync have failed 5 times or more in a row'],
  },
  'long waits for a retry': {
    plant: async ({ supervisor, clock }, count) => {
      submit(supervisor, count, { run: fail, ...backoff(300_000) });
      await clock.advance(1_000);
    },
    one: ['longPause: 1 task is in backoff, and its next try is 4 min 59 s away'],
    three: ['longPause: 3 tasks are in backoff, and the last of the next tries is 4 min 59 s away'],
  },
  'work that waits for long': {
    plant: async ({ supervisor, clock }, count) => {
      often(2, () => submit(supervisor, count, {}));
      await clock.advance(60_001);
    },
    one: ['waiting: 1 slot has work that waits, for 1 min'],
    three: ['waiting: 3 slots have work that waits, the longest for 1 min'],
  },
  'paused slots with work': {
    plant: async ({ supervisor, clock }, count) => {
      often(count, (i) => supervisor.slot(`sync:${i}`).pause());
      submit(supervisor, count, {});
      await clock.advance(10);
    },
    one: ['pausedWithWork: 1 slot is paused, and 1 submission waits there: sync:0'],
    three: ['pausedWithWork: 3 slots are paused, and 3 submissions wait there: sync:0, sync:1, sync:2'],
  },
  'submissions that are turned away': {
    options: () => ({ slotDefaults: { queueLimit: 0 } }),
    plant: async ({ supervisor, clock }, count) => {
      supervisor.submit({ slot: 'sync', run: forever });
      often(count, () => supervisor.submit({ slot: 'sync', run: forever }));
      often(5, () => supervisor.submit({ slot: 'sync', admission: 'dropIfRunning', run: forever }));
      await clock.advance(1_000);
    },
    one: ['turnedAway: 1 submission was turned away in the last 5 min, because of queueFull'],
    three: ['turnedAway: 3 submissions were turned away in the last 5 min, because of queueFull'],
  },
  'a gate that is full': {
    options: () => ({ concurrency: 2 }),
    plant: async ({ supervisor, clock }, count) => {
      submit(supervisor, count + 2, {});
      await clock.advance(12_000);
    },
    one: ['gate: 1 slot waits at the gate, for 12 s: concurrency is 2, and no place is free'],
    three: ['gate: 3 slots wait at the gate, the longest for 12 s: concurrency is 2, and no place is free'],
  },
  'a rate that is too low': {
    options: () => ({ rate: { limit: 1, intervalMs: 3_600_000 } }),
    plant: async ({ supervisor, clock }, count) => {
      submit(supervisor, count + 1, {});
      await clock.advance(12_000);
    },
    one: ['gate: 1 slot waits at the gate, for 12 s'],
    three: ['gate: 3 slots wait at the gate, the longest for 12 s'],
  },
  'a supervisor that is paused': {
    plant: async ({ supervisor, clock }, count) => {
      supervisor.pause();
      submit(supervisor, count, {});
      await clock.advance(5);
    },
    one: ['gate: The supervisor is paused, and no attempt begins until resume(): 1 slot waits'],
    three: ['gate: The supervisor is paused, and no attempt begins until resume(): 3 slots wait'],
  },
  'leases that do not come': {
    options: () => ({ leases: new FakeLeaseStore() }),
    plant: async ({ supervisor, clock }, count) => {
      often(2, () => submit(supervisor, count, {}));
      await clock.advance(12_000);
    },
    one: ['lease: 1 slot waits for its lease, for 12 s'],
    three: ['lease: 3 slots wait for their leases, the longest for 12 s'],
  },
  'abandoned bodies': {
    plant: async ({ supervisor, clock }, count) => {
      submit(supervisor, count, { run: deaf, graceMs: 10, onOverrun: 'abandon' });
      await clock.settle();
      often(count, (i) => void supervisor.slot(`sync:${i}`).cancel());
      await clock.advance(20);
    },
    one: ['abandoned: 1 abandoned body has not ended'],
    three: ['abandoned: 3 abandoned bodies have not ended'],
  },
  'vital slots that are dead': {
    plant: async ({ supervisor, clock }, count) => {
      submit(supervisor, count, { run: fail, restart: 'never', vital: true });
      supervisor.submit({ slot: 'alive', vital: true, run: forever });
      await clock.settle();
    },
    one: ['dead: 1 vital slot is dead: sync:0'],
    three: ['dead: 3 vital slots are dead: sync:0, sync:1, sync:2'],
  },
  'a shutdown': {
    plant: async ({ supervisor, clock }, count) => {
      submit(supervisor, count, { run: deaf });
      await clock.settle();
      void supervisor.shutdown();
      await clock.advance(1_000);
    },
    one: ['closing: A shutdown has begun, and 1 slot is left'],
    three: ['closing: A shutdown has begun, and 3 slots are left'],
  },
};

describe('what needs a look', () => {
  it.each(Object.entries(WORLDS))('is found, counted as its link shows it, and said well: %s', async (_, world) => {
    for (const [count, expected] of [
      [1, world.one],
      [3, world.three],
    ] as const) {
      const made = watched(world.options?.());
      await world.plant(made, count);
      const warnings = await found(made);
      expect(texts(warnings)).toEqual(expected);
      expect(warnings.map((one) => one.count)).toEqual([count]);
    }
  });

  it('is nothing in a healthy world', async () => {
    const made = watched({ concurrency: 50 });
    const { supervisor, clock } = made;
    submit(supervisor, 20, { vital: true });
    supervisor.submit({ slot: 'poll', restart: 'always', intervalMs: 3_600_000, run: () => {} });
    supervisor.submit({ slot: 'flaky', run: fail, ...backoff(30_000) });
    await clock.advance(59_000);
    often(20, (i) =>
      supervisor.submit({ slot: `sync:${i}`, admission: i % 2 === 0 ? 'queue' : 'dropIfRunning', run: forever }),
    );
    supervisor.slot('idle').pause();
    void supervisor.slot('sync:1').cancel();
    await clock.advance(20_000);
    const fleet = {};
    expect(texts(await found(made, { fleet }))).toEqual([]);
  });

  it('names groups while at most three are failing, the largest first', async () => {
    const made = watched();
    const { supervisor, clock } = made;
    const plant = (slot: string): void => void supervisor.submit({ slot, run: fail, ...backoff(10) });
    for (const slot of ['a:1', 'b:1', 'b:2', 'c:1']) plant(slot);
    await clock.advance(100);
    expect((await found(made)).map(({ link, count }) => [link.group, count])).toEqual([
      ['b', 2],
      ['a', 1],
      ['c', 1],
    ]);
    plant('d:1');
    await clock.advance(100);
    expect(texts(await found(made))).toEqual(['failing: 5 tasks have failed 5 times or more in a row']);
  });

  it('names three slots, and how many more there are', async () => {
    const made = watched();
    submit(made.supervisor, 5, { run: fail, restart: 'never', vital: true });
    await made.clock.settle();
    expect(texts(await found(made))).toEqual(['dead: 5 vital slots are dead: sync:0, sync:1, sync:2, 2 more']);
  });

  it('of the paused slots names those in which work waits', async () => {
    const made = watched();
    const { supervisor } = made;
    for (const slot of ['a', 'b', 'c', 'd']) supervisor.slot(slot).pause();
    supervisor.submit({ slot: 'd', run: forever });
    await made.clock.settle();
    expect(texts(await found(made))).toEqual(['pausedWithWork: 4 slots are paused, and 1 submission waits there: d']);
  });

  it('in a fleet that is known is a lost lease, and not a lease that another process has', async () => {
    const leases = new FakeLeaseStore();
    const made = watched({ leases });
    const { supervisor, clock } = made;
    supervisor.submit({ slot: 'a', run: forever });
    await clock.settle();
    leases.ask.grant();
    supervisor.submit({ slot: 'b', run: forever });
    await clock.settle();
    leases.leases[0]?.lose();
    await clock.advance(12_000);
    const both = 'lease: 2 slots wait for their leases, the longest for 12 s';
    expect(texts(await found(made))).toEqual([both]);
    const lost = 'lease: 1 slot has lost its lease, and waits for another one, for 12 s';
    expect(texts(await found(made, { fleet: {} }))).toEqual([lost]);
  });

  it('ends when it is over', async () => {
    const made = watched({ slotDefaults: { queueLimit: 0 } });
    const { supervisor, clock } = made;
    supervisor.submit({ slot: 'a', run: forever });
    supervisor.submit({ slot: 'a', run: forever });
    supervisor.pause();
    await clock.advance(1_000);
    expect((await found(made)).map(({ kind }) => kind)).toEqual(['turnedAway', 'gate']);
    supervisor.resume();
    await clock.advance(301_000);
    expect(await found(made)).toEqual([]);
  });

  it('is a supervisor that is closed, or is paused without work', async () => {
    const made = watched();
    made.supervisor.pause();
    expect(texts(await found(made))).toEqual(['gate: The supervisor is paused, and no attempt begins until resume()']);
    made.supervisor.resume();
    void made.supervisor.shutdown();
    await made.clock.advance(1);
    expect(texts(await found(made))).toEqual(['closing: The supervisor is closed']);
  });

  it('is a slow event loop', async () => {
    const made = watched();
    expect(texts(await found(made, { process: { loopDelayMs: 200 } }))).toEqual([]);
    expect(texts(await found(made, { process: { loopDelayMs: 1_234 } }))).toEqual([
      'loopDelay: The event loop was held up for 1.2 s in the last second',
    ]);
  });

  it('is a subscriber that has lost events in the last five minutes', async () => {
    const made = watched();
    const { supervisor, clock, recorder } = made;
    supervisor.subscribe(() => new Promise(() => {}), { capacity: 1 });
    submit(supervisor, 1, { restart: 'never', run: () => {} });
    await clock.advance(1_000);
    recorder.sample(0);
    const { eventsDropped } = supervisor.stats();
    const text = `eventsDropped: A subscriber was too slow, and ${eventsDropped} events were lost since the start`;
    await clock.advance(300_000);
    expect(texts(await found(made))).toEqual([text]);
    recorder.sample(0);
    await clock.advance(1);
    expect(texts(await found(made))).toEqual([]);
  });

  it('is a schedule that did not run its last date, or whose dates cannot be read', async () => {
    const made = watched();
    const run = (kind: ScheduleRunRow['kind']): ScheduleRunRow => ({ kind, at: 0 });
    const fine = { name: 'fine', runs: [run('missed'), run('submitted')] };
    const bad = ['a', 'b', 'c'].map((name) => ({ name, runs: [run('submitted'), run('missed')] }));
    const broken = [
      { name: 'd', runs: [run('error')] },
      { name: 'e', runs: [], error: 'no date' },
    ];
    expect(texts(await found(made, { schedules: [fine, { name: 'new', runs: [] }] }))).toEqual([]);
    expect(texts(await found(made, { schedules: [fine, ...bad.slice(0, 1)] }))).toEqual([
      'schedule: 1 schedule did not run its last date: a',
    ]);
    const [many] = await found(made, { schedules: [fine, ...bad, ...broken] });
    expect(many).toMatchObject({
      count: 5,
      text: '5 schedules did not run their last date: a, b, c, 2 more',
      link: { view: 'schedules' },
    });
  });

  it('is a store of the fleet that cannot be read', async () => {
    const [one] = await found(watched(), { fleet: { error: 'no connection' } });
    expect(one).toMatchObject({
      kind: 'fleet',
      level: 'bad',
      text: 'The store of the fleet cannot be read: no connection',
    });
  });

  it('is shown with the worst first, and has a level that follows from its kind', async () => {
    const made = watched();
    const { supervisor, clock } = made;
    submit(supervisor, 1, { run: deaf, graceMs: 10 });
    supervisor.submit({ slot: 'dead', vital: true, restart: 'never', run: fail });
    supervisor.slot('idle').pause();
    supervisor.submit({ slot: 'idle', run: forever });
    await clock.settle();
    void supervisor.slot('sync:0').cancel();
    await clock.advance(1_000);
    const fleet = { error: 'no' };
    const warnings = await found(made, { fleet, process: { loopDelayMs: 500 } });
    expect(warnings.map(({ kind, level }) => `${level} ${kind}`)).toEqual([
      'bad dead',
      'bad overrun',
      'bad fleet',
      'warn pausedWithWork',
      'warn loopDelay',
    ]);
  });

  it('says since when the oldest of its kind is so, however long ago the sweep was', async () => {
    const made = watched();
    const { supervisor, clock } = made;
    supervisor.vitalSlots();
    supervisor.submit({ slot: 'vital', vital: true, restart: 'never', run: fail });
    supervisor.submit({ slot: 'sync:1', run: fail, ...backoff(100) });
    await clock.settle();
    const begin = clock.wallNow();
    await clock.advance(10_000);
    const tally = await made.sweeper.tally(0);
    await clock.advance(3_000);
    const warnings = await found(made, { tally });
    expect(warnings.map(({ kind, since }) => [kind, since])).toEqual([
      ['dead', begin],
      ['failing', begin],
    ]);
  });

  it('has a sentence for each kind of warning', () => {
    const kinds = [
      ...Object.values(WORLDS).flatMap(({ one }) => one),
      'loopDelay:',
      'eventsDropped:',
      'schedule:',
      'fleet:',
    ];
    expect(new Set(kinds.map((text) => text.split(':')[0]))).toEqual(new Set(WARNING_KINDS));
  });

  it('cuts long texts of the caller', async () => {
    const made = watched();
    const { supervisor, clock } = made;
    supervisor.submit({ slot: 'x'.repeat(1_024), run: fail, ...backoff(10) });
    await clock.advance(100);
    const error = 'y'.repeat(10_000);
    const schedules = ['a', 'b', 'c', 'd'].map((name) => ({ name: name.repeat(1_000), runs: [], error }));
    for (const { text } of await found(made, { fleet: { error }, schedules })) expect(text.length).toBeLessThan(500);
  });
});
