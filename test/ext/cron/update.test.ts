// Updates: where new dates count from, what is left alone, and what is decided first.

import { ClosedError, type TaskContext } from 'slotvisor';
import { seededRandom } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { HOUR, MINUTE, SECOND, START, world } from './world.ts';

describe('an update of timezone or endAt', () => {
  for (const missed of ['skip', 'once'] as const)
    for (const paused of [false, true])
      test(`to a zone in which the date is past does not run it: ${missed}, ${paused ? 'paused' : 'active'}`, async () => {
        const { clock, make } = world(START + 6 * HOUR);
        const made = make({ cron: '0 9 * * *', timezone: 'America/New_York', missed });
        await clock.advance(14 * HOUR);
        if (paused) made.schedule.pause();
        // In the new zone it was nine o'clock three hours ago.
        made.schedule.update({ timezone: 'America/Los_Angeles' });
        made.schedule.resume();
        await clock.advance(SECOND);
        expect(made.dues).toEqual(['14:00:00']);
        expect(made.schedule.next()).toEqual([new Date(START + 41 * HOUR)]);
        expect(made.schedule.totals.missed).toBe(0);
      });

  test('to a zone in which the date is past does not run it, even before the first run', async () => {
    const { clock, make } = world(START + 6 * HOUR);
    const made = make({ cron: '0 9 * * *', timezone: 'America/New_York', missed: 'once' });
    await clock.advance(4 * HOUR);
    made.schedule.update({ timezone: 'Europe/Berlin' });
    await clock.advance(SECOND);
    expect(made.dues).toEqual([]);
    expect(made.schedule.next()).toEqual([new Date(START + 32 * HOUR)]);
  });

  test('that moves a single date slightly into the past runs it at once', async () => {
    const { clock, make } = world(START + 6 * HOUR);
    const made = make({ at: '2020-01-01T09:00', timezone: 'America/New_York' });
    await clock.advance(2 * HOUR + 30 * SECOND);
    made.schedule.update({ timezone: 'Europe/Berlin' });
    await clock.advance(SECOND);
    expect(made.dues).toEqual(['08:00:00 at 08:00:30']);
  });

  test('keeps a date that is delayed by jitter', async () => {
    const { clock, make } = world();
    const made = make({ cron: '0 * * * *', jitterMs: 40 * SECOND, random: () => 0.9 });
    await clock.advance(HOUR + 5 * SECOND);
    made.schedule.update({ endAt: '2021-01-01T00:00' });
    await clock.advance(MINUTE);
    expect(made.dues).toHaveLength(1);
    expect(made.schedule.totals).toMatchObject({ submitted: 1, missed: 0 });
  });
});

test('after the wall clock was set back, another expression has no date in the time that is shown again', async () => {
  const { clock, make } = world();
  const made = make({ cron: '0 * * * *' });
  await clock.advance(HOUR + MINUTE);
  clock.setWall(START + 15 * MINUTE);
  made.schedule.update({ cron: '20 * * * *' });
  expect(made.schedule.next()).toEqual([new Date(START + HOUR + 20 * MINUTE)]);
  await clock.advance(HOUR + 6 * MINUTE);
  expect(made.dues).toEqual(['01:00:00', '01:20:00']);
  expect(made.schedule.totals).toMatchObject({ ran: 2, missed: 0, pending: 0 });
});

describe('an update of endAt', () => {
  test('in a pause brings no date back that came after the old end', async () => {
    const { clock, make } = world();
    const made = make({ cron: '0 * * * *', endAt: START + 3 * HOUR, missed: { catchUp: 9 } });
    made.schedule.pause();
    await clock.advance(6.5 * HOUR);
    expect(made.schedule.totals.pending).toBe(2);
    made.schedule.update({ endAt: START + 9 * HOUR });
    made.schedule.resume();
    await clock.advance(HOUR);
    expect(made.dues).toEqual(['01:00:00 at 06:30:00', '02:00:00 at 06:30:00', '07:00:00']);
    expect(made.schedule.totals).toMatchObject({ ran: 3, missed: 0, pending: 0 });
  });

  test('to a moment that is past is refused, even if startAt is slightly past too', async () => {
    const { clock, make } = world();
    const made = make({ cron: '*/10 * * * * *', startAt: START, jitterMs: SECOND, random: () => 0.9 });
    await clock.advance(30 * SECOND);
    expect(() => made.schedule.update({ endAt: START + 5 * SECOND })).toThrow(/^endAt must leave a future run/);
    await clock.advance(SECOND);
    expect(made.schedule.totals).toMatchObject({ ran: 4, missed: 0, pending: 0 });
  });
});

