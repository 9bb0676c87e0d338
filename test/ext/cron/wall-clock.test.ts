// The wall clock is set forward, back by up to an hour, or back by more, while a schedule waits and
// while it is paused.

import fc from 'fast-check';
import { type Clock, Supervisor } from 'slotvisor';
import { type MissedPolicy, type Schedule, type ScheduleDates, schedule } from 'slotvisor/cron';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND, START, world } from './world.ts';

describe('a wall clock that is set', () => {
  test('is noticed within half a minute, and a date that it skipped runs late', async () => {
    const { clock, make } = world();
    const made = make({ at: '2020-03-01T12:00' });
    await clock.advance(10 * SECOND);
    clock.setWall(Date.UTC(2020, 2, 1, 12, 0, 5));
    await clock.advance(30 * SECOND);
    expect(made.dues).toEqual(['12:00:00 at 12:00:25']);
  });

  test('back by up to an hour repeats no date', async () => {
    const { clock, make } = world();
    const made = make({ cron: '*/20 * * * *' });
    await clock.advance(41 * MINUTE);
    clock.setWall(START + 5 * MINUTE);
    await clock.advance(HOUR);
    expect(made.dues).toEqual(['00:20:00', '00:40:00', '01:00:00']);
    expect(made.schedule.totals).toMatchObject({ submitted: 3, missed: 0 });
  });

  test('back by more than an hour makes dates count from the new time', async () => {
    const { clock, make } = world(START + DAY);
    const made = make({ cron: '0 */6 * * *' });
    const paused = make({ cron: '0 */6 * * *' });
    await clock.advance(6 * HOUR);
    paused.schedule.pause();
    clock.setWall(START + 5 * HOUR);
    await clock.advance(30 * SECOND);
    paused.schedule.resume();
    expect(made.schedule.next()).toEqual([new Date(START + 6 * HOUR)]);
    await clock.advance(HOUR);
    expect(made.dues).toEqual(['06:00:00', '06:00:00']);
    expect(paused.dues).toEqual(made.dues);
  });

  test('moves no date of a fixed rate, and changes only the wall time that is shown for it', async () => {
    const { clock, make } = world();
    const made = make({ everyMs: 10 * SECOND });
    await clock.advance(15 * SECOND);
    clock.setWall(START - 2 * HOUR);
    await clock.advance(10 * SECOND);
    clock.setWall(START + 9 * HOUR);
    await clock.advance(10 * SECOND);
    expect(made.dues).toEqual(['00:00:10', '22:00:05', '09:00:05']);
    expect(made.schedule.next()).toEqual([new Date(START + 9 * HOUR + 15 * SECOND)]);
    expect(made.schedule.totals.missed).toBe(0);
  });

  for (const alone of [true, false])
    test(`back by hours during a pause is noticed ${alone ? 'when the pause ends' : 'as soon as another schedule notices it'}`, async () => {
      const { clock, make } = world(START + DAY);
      const made = make({ cron: '0 * * * *', missed: { catchUp: 9 } });
      if (!alone) make({ everyMs: DAY });
      await clock.advance(9 * HOUR);
      made.schedule.pause();
      clock.setWall(START + DAY + 3 * HOUR);
      await clock.advance(2.5 * HOUR);
      made.schedule.resume();
      await clock.advance(HOUR);
      // Dates of the pause are treated as `missed` says, by the clock as it is set now.
      expect(made.dues.slice(9)).toEqual(['04:00:00 at 05:30:00', '05:00:00 at 05:30:00', '06:00:00']);
    });

  test('back by hours is noticed at once by a call of next', async () => {
    const { clock, make } = world(START + DAY);
    const made = make({ cron: '0 * * * *' });
    await clock.advance(6 * HOUR);
    clock.setWall(START + DAY + 2.5 * HOUR);
    expect(made.schedule.next()).toEqual([new Date(START + DAY + 3 * HOUR)]);
  });

  test('back by hours while there was no schedule does not affect a schedule that is made later', async () => {
    const { clock, make } = world(START + DAY);
    await make({ cron: '* * * * *' }).schedule.stop();
    await clock.advance(12 * HOUR);
    clock.setWall(START + DAY);
    const made = make({ cron: '0 * * * *', missed: { catchUp: 9 } });
    await clock.advance(HOUR);
    expect(made.dues).toEqual(['01:00:00']);
  });

  test('back by forty minutes several times repeats no date', async () => {
    const { clock, make } = world();
    const made = make({ cron: '*/10 * * * *' });
    for (let times = 0; times < 3; times += 1) {
      await clock.advance(3 * HOUR);
      clock.setWall(clock.wallNow() - 40 * MINUTE);
    }
    await clock.advance(HOUR);
    expect(new Set(made.dues).size).toBe(made.dues.length);
    expect(made.schedule.totals).toMatchObject({ submitted: (9 * 60 - 2 * 40 + 20) / 10, missed: 0 });
  });

  test('back by exactly an hour repeats no date, even on clocks of different precision', async () => {
    const clock = new VirtualClock();
    let reads = 0;
    const noisy: Clock = {
      now: () => clock.now() + (reads++ % 7) / 3,
      wallNow: () => Math.floor(clock.wallNow() + (reads++ % 5) / 3),
      setTimer: (ms, fire) => clock.setTimer(ms, fire),
    };
    const dues: number[] = [];
    const run = (_: unknown, due: Date) => void dues.push(due.getTime());
    schedule(new Supervisor({ clock: noisy }), { cron: '*/10 * * * *', task: { run } });
    await clock.advance(65 * MINUTE);
    clock.setWall(clock.wallNow() - HOUR);
    await clock.advance(2 * HOUR);
    expect(new Set(dues).size).toBe(dues.length);
    expect(dues).toHaveLength(12);
  });

  test('moves no date of a fixed rate that has a startAt when its endAt is updated later', async () => {
    const { clock, make } = world();
    const made = make({ everyMs: HOUR, startAt: '2020-01-01T00:10' });
    clock.setWall(START + 9 * HOUR + 7 * MINUTE);
    made.schedule.update({ endAt: '2021-01-01T00:00' });
    await clock.advance(HOUR);
    expect(made.dues).toEqual(['09:17:00']);
  });
});

