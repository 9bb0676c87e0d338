// Calendars of cron expressions. calendar-transitions.test.ts has them over zone transitions.

import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CronDate } from 'croner';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { datesAfter } from '../../../src/ext/cron/calendar.ts';
import { cronCalendar } from '../../../src/ext/cron/cron-calendar.ts';

const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());
const HOUR = 3_600_000;
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

describe('calendars of equal expressions', () => {
  afterEach(() => vi.restoreAllMocks());

  /** Counts what croner is asked for. */
  function asked(): () => number {
    const spies = [vi.spyOn(CronDate.prototype, 'increment'), vi.spyOn(CronDate.prototype, 'decrement')];
    return () => spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
  }

  test('in one zone are one', () => {
    const one = cronCalendar('1 2 * * *', 'UTC');
    expect(cronCalendar('1 2 * * *', 'UTC')).toBe(one);
    expect(cronCalendar('1 2 * * *', 'Asia/Tokyo')).not.toBe(one);
  });

  test('work out once what 2,000 schedules ask after a week asleep', () => {
    const calendars = Array.from({ length: 2_000 }, () => cronCalendar('*/5 9-17 * * 1-5', 'America/New_York'));
    const from = calendars[0]?.after(NOON) as number;
    const calls = asked();
    for (const [i, calendar] of calendars.entries()) {
      const now = NOON + 7 * 24 * HOUR + i / 100;
      calendar.count(from, now);
      calendar.before(now + 1);
      calendar.after(now);
    }
    expect(calls()).toBeLessThan(20);
  });

  test('are read once, however many other expressions are in use', () => {
    const texts = Array.from({ length: 1_000 }, (_, i) => `${i % 60} ${Math.floor(i / 60)} 3 * *`);
    const inUse = texts.map((text) => cronCalendar(text, 'UTC'));
    expect(texts.map((text) => cronCalendar(text, 'UTC')).every((calendar, i) => calendar === inUse[i])).toBe(true);
  });

  test('that are in use stay small, and the others are collected', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const texts = Array.from({ length: 1_000 }, (_, i) => `${i % 60} ${Math.floor(i / 60)} 4 * *`);
    const bytes = async () => {
      await turn();
      gc();
      return process.memoryUsage().heapUsed;
    };
    const before = await bytes();
    const refs: WeakRef<object>[] = [];
    const use = async () => {
      const inUse = texts.map((text) => cronCalendar(text, 'UTC'));
      for (const calendar of inUse) calendar.after(NOON);
      expect(((await bytes()) - before) / texts.length).toBeLessThan(8_000);
      refs.push(...inUse.map((calendar) => new WeakRef(calendar)));
    };
    await use();
    for (let i = 0; i < 100 && refs.some((ref) => ref.deref() !== undefined); i += 1) await bytes();
    expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(10);
  });
});

describe('counting', () => {
  test('years of dates costs about one question a matching day, or none if every day matches', () => {
    const increment = vi.spyOn(CronDate.prototype, 'increment');
    const years = 10 * 365 * 24 * HOUR;
    expect(cronCalendar('* * * * *', 'Europe/Berlin').count(NOON, NOON + years)).toBe(years / 60_000);
    expect(increment.mock.calls.length).toBeLessThan(10);
    expect(cronCalendar('* * * * MON', 'Europe/Berlin').count(NOON, NOON + years)).toBeGreaterThan(520 * 1_440);
    expect(increment.mock.calls.length).toBeLessThan(700);
    vi.restoreAllMocks();
  });

  test('includes the later end of the span only, and gives 0 for a span that ends before it begins', () => {
    const hourly = cronCalendar('0 * * * *', 'UTC');
    expect(hourly.count(NOON, NOON + HOUR)).toBe(1);
    expect(hourly.count(NOON - 0.5, NOON + HOUR - 0.5)).toBe(1);
    expect([hourly.count(NOON, NOON), hourly.count(NOON + HOUR, NOON)]).toEqual([0, 0]);
  });

  test('and asking far outside of the years of croner finds nothing there', () => {
    const newYear = cronCalendar('0 0 1 1 *', 'Asia/Tokyo');
    expect([newYear.after(8.64e15), newYear.after(Infinity), newYear.before(-8.64e15)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(iso(newYear.before(8.64e15))).toBe('2998-12-31T15:00:00.000Z');
    expect(iso(newYear.after(-8.64e15))?.slice(0, 10)).toBe('0000-12-31');
    expect(newYear.count(Date.UTC(2990, 0), 8.64e15)).toBe(9);
  });
});