describe('an update to a startAt slightly in the past', () => {
  const starts: readonly [string, object][] = [
    ['cron', { cron: '* * * * *' }],
    ['everyMs', { everyMs: MINUTE, startAt: START }],
  ];
  for (const [kind, dates] of starts)
    test(`repeats no date of ${kind}`, async () => {
      const { clock, make } = world();
      const made = make(dates);
      await clock.advance(MINUTE + 5 * SECOND);
      made.schedule.update({ startAt: START + MINUTE });
      made.schedule.update({ ...dates, startAt: START + MINUTE } as never);
      await clock.advance(MINUTE);
      expect(made.dues.filter((due) => due.startsWith('00:01:00'))).toEqual(['00:01:00']);
      expect(made.dues.at(-1)).toBe('00:02:00');
    });

  test('repeats no date that a new expression shares with the old one', async () => {
    const { clock, make } = world();
    const made = make({ cron: '* * * * *' });
    await clock.advance(2 * MINUTE + 5 * SECOND);
    made.schedule.update({ cron: '*/2 * * * *', startAt: START + 2 * MINUTE });
    await clock.advance(2 * MINUTE);
    expect(made.dues).toEqual(['00:01:00', '00:02:00', '00:04:00']);
  });

  test('repeats no date on a wall clock that was set back by less than an hour', async () => {
    const { clock, make } = world();
    const made = make({ cron: '*/10 * * * *' });
    await clock.advance(31 * MINUTE);
    clock.setWall(START + 15 * MINUTE);
    made.schedule.update({ cron: '*/10 * * * *', startAt: START + 15 * MINUTE });
    await clock.advance(26 * MINUTE);
    expect(made.dues).toEqual(['00:10:00', '00:20:00', '00:30:00', '00:40:00']);
  });

  test('runs dates again that come up again after the wall clock was set back by over an hour', async () => {
    const { clock, make } = world();
    const made = make({ cron: '*/10 * * * *' });
    await clock.advance(2 * HOUR + 5 * MINUTE);
    clock.setWall(START + 30 * MINUTE + 10 * SECOND);
    made.schedule.update({ startAt: START + 30 * MINUTE });
    await clock.advance(11 * MINUTE);
    expect(made.dues.slice(12)).toEqual(['00:40:00']);
  });

  test('runs the date at startAt itself if it has not run yet', async () => {
    const { clock, make } = world();
    const made = [make({ cron: '0 * * * *' }), make({ everyMs: HOUR })];
    for (const { schedule } of made) schedule.update({ startAt: START });
    await clock.advance(SECOND);
    expect(made.map(({ dues }) => dues)).toEqual([['00:00:00'], ['00:00:00']]);
  });

  test('runs the date at startAt when the kind of dates changes, whatever has run before', async () => {
    const { clock, make } = world();
    const made = make({ cron: '* * * * *' });
    await clock.advance(MINUTE);
    clock.setWall(START + 50 * MINUTE); // the two clocks differ from here on
    await clock.advance(30 * SECOND);
    made.schedule.update({ everyMs: HOUR, startAt: START + 50 * MINUTE + 30 * SECOND });
    await clock.advance(SECOND);
    expect(made.dues.at(-1)).toBe('00:50:30');
  });
});

