// Dates that could not run in time: after a blocked event loop, a pause, a wall clock set forward.

import { CronDate } from 'croner';
import type { TaskContext } from 'slotvisor';
import type { MissedPolicy, Schedule } from 'slotvisor/cron';
import type { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test, vi } from 'vitest';
import { ADMISSION_POLICIES } from '../../../src/model/settings.ts';
import { DAY, HOUR, MINUTE, SECOND, START, world } from './world.ts';

const DAY_S = DAY / SECOND;

const missedIn = (made: Schedule) =>
  made.runs.flatMap((run) => (run.kind === 'missed' ? [`${run.count} to ${run.due.toISOString().slice(11, 19)}`] : []));

describe('missed dates', () => {
  interface Row {
    readonly missed: MissedPolicy;
    /** How long no date could run, from 00:00:30 on. */
    readonly goneMs: number;
    readonly dues: readonly string[];
    readonly lost: readonly string[];
  }
  // A date every minute. It is on time up to 20 s later.
  const rows: readonly Row[] = [
    { missed: 'skip', goneMs: 3 * MINUTE, dues: ['00:04:00'], lost: ['3 to 00:03:00'] },
    {
      missed: 'skip',
      goneMs: 3 * MINUTE - 20 * SECOND,
      dues: ['00:03:00 at 00:03:10', '00:04:00'],
      lost: ['2 to 00:02:00'],
    },
    { missed: 'once', goneMs: 3 * MINUTE, dues: ['00:03:00 at 00:03:30', '00:04:00'], lost: ['2 to 00:02:00'] },
    {
      missed: 'once',
      goneMs: 3 * MINUTE - 20 * SECOND,
      dues: ['00:03:00 at 00:03:10', '00:04:00'],
      lost: ['2 to 00:02:00'],
    },
    {
      missed: { catchUp: 2 },
      goneMs: 3 * MINUTE,
      dues: ['00:02:00 at 00:03:30', '00:03:00 at 00:03:30', '00:04:00'],
      lost: ['1 to 00:01:00'],
    },
    {
      missed: { catchUp: 9 },
      goneMs: 3 * MINUTE,
      dues: ['00:01:00 at 00:03:30', '00:02:00 at 00:03:30', '00:03:00 at 00:03:30', '00:04:00'],
      lost: [],
    },
  ];
  const ways: Record<string, (clock: VirtualClock, made: Schedule, ms: number) => void> = {
    'a blocked event loop': (clock, _, ms) => clock.block(ms),
    'a pause': (clock, made, ms) => {
      made.pause();
      clock.block(ms);
      made.resume();
    },
    // The pause makes the schedule read the clock at once; otherwise it takes up to half a minute.
    'a wall clock set forward': (clock, made, ms) => {
      clock.setWall(clock.wallNow() + ms);
      made.pause();
      made.resume();
    },
  };
  for (const [way, go] of Object.entries(ways))
    for (const { missed, goneMs, dues, lost } of rows)
      test(`missed: ${JSON.stringify(missed)} decides which dates run after ${way} of ${goneMs / SECOND} s`, async () => {
        const { clock, make } = world();
        const made = make({ cron: '* * * * *', missed, toleranceMs: 20 * SECOND });
        await clock.advance(30 * SECOND);
        go(clock, made.schedule, goneMs);
        await clock.advance(START + 4 * MINUTE - clock.wallNow());
        expect(made.dues).toEqual(dues);
        expect(missedIn(made.schedule)).toEqual(lost);
        expect(made.schedule.totals.missed).toBe(lost.reduce((sum, text) => sum + Number.parseInt(text, 10), 0));
      });

  test('runs that catch up start one after the other, and wait during a pause', async () => {
    const { clock, make } = world();
    const open: (() => void)[] = [];
    let alive = 0;
    let most = 0;
    const run = async () => {
      alive += 1;
      most = Math.max(most, alive);
      await new Promise<void>((resolve) => open.push(resolve));
      alive -= 1;
    };
    const { schedule: made } = make({
      everyMs: HOUR,
      missed: { catchUp: 3 },
      task: { admission: 'dropIfRunning', run },
    });
    clock.block(5 * HOUR + 1);
    await clock.advance(0);
    expect(made.runs.map((one) => one.kind)).toEqual(['missed', 'submitted']);
    made.pause();
    open.shift()?.();
    await clock.settle();
    expect(made.totals.submitted).toBe(1);
    made.resume();
    for (let i = 0; i < 3; i += 1) {
      await clock.settle();
      open.shift()?.();
    }
    await clock.settle();
    expect(made.totals).toMatchObject({ submitted: 3, dropped: 0, missed: 2 });
    expect(most).toBe(1);
  });

  for (const admission of ADMISSION_POLICIES)
    test(`dates that wait to be caught up run before a date that comes later, with admission: ${admission}`, async () => {
      const { clock, make } = world();
      const order: string[] = [];
      const run = async (ctx: TaskContext, due: Date) => {
        order.push(due.toISOString().slice(14, 16));
        await ctx.sleep(25 * SECOND);
      };
      const made = make({ cron: '* * * * *', missed: { catchUp: 3 }, task: { admission, run } });
      clock.block(3 * MINUTE + 50 * SECOND);
      await clock.advance(6 * MINUTE);
      // Minute 4 comes while the first of three runs, and minute 5 while the third runs. At minute
      // 6 no date waits.
      expect(order).toEqual(['01', '02', '03', '04', '05', '06', '07', '08', '09']);
      expect(made.schedule.totals).toMatchObject({ dropped: 0, missed: 0 });
    });

  test('at most n dates of catchUp wait, and the oldest beyond them are missed', async () => {
    const { clock, make } = world();
    const { schedule: made } = make({
      everyMs: MINUTE,
      missed: { catchUp: 2 },
      task: { run: () => new Promise(() => {}) },
    });
    for (let i = 0; i < 3; i += 1) {
      clock.block(5 * MINUTE);
      await clock.advance(0);
    }
    // Of fifteen dates one runs, two wait, and twelve were missed.
    expect(made.totals).toMatchObject({ submitted: 1, missed: 12 });
  });

  test('a short pause between two dates repeats no date and misses none', async () => {
    const { clock, make } = world();
    const made = make({ cron: '* * * * *', missed: { catchUp: 9 } });
    for (let i = 0; i < 3; i += 1) {
      await clock.advance(MINUTE);
      made.schedule.pause();
      made.schedule.resume();
    }
    expect(made.dues).toEqual(['00:01:00', '00:02:00', '00:03:00']);
    expect(made.schedule.totals).toMatchObject({ submitted: 3, missed: 0 });
  });

  test('dates that wait are caught up even if no later date is left', async () => {
    const { clock, make } = world();
    const made = make({ cron: '0 * * * *', endAt: '2020-01-01T05:00', missed: { catchUp: 3 } });
    clock.block(9 * HOUR);
    await clock.advance(0);
    expect(made.dues.map((due) => due.slice(0, 5))).toEqual(['02:00', '03:00', '04:00']);
    expect(made.schedule.status).toBe('ended');
  });

  test('a very long absence costs few calendar calls, and its dates are counted exactly', async () => {
    const { clock, make } = world();
    const made = make({ cron: '* * * * * *', missed: { catchUp: 2 }, historySize: 5 });
    clock.block(400 * DAY + 500);
    const asked = [vi.spyOn(CronDate.prototype, 'increment'), vi.spyOn(CronDate.prototype, 'decrement')];
    await clock.advance(0);
    expect(asked.reduce((sum, spy) => sum + spy.mock.calls.length, 0)).toBeLessThan(300);
    vi.restoreAllMocks();
    expect(made.dues).toEqual(['23:59:59 at 00:00:00', '00:00:00']);
    expect(missedIn(made.schedule)).toEqual([`${400 * DAY_S - 2} to 23:59:58`]);
    await clock.advance(2 * SECOND);
    expect(made.dues.slice(2)).toEqual(['00:00:01', '00:00:02']);
    expect(made.schedule.totals).toMatchObject({ ran: 4, missed: 400 * DAY_S - 2, pending: 0 });
  });

  for (const [missed, runs] of [
    ['skip', 1],
    ['once', 1],
    [{ catchUp: 100 }, 100],
    [{ catchUp: 1_000 }, 1_000],
  ] as const)
    test(`of the dates of ten days all run or are missed, with missed: ${JSON.stringify(missed)}`, async () => {
      const { clock, make } = world();
      const { schedule: made } = make({ cron: '* * * * *', missed });
      made.pause();
      await clock.advance(10 * DAY);
      expect(made.totals).toMatchObject({ submitted: 0, missed: 0, pending: 14_400 });
      made.resume();
      await clock.advance(30 * SECOND);
      expect(made.totals).toMatchObject({ submitted: runs, ran: runs, missed: 14_400 - runs, pending: 0 });
    });

  for (const startAt of [undefined, -Infinity])
    test(`no date is late with an infinite toleranceMs and startAt ${startAt}`, async () => {
      const { clock, make } = world();
      const made = make({ cron: '* * * * *', startAt, toleranceMs: Infinity });
      await clock.advance(2 * MINUTE);
      clock.block(8 * MINUTE);
      await clock.advance(MINUTE);
      expect(made.dues).toEqual(['00:01:00', '00:02:00', '00:10:00', '00:11:00']);
      expect(made.schedule.totals).toMatchObject({ missed: 7, errors: 0 });
    });

  test('a date given as at runs up to toleranceMs late, and is refused beyond that', async () => {
    const { clock, make } = world();
    const made = make({ at: START - 10 * SECOND, toleranceMs: 10 * SECOND });
    await clock.advance(0);
    expect(made.dues).toEqual(['23:59:50 at 00:00:00']);
    expect(() => make({ at: START - 10 * SECOND - 1, toleranceMs: 10 * SECOND })).toThrow(/at must have a future run/);
  });
});
