// The calendars themselves. calendar-transitions.test.ts has cron expressions over zone
// transitions.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atCalendar, bounded, datesAfter, everyCalendar, MAX_DATE_MS } from '../../../src/ext/cron/calendar.ts';

describe('a calendar with a fixed rate', () => {
  test('has its dates at whole multiples from the anchor, before it too', () => {
    const calendar = everyCalendar(10, 3);
    expect(datesAfter(calendar, -18, 4)).toEqual([-17, -7, 3, 13]);
    expect([calendar.before(3), calendar.before(3.5), calendar.before(-7)]).toEqual([-7, 3, -17]);
  });

  test('gives dates that advance by one period, for every period, anchor and moment', () => {
    const periods = fc.double({ min: 1, max: 1e12, noNaN: true });
    const moments = fc.double({ min: -1e13, max: 1e13, noNaN: true });
    fc.assert(
      fc.property(periods, moments, moments, (everyMs, anchor, ms) => {
        const calendar = everyCalendar(everyMs, anchor);
        const [after, before] = [calendar.after(ms), calendar.before(ms)] as [number, number];
        const rounding = 0.01;
        expect(after).toBeGreaterThan(ms);
        expect(after - ms).toBeLessThanOrEqual(everyMs + rounding);
        expect(before).toBeLessThan(ms);
        expect(ms - before).toBeLessThanOrEqual(everyMs + rounding);
        expect(calendar.after(after)).toBeCloseTo(after + everyMs, 1);
        for (const date of [after, before]) {
          const k = Math.round((date - anchor) / everyMs);
          expect(date).toBe(anchor + k * everyMs);
        }
      }),
    );
  });

  test('counts the steps from one date to the next, for every period, anchor and span', () => {
    const periods = fc.double({ min: 1, max: 1e6, noNaN: true });
    const moments = fc.double({ min: -1e12, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(periods, moments, moments, fc.integer({ min: 0, max: 50 }), (everyMs, anchor, from, steps) => {
        const calendar = everyCalendar(everyMs, anchor);
        const dates = datesAfter(calendar, from, steps);
        expect(calendar.count(from, dates.at(-1) ?? from)).toBe(steps);
        expect(calendar.count(from, calendar.after(dates.at(-1) ?? from) as number)).toBe(steps + 1);
        expect(calendar.count(from, from - everyMs)).toBe(0);
      }),
    );
  });

  test('has no date past what a Date can hold', () => {
    const calendar = everyCalendar(1_000, 0);
    expect([calendar.after(MAX_DATE_MS), calendar.before(-MAX_DATE_MS)]).toEqual([undefined, undefined]);
    expect([calendar.after(MAX_DATE_MS - 1), calendar.before(1 - MAX_DATE_MS)]).toEqual([MAX_DATE_MS, -MAX_DATE_MS]);
  });
});

test('a calendar of one date gives it to earlier and to later moments only', () => {
  const calendar = atCalendar(10);
  expect([9, 10, 11].map((ms) => calendar.after(ms))).toEqual([10, undefined, undefined]);
  expect([9, 10, 11].map((ms) => calendar.before(ms))).toEqual([undefined, undefined, 10]);
});

test('a calendar of one date counts it in spans that end at it or later', () => {
  const calendar = atCalendar(10);
  expect([calendar.count(9, 10), calendar.count(9, 11), calendar.count(10, 11), calendar.count(8, 9)]).toEqual([
    1, 1, 0, 0,
  ]);
});

describe('bounds', () => {
  const calendar = bounded(everyCalendar(10, 0), 20, 50);

  test('include the start and exclude the end', () => {
    expect(datesAfter(calendar, -Infinity, 9)).toEqual([20, 30, 40]);
    expect([100, 40, 20].map((ms) => calendar.before(ms))).toEqual([40, 30, undefined]);
  });

  test('hold for counts, whatever span is asked for', () => {
    const moment = fc.double({ min: -30, max: 90, noNaN: true });
    fc.assert(
      fc.property(moment, moment, moment, moment, (from, to, start, end) => {
        const limited = bounded(everyCalendar(10, 0.5), start, end);
        const dates = Array.from({ length: 20 }, (_, i) => i * 10 - 49.5);
        const expected = dates.filter((date) => date > from && date <= to && date >= start && date < end);
        expect(limited.count(from, to)).toBe(expected.length);
      }),
    );
  });

  test('that are infinite leave a calendar as it is', () => {
    const free = bounded(everyCalendar(10, 0), -Infinity, Infinity);
    expect([free.after(5), free.before(5)]).toEqual([10, 0]);
  });
});

test('datesAfter gives at most as many dates as were asked for, and fewer where the calendar ends', () => {
  const calendar = bounded(everyCalendar(10, 0), 0, 30);
  expect([0, 1, 2, 9].map((count) => datesAfter(calendar, -1, count))).toEqual([[], [0], [0, 10], [0, 10, 20]]);
});