describe('an update with the values that a schedule has changes nothing:', () => {
  const SAME = {
    timezone: 'UTC',
    startAt: START,
    endAt: '2030-01-01T00:00',
    maxRuns: 50,
    jitterMs: 4 * SECOND,
    missed: { catchUp: 2 },
    toleranceMs: 30 * SECOND,
    historySize: 9,
    onError: () => {},
  } as const;
  const FIELDS = Object.keys(SAME) as (keyof typeof SAME)[];
  const KINDS = {
    cron: { cron: '*/5 * * * * *' },
    everyMs: { everyMs: 5 * SECOND },
    at: { at: START + 5 * SECOND },
  } as const;

  /** Two schedules with the same options and the same delays. Only one of them is updated. */
  function pair(dates: object) {
    const both = world();
    const made = [0, 1].map(() => {
      const delays = seededRandom(7);
      let draws = 0;
      const random = () => {
        draws += 1;
        return delays();
      };
      const one = both.make({ ...SAME, ...dates, random });
      return { ...one, random, seen: () => ({ dues: one.dues, draws, totals: one.schedule.totals }) };
    });
    return { ...both, updated: made[0] as (typeof made)[0], left: made[1] as (typeof made)[0] };
  }

  for (const [kind, dates] of Object.entries(KINDS))
    for (const field of [...FIELDS, 'random', kind, 'all of them'] as const)
      test(`${field} of ${kind}, each second, also while jitter or a pause delays dates`, async () => {
        const { clock, updated, left } = pair(dates);
        const all = { ...SAME, ...dates, random: updated.random };
        const update = field === 'all of them' ? all : { [field]: all[field as keyof typeof all] };
        for (let second = 0; second < 60; second += 1) {
          if (second === 20) for (const { schedule } of [updated, left]) schedule.pause();
          if (second === 34) for (const { schedule } of [updated, left]) schedule.resume();
          if (updated.schedule.status !== 'ended') updated.schedule.update(update as never);
          expect(updated.schedule.next(3)).toEqual(left.schedule.next(3));
          expect(updated.seen()).toEqual(left.seen());
          await clock.advance(SECOND);
        }
        expect(updated.seen()).toEqual(left.seen());
        expect(updated.schedule.runs.map((run) => [run.kind, run.due])).toEqual(
          left.schedule.runs.map((run) => [run.kind, run.due]),
        );
        expect(left.schedule.totals.ran).toBeGreaterThan(0);
      });

  test('a fixed rate without a start keeps its phase, however often it is given', async () => {
    const { clock, make } = world();
    const made = make({ everyMs: 5 * SECOND });
    for (let second = 0; second < 20; second += 1) {
      await clock.advance(SECOND);
      made.schedule.update({ everyMs: 5 * SECOND });
    }
    expect(made.dues).toEqual(['00:00:05', '00:00:10', '00:00:15', '00:00:20']);
  });

  for (const dates of [KINDS.cron, KINDS.everyMs])
    test(`fifty times within the body, and at the very moment of a date: ${JSON.stringify(dates)}`, async () => {
      const { clock, make } = world();
      const dues: number[] = [];
      const run = (_: unknown, due: Date) => {
        dues.push((due.getTime() - START) / SECOND);
        for (let i = 0; i < 50; i += 1) made.update(dates);
      };
      const { schedule: made } = make({ ...dates, task: { run } });
      for (let second = 0; second < 20; second += 1) {
        clock.block(SECOND); // the date has come, and its timer has not fired
        made.update(dates);
        await clock.settle();
        made.update(dates);
        await clock.advance(0);
        made.update(dates);
      }
      expect(dues).toEqual([5, 10, 15, 20]);
      expect(made.totals).toMatchObject({ submitted: 4, ran: 4, missed: 0, pending: 0 });
      expect(clock.timers).toBe(1);
    });

  const words = [
    ['*/5 * * * * *', '0-59/5 * * * * *'],
    ['0 0 12 * * *', '0 00 12 * * *'],
    ['*/5 * * * * *', '0,5,10,15,20,25,30,35,40,45,50,55 * * * * *'],
  ] as const;
  for (const [one, other] of words)
    test(`an expression in other words moves no date: ${one} and ${other}`, async () => {
      const { clock, updated, left } = pair({ cron: one });
      for (let second = 0; second < 60; second += 1) {
        updated.schedule.update({ cron: second % 2 === 0 ? other : one });
        expect(updated.seen()).toEqual(left.seen());
        await clock.advance(SECOND);
      }
      expect(updated.seen()).toEqual(left.seen());
    });
});

