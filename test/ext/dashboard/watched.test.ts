import { schedule, schedulesOf } from 'slotvisor/cron';
import { describe, expect, it } from 'vitest';
import type { SlotsPage, Summary } from '../../../src/ext/dashboard/wire.ts';
import { type World, world } from './world.ts';

const summaryOf = async ({ ask }: World, of = ''): Promise<Summary> => (await ask(`api/summary${of}`)).json as Summary;
const forever = { run: (ctx: { sleep: (ms: number) => Promise<void> }) => ctx.sleep(Infinity) };

it('a summary has the counts of the supervisor, and what a sweep has found', async () => {
  const all = world({ title: 'orders' }, { concurrency: 2 });
  const { supervisor, clock } = all;
  for (const slot of ['sync:1', 'sync:2', 'mail:1']) supervisor.submit({ slot, ...forever });
  supervisor.submit({ slot: 'sync:1', ...forever });
  supervisor.slot('paused').pause();
  await clock.settle();
  const summary = await summaryOf(all);
  const { gate, joined: _, owners: __, pending: ___, ...stats } = supervisor.stats();
  expect(summary).toMatchObject(JSON.parse(JSON.stringify({ ...stats, gate })));
  expect(summary).toMatchObject({
    now: clock.wallNow(),
    title: 'orders',
    of: 'default',
    since: clock.wallNow(),
    supervisors: [{ name: 'default', phase: 'open', slotCount: 4, warnings: 0, level: 'info' }],
    states: { running: 2, starting: 1, paused: 1, waiting: 1 },
    groupCount: 3,
    actions: [],
    views: ['slots', 'failures', 'events'],
  });
  expect(summary.groups).toContainEqual({ group: 'sync', slots: 2, waiting: 1, trouble: 0 });
  expect(summary.process.rssBytes).toBeGreaterThan(0);
});

it('a limit that is infinite is null', async () => {
  expect((await summaryOf(world())).gate.concurrency).toBeNull();
});

it('the epoch is another one after each start', async () => {
  expect((await summaryOf(world())).epoch).not.toBe((await summaryOf(world())).epoch);
});

it('the views and the actions are those that there are', async () => {
  const { views, actions } = await summaryOf(world({ schedules: () => [], actions: true, authorize: () => true }));
  expect(views).toEqual(['slots', 'failures', 'events', 'schedules']);
  expect(actions).toEqual(['cancel', 'restart', 'pause', 'resume', 'trigger']);
});

it('each of several supervisors is in the list with its warnings, whichever is looked at', async () => {
  const jobs = world();
  const all = world({}, {}, [{ name: 'jobs', supervisor: jobs.supervisor }]);
  jobs.supervisor.slot('a').pause();
  jobs.supervisor.submit({ slot: 'a', ...forever });
  const list = [
    { name: 'default', phase: 'open', slotCount: 0, warnings: 0, level: 'info' },
    { name: 'jobs', phase: 'open', slotCount: 1, warnings: 1, level: 'warn' },
  ];
  const [first, second] = [await summaryOf(all), await summaryOf(all, '?of=jobs')];
  expect([first.of, first.warnings, first.supervisors]).toEqual(['default', [], list]);
  expect([second.of, second.warnings.map(({ kind }) => kind), second.supervisors]).toEqual([
    'jobs',
    ['pausedWithWork'],
    list,
  ]);
});

it('a warning that is bad makes the supervisor bad', async () => {
  const all = world();
  void all.supervisor.submit({ slot: 'a', graceMs: 100, run: () => new Promise(() => {}) });
  await all.clock.settle();
  void all.supervisor.slot('a').cancel();
  await all.clock.advance(200);
  expect((await summaryOf(all)).supervisors).toMatchObject([{ level: 'bad' }]);
});

it('a schedule that cannot be read is a warning', async () => {
  const all = world({ schedules: schedulesOf });
  const made = schedule(all.supervisor, { everyMs: 1_000, name: 'usage', task: { slot: 'u', run: () => {} } });
  expect((await summaryOf(all)).warnings).toEqual([]);
  made.next = () => {
    throw new Error('no dates');
  };
  await all.clock.advance(10_000);
  expect((await summaryOf(all)).warnings).toMatchObject([{ kind: 'schedule', text: expect.stringContaining('usage') }]);
});

describe('the functions of the options', () => {
  it('that throw or return nonsense harm nothing', async () => {
    let calls = 0;
    const group = (): string => {
      calls += 1;
      if (calls % 2 === 0) return 5 as never;
      throw new Error('secret');
    };
    const meta = (): never => {
      throw new Error('no meta');
    };
    const all = world({ group, meta });
    for (const slot of ['a', 'b']) all.supervisor.submit({ slot, meta: { password: 'secret' }, ...forever });
    await all.clock.settle();
    expect((await summaryOf(all)).groups).toEqual([{ group: 'other', slots: 2, waiting: 0, trouble: 0 }]);
    const { text, json } = await all.ask('api/slots');
    expect((json as SlotsPage).rows[0]?.owner?.meta).toBe('[not shown: no meta]');
    expect(text).not.toContain('secret');
  });

  it('meta shows what it returns, and nothing is shown without it', async () => {
    const metaOf = async (all: World) => {
      all.supervisor.submit({ slot: 'a', meta: { tenant: 7, password: 'secret' }, ...forever });
      return ((await all.ask('api/slots')).json as SlotsPage).rows[0]?.owner?.meta;
    };
    expect(await metaOf(world({ meta: (given) => (given as { tenant: number }).tenant }))).toBe(7);
    expect(await metaOf(world())).toBeUndefined();
  });
});
