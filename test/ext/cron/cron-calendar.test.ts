// Calendars of cron expressions. calendar-transitions.test.ts has them over zone transitions.

import { describe, expect, test } from 'vitest';
import { datesAfter } from '../../../src/ext/cron/calendar.ts';
import { cronCalendar } from '../../../src/ext/cron/cron-calendar.ts';

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
    ['2030-01-01T00:00:00', /is a date: use the option at/],
    ['? * * * *', /minute '\?' is for the two day fields only/],
    ['61 * * * *', /minute/],
  ] as const)('refuses %s', ([expression, message]) => {
    expect(() => cronCalendar(expression, 'UTC')).toThrow(message);
  });
});