describe('an update that leaves the dates as they are keeps the delay of a date that has come:', () => {
  const MOMENT = { text: '2020-01-01T00:00:02Z', date: new Date(START + 2 * SECOND) };
  const cron = { cron: '* * * * * *' };
  test.for<readonly [what: string, dates: object, update: object]>([
    ['a date in other words', { at: MOMENT.text }, { at: MOMENT.date }],
    ['the zone of a date that has an offset', { at: MOMENT.text }, { timezone: 'Asia/Tokyo' }],
    ['the end of a date', { at: MOMENT.text }, { endAt: START + HOUR }],
    ['the start of an expression in other words', { ...cron, startAt: MOMENT.text }, { startAt: MOMENT.date }],
    ['the start of a rate in other words', { everyMs: SECOND, startAt: MOMENT.text }, { startAt: MOMENT.date }],
  ])('%s', async ([, dates, update]) => {
    const { clock, make } = world();
    const { schedule, dues } = make({ ...dates, jitterMs: 4 * SECOND, random: () => 0.5 });
    await clock.advance(3 * SECOND);
    schedule.update(update);
    await clock.advance(500);
    expect(dues).toEqual([]);
    await clock.advance(500);
    expect(dues).toEqual(['00:00:02 at 00:00:04']);
  });
});

/** How the dates of seconds 2, 3 and 4 have not had their turn at 4.5 s. The first one ran. */
const DELAYS: Readonly<Record<string, (made: ReturnType<typeof setUp>) => unknown>> = {
  'delayed by jitter': ({ clock }) => clock.advance(3 * SECOND),
  'that came while the event loop was blocked': ({ clock }) => clock.block(3 * SECOND),
  'that came during a pause': ({ clock, made }) => {
    made.schedule.pause();
    return clock.advance(3 * SECOND);
  },
};

function setUp(which: string, options: object) {
  const { clock, make } = world();
  const jitter = which === 'delayed by jitter' && { jitterMs: 10 * SECOND };
  let draws = 0;
  const random = () => {
    draws += 1;
    return draws === 2 ? 0.9 : 0;
  };
  const dues: number[] = [];
  const run = (_: unknown, due: Date) => void dues.push((due.getTime() - START) / SECOND);
  const made = make({ everyMs: SECOND, ...options, ...jitter, random, task: { admission: 'queue', run } });
  return { clock, made, dues };
}

async function comingAt4500(which: string, options: object) {
  const all = setUp(which, options);
  await all.clock.advance(1_500);
  await DELAYS[which]?.(all);
  expect(all.made.schedule.totals).toMatchObject({ ran: 1, missed: 0, pending: 3 });
  return all;
}

