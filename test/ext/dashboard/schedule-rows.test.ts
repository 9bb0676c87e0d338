import type { TaskContext } from 'slotvisor';
import { type Schedule, type ScheduleOptions, schedule, schedulesOf } from 'slotvisor/cron';
import { describe, expect, it, test } from 'vitest';
import {
  type DashboardSchedule,
  MAX_SCHEDULES,
  Schedules,
  scheduleRow,
} from '../../../src/ext/dashboard/schedule-rows.ts';
import { Troubles } from '../../../src/ext/dashboard/troubles.ts';
import { watchEscapes } from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';

const MINUTE = 60_000;
const START = Date.UTC(2020, 0, 1);

function scheduled(options: Partial<ScheduleOptions<unknown, undefined>> = {}) {
  const all = setup();
  const task = { slot: 'report', run: () => {} };
  const made = schedule(all.supervisor, { everyMs: MINUTE, name: 'usage', task, ...options } as never) as Schedule;
  return { ...all, made };
}

/** A schedule that is made up. */
const fake = (fields: Partial<DashboardSchedule> = {}): DashboardSchedule => ({
  name: 'x',
  slot: 's',
  when: { everyMs: 1_000 },
  status: 'active',
  runs: [],
  totals: {},
  next: () => [],
  pause: () => {},
  resume: () => {},
  trigger: () => ({ id: 'id', admission: 'started', outcome: Promise.resolve() }),
  ...fields,
});

it('a row has the next three dates, the counts, and the last ten runs with their ends', async () => {
  const { made, clock } = scheduled();
  await clock.advance(12 * MINUTE);
  const row = scheduleRow(made);
  expect(row).toMatchObject({ name: 'usage', slot: 'report', when: 'every 1 min', status: 'active' });
  expect(row.next).toEqual([13, 14, 15].map((minutes) => START + minutes * MINUTE));
  expect(row.totals).toEqual({ ...made.totals });
  expect(row.runs).toHaveLength(10);
  expect(row.runs.at(-1)).toEqual({
    kind: 'submitted',
    due: START + 12 * MINUTE,
    at: START + 12 * MINUTE,
    cause: 'date',
    outcome: 'completed',
  });
  expect(JSON.parse(JSON.stringify(row))).toEqual(row);
  expect(row.error).toBeUndefined();
});

it('a run says why it was turned away, and has no outcome while it runs', async () => {
  const { made, clock } = scheduled({
    task: { slot: 'report', run: (ctx: TaskContext) => ctx.sleep(Infinity) },
  } as never);
  await clock.advance(2 * MINUTE);
  expect(scheduleRow(made).runs).toEqual([
    { kind: 'submitted', cause: 'date', due: START + MINUTE, at: START + MINUTE },
    {
      kind: 'submitted',
      cause: 'date',
      due: START + 2 * MINUTE,
      at: START + 2 * MINUTE,
      outcome: 'rejected',
      reason: 'slotBusy',
    },
  ]);
});

it('dates that were missed, and errors, are runs too', async () => {
  const runs = [
    { kind: 'missed', due: new Date(5), at: new Date(6), count: 3 },
    { kind: 'elsewhere', due: new Date(7), at: new Date(8) },
    { kind: 'error', at: new Date(9), error: new Error('no zone') },
  ];
  expect(scheduleRow(fake({ runs })).runs).toEqual([
    { kind: 'missed', due: 5, at: 6, count: 3 },
    { kind: 'elsewhere', due: 7, at: 8 },
    { kind: 'error', at: 9, text: 'no zone' },
  ]);
});

describe('the dates as a text:', () => {
  const rows: readonly [when: object, text: string][] = [
    [{ cron: '30 2 * * *', timezone: 'Europe/Berlin' }, '30 2 * * * (Europe/Berlin)'],
    [{ cron: '* * * * *' }, '* * * * * (local time)'],
    [{ everyMs: 1_000 }, 'every 1 s'],
    [{ everyMs: 90_061_001 }, 'every 1 d 1 h 1 min 1 s 1 ms'],
    [{ everyMs: 0.5 }, 'every 0.5 ms'],
    [{ at: new Date(START) }, 'once, at 2020-01-01T00:00:00.000Z'],
    [{}, 'by its own calendar'],
  ];
  for (const [when, text] of rows) test(text, () => expect(scheduleRow(fake({ when })).when).toBe(text));
});

