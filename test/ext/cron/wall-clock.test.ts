// The wall clock is set: forward, back by little, back by much, while a schedule waits and while it is paused.

import fc from 'fast-check';
import { type Clock, Supervisor } from 'slotvisor';
import { type MissedPolicy, type ScheduleDates, schedule } from 'slotvisor/cron';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND, START, world } from './world.ts';

describe('a wall clock that is set', () => {
  test('is noticed within half a minute, and a date that it jumped over is late, not lost', async () => {
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

  test('back by more than an hour was wrong: dates count from what it says now', async () => {
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

  test('moves no date of a fixed rate, and shows the dates as it shows the time', async () => {
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
    test(`back by much during a pause is noticed ${alone ? 'when it ends' : 'as soon as by any other schedule'}`, async () => {
      const { clock, make } = world(START + DAY);
      const made = make({ cron: '0 * * * *', missed: { catchUp: 9 } });
      if (!alone) make({ everyMs: DAY });
      await clock.advance(6 * HOUR);
      made.schedule.pause();
      clock.setWall(START + DAY + 3 * HOUR);
      await clock.advance(2.5 * HOUR);
      made.schedule.resume();
      await clock.advance(HOUR);
      // What came while nothing was run is treated as `missed` says, on the clock as it is now.
      expect(made.dues.slice(6)).toEqual(['04:00:00 at 05:30:00', '05:00:00 at 05:30:00', '06:00:00']);
    });

  test('back by much is noticed at once by whoever asks for the next date', async () => {
    const { clock, make } = world(START + DAY);
    const made = make({ cron: '0 * * * *' });
    await clock.advance(6 * HOUR);
    clock.setWall(START + DAY + 2.5 * HOUR);
    expect(made.schedule.next()).toEqual([new Date(START + DAY + 3 * HOUR)]);
  });

  test('back by much in a time in which no schedule waited rewinds none that is made later', async () => {
    const { clock, make } = world(START + DAY);
    await make({ cron: '* * * * *' }).schedule.stop();
    await clock.advance(12 * HOUR);
    clock.setWall(START + DAY);
    const made = make({ cron: '0 * * * *', missed: { catchUp: 9 } });
    await clock.advance(HOUR);
    expect(made.dues).toEqual(['01:00:00']);
  });

  test('back by forty minutes now and again months later repeats no date', async () => {
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

  test('back by exactly an hour repeats no date on clocks that are read with a different precision', async () => {
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

  test('moves no date of a fixed rate that has a start when its end is updated later', async () => {
    const { clock, make } = world();
    const made = make({ everyMs: HOUR, startAt: '2020-01-01T00:10' });
    clock.setWall(START + 9 * HOUR + 7 * MINUTE);
    made.schedule.update({ endAt: '2021-01-01T00:00' });
    await clock.advance(HOUR);
    expect(made.dues).toEqual(['09:17:00']);
  });
});

interface Step {
  readonly act: 'advance' | 'block' | 'set' | 'pause' | 'resume' | 'update';
  readonly ms: number;
}

const acts = fc.constantFrom<Step['act']>('advance', 'block', 'set', 'set', 'pause', 'resume', 'update');
const steps = fc.array(fc.record({ act: acts, ms: fc.integer({ min: -2 * HOUR, max: 2 * HOUR }) }), { maxLength: 12 });
const policies = fc.constantFrom<MissedPolicy>('skip', 'once', { catchUp: 5 });

const EVERY_MS = 20 * MINUTE; // so that no absence has more dates than are counted one by one
const CRON = { cron: '*/20 * * * *' };

/** A schedule goes through all these steps. All the times that the wall clock is set back make up `most` together, or less. */
async function lived(dates: ScheduleDates, all: readonly Step[], missed: MissedPolicy, most: number) {
  const { clock, make, delays } = world();
  const early: number[] = [];
  const dues: number[] = [];
  const run = (_: unknown, due: Date) => {
    dues.push(due.getTime());
    if (due.getTime() > clock.wallNow()) early.push(due.getTime());
  };
  const { schedule: made } = make({ ...dates, missed, task: { run } });
  let ahead = START;
  for (const { act, ms } of all) {
    if (act === 'advance') await clock.advance(Math.abs(ms) / 4);
    else if (act === 'block') clock.block(Math.abs(ms));
    else if (act === 'set') clock.setWall(Math.max(clock.wallNow() + ms, clock.now() + ahead - most));
    else if (act === 'update') made.update({ endAt: '2030-01-01T00:00' });
    else made[act]();
    ahead = Math.max(ahead, clock.wallNow() - clock.now());
  }
  made.resume();
  return { clock, made, dues, early, delays };
}

describe('whatever is done to the clock and to the schedule', () => {
  test('every date is run or counted as missed, once, in order and not early, if it is never set back by over an hour', async () => {
    await fc.assert(
      fc.asyncProperty(steps, policies, async (all, missed) => {
        const { clock, made, dues, early, delays } = await lived(CRON, all, missed, HOUR);
        await clock.advance(HOUR + MINUTE);
        expect(early).toEqual([]);
        expect(dues).toEqual([...new Set(dues)].sort((a, b) => a - b));
        const dates = Math.floor((clock.wallNow() - START) / EVERY_MS);
        expect(made.totals.submitted + made.totals.missed).toBe(dates);
        expect(delays.length).toBeLessThan(dates + 2 * all.length + clock.now() / (30 * SECOND) + 5);
      }),
      { numRuns: 60 },
    );
  });

  test('a fixed rate does not care about the wall clock: every date is run or counted as missed, once', async () => {
    await fc.assert(
      fc.asyncProperty(steps, policies, async (all, missed) => {
        const { clock, made } = await lived({ everyMs: EVERY_MS }, all, missed, 10 * DAY);
        await clock.advance(MINUTE);
        expect(made.totals.submitted + made.totals.missed).toBe(Math.floor(clock.now() / EVERY_MS));
        const next = clock.wallNow() + EVERY_MS - (clock.now() % EVERY_MS);
        expect(Math.abs(Number(made.next()[0]) - next)).toBeLessThan(6); // two clocks a few ms apart count as one
      }),
      { numRuns: 60 },
    );
  });

  test('it goes on, however far it is set back', async () => {
    await fc.assert(
      fc.asyncProperty(steps, policies, async (all, missed) => {
        const { clock, made, early } = await lived(CRON, all, missed, 10 * DAY);
        const before = made.totals.submitted;
        await clock.advance(HOUR + EVERY_MS + MINUTE);
        expect(made.totals.submitted).toBeGreaterThan(before);
        expect(early).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