describe('what has come and has not had its turn is decided first, as the old settings say:', () => {
  interface Row {
    readonly old: object;
    readonly update: object;
    /** The seconds that run. */
    readonly runs: readonly number[];
    /** If the dates are late. Jitter does not count as lateness. */
    readonly lateRuns?: readonly number[];
    /** The second of the first date after the update. */
    readonly next: number;
    /** How many dates have come at 24.5 s. */
    readonly came: number;
  }
  const tolerant = { missed: 'skip' } as const;
  const strict = { missed: 'skip', toleranceMs: 0 } as const;
  const all = { missed: { catchUp: 9 } } as const;
  const rows: readonly Row[] = [
    { old: tolerant, update: { everyMs: 20 * SECOND }, runs: [4], next: 24.5, came: 5 },
    { old: strict, update: { everyMs: 20 * SECOND }, runs: [4], lateRuns: [], next: 24.5, came: 5 },
    { old: { missed: 'once', toleranceMs: 0 }, update: { everyMs: 20 * SECOND }, runs: [4], next: 24.5, came: 5 },
    { old: { missed: { catchUp: 2 } }, update: { cron: '20 * * * * *' }, runs: [3, 4], next: 20, came: 5 },
    { old: all, update: { cron: '20 * * * * *' }, runs: [2, 3, 4], next: 20, came: 5 },
    { old: all, update: { at: START + 20 * SECOND }, runs: [2, 3, 4], next: 20, came: 5 },
    { old: all, update: { startAt: START + 20 * SECOND }, runs: [2, 3, 4], next: 20, came: 9 },
    // The new `missed` and `toleranceMs` are for later dates.
    { old: tolerant, update: all, runs: [4], next: 5, came: 24 },
    { old: all, update: tolerant, runs: [2, 3, 4], next: 5, came: 24 },
    { old: strict, update: { toleranceMs: 60 * SECOND }, runs: [4], lateRuns: [], next: 5, came: 24 },
    { old: tolerant, update: { toleranceMs: 0 }, runs: [4], next: 5, came: 24 },
    { old: all, update: { ...tolerant, everyMs: 20 * SECOND }, runs: [2, 3, 4], next: 24.5, came: 5 },
  ];
  for (const which of Object.keys(DELAYS))
    for (const { old, update, runs, lateRuns = runs, next, came } of rows)
      test(`dates ${which}, with ${JSON.stringify(old)}, at an update of ${JSON.stringify(update)}`, async () => {
        const { clock, made, dues } = await comingAt4500(which, old);
        const isPaused = which === 'that came during a pause';
        made.schedule.update(update as never);
        const wanted = which === 'delayed by jitter' ? runs : lateRuns;
        const missed = 3 - wanted.length;
        await clock.settle();
        expect(dues).toEqual(isPaused ? [1] : [1, ...wanted]);
        expect(made.schedule.totals).toMatchObject({ missed, pending: isPaused ? wanted.length : 0 });
        expect(made.schedule.status).toBe(isPaused ? 'paused' : 'active');
        expect(made.schedule.next()).toEqual([new Date(next * SECOND + START)]);
        made.schedule.resume();
        await clock.settle();
        expect(dues).toEqual([1, ...wanted]);
        await clock.advance(20 * SECOND);
        expect(dues[wanted.length + 1]).toBe(next);
        const { ran, missed: lost, pending } = made.schedule.totals;
        expect(ran + lost + pending).toBe(came);
      });

  test('a date of the old dates is not run a second time by the new ones', async () => {
    const { clock, made, dues } = await comingAt4500('delayed by jitter', { missed: { catchUp: 9 } });
    made.schedule.update({ cron: '* * * * * *', startAt: START, jitterMs: 0 });
    await clock.advance(2 * SECOND);
    expect(dues).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('a refused update', () => {
  const updates: readonly object[] = [
    { cron: '61 * * * *' },
    { everyMs: 7 * SECOND, maxRuns: 0 },
    { everyMs: 7 * SECOND, task: { run: () => 1, slot: '' } },
    { cron: '0 0 30 2 *', missed: { catchUp: 9 } },
    { endAt: START, toleranceMs: 5 },
    { everyMs: 7 * SECOND, name: 'other' },
    { everyMs: 7 * SECOND, cron: '* * * * *' },
  ];
  for (const which of Object.keys(DELAYS))
    for (const update of updates)
      test(`changes nothing and decides nothing: dates ${which}, ${JSON.stringify(update)}`, async () => {
        const [one, other] = [await comingAt4500(which, {}), await comingAt4500(which, {})];
        const before = [one.made.schedule.totals, one.made.schedule.runs, one.made.schedule.next(3)];
        expect(() => one.made.schedule.update(update as never)).toThrow(
          expect.objectContaining({ name: 'OptionError' }),
        );
        expect([one.made.schedule.totals, one.made.schedule.runs, one.made.schedule.next(3)]).toEqual(before);
        for (const { clock, made } of [one, other]) {
          made.schedule.resume();
          await clock.advance(15 * SECOND);
        }
        expect(one.dues).toEqual(other.dues);
        expect(one.made.schedule.totals).toEqual(other.made.schedule.totals);
      });
});

describe('dates that wait to be caught up stay:', () => {
  /** The first of four dates runs; the other three wait. */
  async function catchingUp() {
    const made = world();
    const body = gateBody();
    const dues: number[] = [];
    const run = (ctx: TaskContext, due: Date) => {
      dues.push((due.getTime() - START) / MINUTE);
      return body.body(ctx);
    };
    const { schedule } = made.make({ everyMs: MINUTE, missed: { catchUp: 4 }, task: { run } });
    made.clock.block(4 * MINUTE);
    await made.clock.advance(0);
    return { ...made, schedule, body, dues };
  }

  const updates: readonly object[] = [
    { everyMs: HOUR },
    { cron: '0 5 * * *' },
    { at: START + 5 * HOUR },
    { missed: 'skip' },
    { missed: { catchUp: 1 }, toleranceMs: 0 },
    { endAt: START + 6 * MINUTE },
    { timezone: 'Asia/Tokyo' },
    { maxRuns: 9 },
    { jitterMs: HOUR },
    { historySize: 3 },
  ];
  for (const update of updates)
    test(`an update of ${JSON.stringify(update)}`, async () => {
      const { clock, schedule, body, dues } = await catchingUp();
      schedule.update(update as never);
      expect(schedule.totals).toMatchObject({ submitted: 1, ran: 1, missed: 0, pending: 3 });
      for (let i = 0; i < 4; i += 1) {
        body.open('done');
        await clock.settle();
      }
      expect(dues).toEqual([1, 2, 3, 4]);
      expect(schedule.totals).toMatchObject({ ran: 4, missed: 0, pending: 0 });
    });

  test('an update of the task, whose new body they run', async () => {
    const { clock, schedule, body, dues } = await catchingUp();
    const seen: number[] = [];
    schedule.update({ task: { run: (_, due) => void seen.push((due.getTime() - START) / MINUTE) } });
    body.open('done');
    await clock.settle();
    expect([dues, seen]).toEqual([[1], [2, 3, 4]]);
  });

  for (const missed of ['skip', 'once', { catchUp: 1 }, { catchUp: 4 }] as const)
    test(`new dates go behind them, and push none of them out: ${JSON.stringify(missed)}`, async () => {
      const { clock, schedule, body, dues } = await catchingUp();
      schedule.update({ missed, everyMs: MINUTE, toleranceMs: 0 });
      await clock.advance(3 * MINUTE);
      expect(schedule.totals).toMatchObject({ ran: 1, pending: 4, missed: 2 }); // the latest of three waits
      for (let i = 0; i < 5; i += 1) {
        body.open('done');
        await clock.settle();
      }
      expect(dues).toEqual([1, 2, 3, 4, 7]);
    });

  test('an update in a pause, and the dates of the rest of the pause push none of them out', async () => {
    const { clock, made, dues } = await comingAt4500('that came during a pause', { missed: { catchUp: 9 } });
    made.schedule.update({ missed: 'skip' });
    await clock.advance(3 * SECOND);
    made.schedule.update({ missed: 'once' });
    await clock.advance(3 * SECOND);
    made.schedule.resume();
    await clock.settle();
    await clock.advance(0);
    expect(dues).toEqual([1, 2, 3, 4, 7, 10]);
    expect(made.schedule.totals).toMatchObject({ ran: 6, missed: 4, pending: 0 });
  });

  test('an update that changes nothing keeps no more of them than before', async () => {
    const { clock, schedule, body, dues } = await catchingUp();
    await clock.advance(MINUTE);
    schedule.update({ missed: { catchUp: 4 }, everyMs: MINUTE });
    await clock.advance(MINUTE);
    expect(schedule.totals).toMatchObject({ ran: 1, pending: 4, missed: 1 });
    for (let i = 0; i < 5; i += 1) {
      body.open('done');
      await clock.settle();
    }
    expect(dues).toEqual([1, 3, 4, 5, 6]);
  });
});

test('a pause stays, whatever is updated', async () => {
  const { clock, make } = world();
  const made = make({ everyMs: SECOND });
  made.schedule.pause();
  for (const update of [
    { everyMs: 2 * SECOND },
    { cron: '* * * * * *' },
    { missed: 'once' },
    { maxRuns: 3 },
  ] as const) {
    made.schedule.update(update);
    await clock.advance(5 * SECOND);
    expect(made.schedule.status).toBe('paused');
  }
  expect(made.dues).toEqual([]);
  expect(clock.timers).toBe(0);
});

test('an update that decides the last date under maxRuns ends the schedule, and is refused as one of an ended schedule', async () => {
  const { clock, made, dues } = await comingAt4500('delayed by jitter', { maxRuns: 2 });
  expect(() => made.schedule.update({ everyMs: HOUR })).toThrow(ClosedError);
  await clock.advance(2 * HOUR);
  expect(dues).toEqual([1, 4]);
  expect(made.schedule).toMatchObject({ status: 'ended', totals: { ran: 2, missed: 2, pending: 0 } });
});
