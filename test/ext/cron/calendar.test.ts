// The calendars themselves. calendar-transitions.test.ts has cron expressions over zone
// transitions.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  atCalendar,
  bounded,
  cronCalendar,
  datesAfter,
  everyCalendar,
  localInstantMs,
  MAX_DATE_MS,
} from '../../../src/ext/cron/calendar.ts';

const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());
const NOON = Date.UTC(2030, 0, 1, 12);

describe('a cron calendar', () => {
  test('gives the first date later than a moment and the last date earlier than it', () => {
    const hourly = cronCalendar('0 * * * *', 'UTC');
    expect(iso(hourly.after(NOON))).toBe('2030-01-01T13:00:00.000Z');
    expect(iso(hourly.before(NOON))).toBe('2030-01-01T11:00:00.000Z');
  });

  test('gives a date within the same second, also for a fraction of a ms', () => {
    const hourly = cronCalendar('0 * * * *', 'UTC');
    for (const gap of [0.25, 1, 999]) {
      expect(hourly.after(NOON - gap)).toBe(NOON);
      expect(hourly.before(NOON + gap)).toBe(NOON);
    }
  });

  test('reads one expression in each zone for itself', () => {
    const dates = ['UTC', 'Asia/Tokyo', 'America/New_York'].map((zone) => cronCalendar('0 9 * * *', zone).after(NOON));
    expect(dates.map(iso)).toEqual([
      '2030-01-02T09:00:00.000Z',
      '2030-01-02T00:00:00.000Z',
      '2030-01-01T14:00:00.000Z',
    ]);
  });

  test('gives the same dates after more expressions were compiled than are kept', () => {
    const daily = cronCalendar('30 6 * * *', 'UTC');
    const first = daily.after(NOON);
    for (let n = 0; n < 300; n += 1) cronCalendar(`${n % 60} ${Math.floor(n / 60)} * * *`, 'UTC');
    expect(iso(first)).toBe('2030-01-02T06:30:00.000Z');
    expect(daily.after(NOON)).toBe(first);
  });

  test('has no date before or after those of a single year', () => {
    const newYear = cronCalendar('0 0 0 1 1 * 2031', 'UTC');
    const [date] = datesAfter(newYear, NOON, 5);
    expect(iso(date)).toBe('2031-01-01T00:00:00.000Z');
    expect(newYear.after(date as number)).toBeUndefined();
    expect(newYear.before(date as number)).toBeUndefined();
  });

  test.for([
    ['2030-01-01T00:00:00', /a date is not/],
    ['? * * * *', /'\?' is not supported/],
    ['61 * * * *', /minute/],
  ] as const)('refuses %s', ([expression, message]) => {
    expect(() => cronCalendar(expression, 'UTC')).toThrow(message);
  });
});

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

describe('bounds', () => {
  const calendar = bounded(everyCalendar(10, 0), 20, 50);

  test('include the start and exclude the end', () => {
    expect(datesAfter(calendar, -Infinity, 9)).toEqual([20, 30, 40]);
    expect([100, 40, 20].map((ms) => calendar.before(ms))).toEqual([40, 30, undefined]);
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

describe('a local date and time', () => {
  test.for([
    ['2030-01-01T12:00', 'UTC', '2030-01-01T12:00:00.000Z'],
    ['2030-01-01T12:00', 'Asia/Tokyo', '2030-01-01T03:00:00.000Z'],
    ['2030-01-01T12:00:30.25', 'UTC', '2030-01-01T12:00:30.250Z'],
    ['2030-01-01T12:00:30.9999', 'UTC', '2030-01-01T12:00:30.999Z'],
    ['2030-03-31T02:30:00', 'Europe/Berlin', '2030-03-31T01:30:00.000Z'],
    ['2030-10-27T02:30:00', 'Europe/Berlin', '2030-10-27T00:30:00.000Z'],
  ] as const)('%s in %s is %s', ([text, zone, expected]) => {
    expect(iso(localInstantMs(text, zone))).toBe(expected);
  });

  test('that is an expression is refused', () => {
    expect(() => localInstantMs('* * * * *', 'UTC')).toThrow('not a date');
  });
});