describe('what a schedule throws is in its row, and the rest of the row is there:', () => {
  const fails = (): never => {
    throw new Error('broken');
  };
  for (const name of ['name', 'slot', 'when', 'status', 'runs', 'totals'] as const)
    test(name, () => {
      const row = scheduleRow(Object.defineProperty(fake(), name, { get: fails }));
      expect(row.error).toBe('broken');
      expect(row).toMatchObject(name === 'name' ? { slot: 's' } : { name: 'x' });
    });
  test('next', () =>
    expect(scheduleRow(fake({ next: fails }))).toMatchObject({ name: 'x', next: [], error: 'broken' }));
  test('everything', () => {
    const row = scheduleRow(new Proxy({}, { get: fails }) as DashboardSchedule);
    expect(row).toMatchObject({ name: '', error: expect.stringMatching(/^broken; /) });
  });
  test('nothing at all is given', () => expect(scheduleRow(undefined as never).error).toContain('undefined'));
});

describe('a schedule that gives odd things has a row that is JSON:', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const odd: readonly [name: string, fields: Record<string, unknown>][] = [
    ['another status', { status: 5n }],
    ['runs that are no list', { runs: { slice: () => ({ map: () => cycle }) } }],
    ['a run of another kind', { runs: [{ kind: 5n, at: 5n }, { kind: cycle }, null] }],
    ['counts that are no numbers', { totals: { submitted: Number.NaN, missed: 5n } }],
    ['dates that are none', { next: () => [5n, Number.NaN, cycle] }],
    ['more dates than it was asked for', { next: () => Array.from({ length: 1_000 }, () => 5) }],
  ];
  for (const [name, fields] of odd)
    test(name, () => {
      const row = scheduleRow(fake(fields));
      const { status, runs, totals, next } = JSON.parse(JSON.stringify(row)) as typeof row;
      expect(status).toBe('active');
      expect(runs.every(({ kind }) => typeof kind === 'string')).toBe(true);
      expect(Object.values(totals)).toEqual([]);
      expect(next.length).toBeLessThanOrEqual(3);
    });
});

describe('the schedules of a supervisor', () => {
  it('are those that are live, and a broken one does not hide the others', () => {
    const { supervisor, clock, made } = scheduled();
    const broken = fake({
      next: () => {
        throw new Error('broken');
      },
    });
    const schedules = new Schedules(() => [broken, ...schedulesOf(supervisor)], clock, new Troubles());
    expect(schedules.list()).toEqual([broken, made]);
    expect(schedules.rows(0).map(({ name, error }) => [name, error])).toEqual([
      ['x', 'broken'],
      ['usage', undefined],
    ]);
  });

  it('are none where the option throws, which is a warning of the process', async () => {
    const escapes = watchEscapes();
    const { clock } = setup();
    for (const given of [
      () => {
        throw new Error('x');
      },
      () => 5,
      () => undefined,
    ])
      expect(new Schedules(given as never, clock, new Troubles()).rows(0)).toEqual([]);
    expect(await escapes.stop()).toEqual(['warning', 'warning', 'warning']);
  });

  it('are none where promises are given, and a rejection of one does not end the process', async () => {
    const escapes = watchEscapes();
    const rejects = (): never => Promise.reject(new Error('x')) as never;
    const { clock } = setup();
    for (const given of [rejects, () => [fake({ next: rejects })], () => [fake({ status: rejects() })]])
      new Schedules(given, clock, new Troubles()).rows(0);
    expect(await escapes.stop()).toEqual(['warning']);
  });

  it('are bounded, also if there is no end of them', () => {
    function* endless() {
      for (;;) yield fake();
    }
    expect(new Schedules(endless, setup().clock, new Troubles()).list()).toHaveLength(MAX_SCHEDULES);
  });

  it('are read again when the rows are too old, and later where that took long', () => {
    const { clock } = setup();
    let reads = 0;
    let tookMs = 0;
    const schedules = new Schedules(
      () => {
        reads += 1;
        clock.block(tookMs);
        return [];
      },
      clock,
      new Troubles(),
    );
    const readsAfter = (ms: number): number => {
      clock.block(ms);
      schedules.rows(1_000);
      return reads;
    };
    expect([readsAfter(0), readsAfter(999), readsAfter(1)]).toEqual([1, 1, 2]);
    tookMs = 100;
    expect([readsAfter(1_000), readsAfter(1_999), readsAfter(1)]).toEqual([3, 3, 4]);
  });
});
