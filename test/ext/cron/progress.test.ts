import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { atCalendar, type Calendar, everyCalendar } from '../../../src/ext/cron/calendar.ts';
import type { Dates } from '../../../src/ext/cron/dates.ts';
import { Progress } from '../../../src/ext/cron/progress.ts';
import { Timeline } from '../../../src/ext/cron/timeline.ts';

const START = 1_000_000;
const ONCE = { keep: 1, toleranceMs: 0 };

const wall = (calendar: Calendar, cursor = START): Dates => ({
  calendar,
  clock: 'wall',
  cursor,
  startMs: -Infinity,
});

const monotonic = (everyMs: number, anchor = START): Dates => ({
  ...wall(everyCalendar(everyMs, anchor)),
  clock: 'monotonic',
  anchor,
});

function setup(dates: Dates) {
  const clock = new VirtualClock({ wallMs: START });
  const timeline = new Timeline(clock);
  return { clock, progress: new Progress(timeline, dates) };
}

const broken: Calendar = {
  after: () => {
    throw new Error('out of order');
  },
  before: () => undefined,
  count: () => {
    throw new Error('out of order');
  },
};

describe('the dates that have come and have not had their turn', () => {
  test('are counted from the last turn to now', () => {
    const { clock, progress } = setup(wall(everyCalendar(10, START)));
    clock.block(35);
    expect(progress.coming).toBe(3);
    expect(progress.turn(START + 10, START + 20, ONCE)).toMatchObject({ run: [START + 20], missed: 1 });
    expect([progress.coming, progress.first]).toEqual([1, START + 30]);
  });

  test('are missed by an end, once', () => {
    const { clock, progress } = setup(wall(everyCalendar(10, START)));
    clock.block(35);
    expect(progress.miss()).toEqual({ missed: 3, lastMissed: START + 30 });
    expect(progress.miss()).toBeUndefined();
  });

  test('are unknown, and count as none, while the calendar fails', () => {
    const { clock, progress } = setup({ ...wall(everyCalendar(10, START)), calendar: broken });
    clock.block(35);
    expect([progress.coming, progress.miss()]).toEqual([0, undefined]);
  });

  test('are none while the wall clock is behind the last turn', () => {
    const { clock, progress } = setup(wall(everyCalendar(10, START)));
    clock.block(35);
    progress.turn(START + 10, START + 35, ONCE);
    clock.setWall(START + 15);
    expect(progress.coming).toBe(0);
    expect(progress.upcoming(2)).toEqual([new Date(START + 40), new Date(START + 50)]);
  });
});

describe('new dates', () => {
  test('begin now, but after the last date that had its turn', () => {
    const { clock, progress } = setup(wall(everyCalendar(10, START)));
    clock.block(35);
    progress.turn(START + 10, START + 35, ONCE);
    clock.setWall(START + 12);
    progress.replace(wall(everyCalendar(1, START)), 'now');
    expect(progress.first).toBe(START + 31);
    clock.setWall(START + 50);
    progress.replace(wall(everyCalendar(1, START)), 'now');
    expect(progress.first).toBe(START + 51);
  });

  test('begin at their own start, but after the last date that had its turn', () => {
    const { clock, progress } = setup(wall(everyCalendar(10, START)));
    clock.block(35);
    progress.turn(START + 10, START + 15, ONCE);
    progress.replace(wall(everyCalendar(5, START), START + 2), 'start');
    expect(progress.first).toBe(START + 15);
    progress.replace(wall(everyCalendar(5, START), START + 22), 'start');
    expect(progress.first).toBe(START + 25);
  });

  test('begin where the old ones have got to if what has come stays', () => {
    const { clock, progress } = setup(wall(everyCalendar(10, START)));
    clock.block(25);
    progress.replace(wall(everyCalendar(5, START)), 'here');
    expect([progress.first, progress.coming]).toEqual([START + 5, 5]);
  });

  test('of another clock begin after the last date that had its turn on the old one', () => {
    const { clock, progress } = setup(wall(everyCalendar(10, START)));
    clock.block(35);
    progress.turn(START + 10, START + 35, ONCE);
    clock.setWall(START + 5); // 30 ms behind the monotonic clock
    progress.replace(monotonic(1), 'now');
    expect(progress.upcoming(1)).toEqual([new Date(START + 31)]);
    progress.replace(wall(everyCalendar(1, START)), 'now');
    expect(progress.first).toBe(START + 31);
  });

  test('keep what has come only if they have the same of it, and the same next date, on the same clock', () => {
    const { clock, progress } = setup(wall(everyCalendar(10, START)));
    clock.block(25);
    expect(progress.hasSameComing(wall(everyCalendar(10, START + 10)))).toBe(true);
    expect(progress.hasSameComing(wall(everyCalendar(5, START)))).toBe(false);
    expect(progress.hasSameComing(wall(everyCalendar(10, START + 1)))).toBe(false);
    expect(progress.hasSameComing(wall(atCalendar(START + 10)))).toBe(false);
    expect(progress.hasSameComing(monotonic(10))).toBe(false);
    expect(progress.hasSameComing({ ...wall(everyCalendar(10, START)), calendar: broken })).toBe(false);
    clock.setWall(START - 1); // dates of others could come until the last turn
    expect(progress.hasSameComing(wall(everyCalendar(10, START)))).toBe(false);
  });
});

describe('a wall clock that was set back by more than an hour', () => {
  test('makes later dates of the wall clock come again', () => {
    const { clock, progress } = setup(wall(everyCalendar(10, START)));
    clock.block(35);
    progress.turn(START + 10, START + 35, ONCE);
    clock.setWall(START + 12);
    expect(progress.setBack(START + 12)).toBe(true);
    expect(progress.first).toBe(START + 20);
    progress.replace(wall(everyCalendar(1, START)), 'now');
    expect(progress.first).toBe(START + 13);
  });

  test('moves no date of a fixed rate', () => {
    const { clock, progress } = setup(monotonic(10));
    clock.block(35);
    progress.turn(START + 10, START + 35, ONCE);
    expect(progress.setBack(START - 9_000)).toBe(false);
    expect(progress.first).toBe(START + 40);
  });
});

describe('dates of an absence', () => {
  test('have one turn: all dates after the last claimed one, up to the begin', () => {
    const dates = wall(everyCalendar(10, 0), START + 5);
    const { progress } = setup(dates);
    expect(progress.turnOfAbsence(dates, START - 35, { keep: 2, toleranceMs: 0 })).toMatchObject({
      run: [START - 10, START],
      missed: 2,
      lastMissed: START - 20,
    });
    expect(progress.first).toBe(START + 10);
  });

  test('have none if no date came meanwhile', () => {
    const dates = wall(everyCalendar(10, 0), START + 5);
    const { progress } = setup(dates);
    expect(progress.turnOfAbsence(dates, START, ONCE)).toBeUndefined();
    expect(progress.turnOfAbsence(wall(atCalendar(START - 5)), START, ONCE)).toBeUndefined();
  });
});

test('after the calendar failed, dates that it does not know are skipped up to now', () => {
  const failing: Calendar = {
    ...everyCalendar(10, START),
    after: (ms) => (ms < START + 30 ? broken.after(ms) : everyCalendar(10, START).after(ms)),
  };
  const { clock, progress } = setup({ ...wall(everyCalendar(10, START)), calendar: failing });
  clock.block(20);
  progress.skipUnknown();
  expect(progress.cursor).toBe(START); // it still fails for dates from now on
  clock.block(15);
  progress.skipUnknown();
  expect(progress.first).toBe(START + 40);
});