describe('clocks that are read at slightly different moments', () => {
  test('keep the round dates of a fixed rate round', async () => {
    const clock = new VirtualClock();
    let reads = 0;
    const noisy: Clock = {
      now: () => clock.now() + (reads++ % 7) / 9,
      wallNow: () => Math.floor(clock.wallNow() + (reads++ % 5) / 3),
      setTimer: (ms, fire) => clock.setTimer(ms, fire),
    };
    const dues: number[] = [];
    const run = (_: unknown, due: Date) => void dues.push(due.getTime());
    const made = schedule(new Supervisor({ clock: noisy }), {
      everyMs: SECOND,
      startAt: 0,
      maxRuns: 20,
      task: { run },
    });
    const promised = made.next(20).map((date) => date.getTime());
    await clock.advance(MINUTE);
    expect(dues).toEqual(promised);
    expect(dues.filter((ms) => ms % SECOND !== 0)).toEqual([]);
  });
});

interface Step {
  readonly act: 'advance' | 'block' | 'set' | 'pause' | 'resume' | 'update';
  readonly ms: number;
}

const acts = fc.constantFrom<Step['act']>('advance', 'block', 'set', 'set', 'pause', 'resume', 'update');
const steps = fc.array(fc.record({ act: acts, ms: fc.integer({ min: -2 * HOUR, max: 2 * HOUR }) }), { maxLength: 12 });
const policies = fc.constantFrom<MissedPolicy>('skip', 'once', { catchUp: 5 });

const EVERY_MS = MINUTE;
const CRON = { cron: '* * * * *' };

/** How many dates have come, as the counts say. */
function cameOf({ totals }: Schedule): number {
  const { ran, superseded, dropped, missed, elsewhere, errors, pending } = totals;
  return ran + superseded + dropped + missed + elsewhere + errors + pending;
}

/**
 * Runs a schedule through all these steps. The wall clock is set back by at most `maxBackMs` in
 * total.
 */
async function runSteps(dates: ScheduleDates, all: readonly Step[], missed: MissedPolicy, maxBackMs: number) {
  const { clock, make, delays } = world();
  const early: number[] = [];
  const dues: number[] = [];
  const run = (_: unknown, due: Date) => {
    dues.push(due.getTime());
    if (due.getTime() > clock.wallNow()) early.push(due.getTime());
  };
  const { schedule: made } = make({ ...dates, missed, task: { run } });
  let maxShift = START;
  /** After each step. */
  const counts: { readonly came: number; readonly now: number }[] = [];
  for (const { act, ms } of all) {
    if (act === 'advance') await clock.advance(Math.abs(ms) / 4);
    else if (act === 'block') clock.block(Math.abs(ms));
    else if (act === 'set') clock.setWall(Math.max(clock.wallNow() + ms, clock.now() + maxShift - maxBackMs));
    else if (act === 'update') made.update({ endAt: '2030-01-01T00:00' });
    else made[act]();
    maxShift = Math.max(maxShift, clock.wallNow() - clock.now());
    counts.push({ came: cameOf(made), now: clock.now() });
  }
  made.resume();
  return { clock, made, dues, early, delays, counts };
}

describe('after any changes of the clocks and calls of the schedule', () => {
  test('every date has run or was missed, once, in order and not early, if the clock is set back by at most an hour', async () => {
    await fc.assert(
      fc.asyncProperty(steps, policies, async (all, missed) => {
        const { clock, made, dues, early, delays } = await runSteps(CRON, all, missed, HOUR);
        await clock.advance(HOUR + MINUTE);
        expect(early).toEqual([]);
        expect(dues).toEqual([...new Set(dues)].sort((a, b) => a - b));
        const dates = Math.floor((clock.wallNow() - START) / EVERY_MS);
        expect(made.totals.submitted + made.totals.missed).toBe(dates);
        expect(cameOf(made)).toBe(dates);
        expect(delays.length).toBeLessThan(dates + 2 * all.length + clock.now() / (30 * SECOND) + 5);
      }),
      { numRuns: 60 },
    );
  });

  test('every date of a fixed rate has run or was missed, once, however the wall clock is set', async () => {
    await fc.assert(
      fc.asyncProperty(steps, policies, async (all, missed) => {
        const { clock, made, counts } = await runSteps({ everyMs: EVERY_MS }, all, missed, 10 * DAY);
        for (const { came, now } of counts) expect(came).toBe(Math.floor(now / EVERY_MS));
        await clock.advance(MINUTE);
        expect(made.totals.submitted + made.totals.missed).toBe(Math.floor(clock.now() / EVERY_MS));
        const next = clock.wallNow() + EVERY_MS - (clock.now() % EVERY_MS);
        // A shift of up to 5 ms between the clocks counts as noise.
        expect(Math.abs(Number(made.next()[0]) - next)).toBeLessThan(6);
      }),
      { numRuns: 60 },
    );
  });

  test('the schedule continues, however far the wall clock is set back', async () => {
    await fc.assert(
      fc.asyncProperty(steps, policies, async (all, missed) => {
        const { clock, made, early } = await runSteps(CRON, all, missed, 10 * DAY);
        const before = made.totals.submitted;
        await clock.advance(HOUR + EVERY_MS + MINUTE);
        expect(made.totals.submitted).toBeGreaterThan(before);
        expect(early).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
