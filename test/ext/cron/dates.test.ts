// From settings to dates. options.test.ts has the refusals.

import { afterEach, describe, expect, test, vi } from 'vitest';
import * as calendars from '../../../src/ext/cron/calendar.ts';
import * as cronCalendars from '../../../src/ext/cron/cron-calendar.ts';
import { type Dates, datesOf } from '../../../src/ext/cron/dates.ts';
import { readSettings } from '../../../src/ext/cron/settings.ts';

const NOON = Date.UTC(2030, 0, 1, 12);
const HOUR = 3_600_000;
/** The wall clock is 5 s ahead of the monotonic one. */
const NOW = { wall: NOON, monotonic: NOON - 5_000, shift: 5_000 };

afterEach(() => {
  vi.restoreAllMocks();
});

function dates(options: object, old?: Dates, now = NOW): Dates {
  const own = { name: 's', slot: 's' };
  const { settings, given } = readSettings(
    { timezone: 'UTC', ...options, task: { run: () => 1 } },
    own,
    () => undefined,
  );
  return datesOf(settings, given, now, old);
}

const firstOf = ({ calendar, cursor }: Dates) => calendar.after(cursor);

describe('the first date', () => {
  test.for<readonly [what: string, options: object, first: number]>([
    ['of an expression is the first one after now', { cron: '0 * * * *' }, NOON + HOUR],
    ['of a fixed rate is one period after now, on the monotonic clock', { everyMs: HOUR }, NOW.monotonic + HOUR],
    [
      'of a fixed rate with a start to come is that start',
      { everyMs: HOUR, startAt: NOON + 60_000 },
      NOW.monotonic + 60_000,
    ],
    ['of a fixed rate with a start at this moment is that start', { everyMs: HOUR, startAt: NOON }, NOW.monotonic],
    [
      'of a fixed rate with a start within the tolerance is that start',
      { everyMs: HOUR, startAt: NOON - 60_000 },
      NOW.monotonic - 60_000,
    ],
    [
      'of a fixed rate with an earlier start is its next multiple',
      { everyMs: HOUR, startAt: NOON - 60_001 },
      NOW.monotonic - 60_001 + HOUR,
    ],
    ['of a single date is that date', { at: NOON + 1 }, NOON + 1],
    ['of a single date within the tolerance is that date', { at: NOON - 60_000 }, NOON - 60_000],
    ['of an expression that matches the start is the start', { cron: '0 * * * *', startAt: NOON }, NOON],
    [
      'of an expression with a start to come is the first one from there on',
      { cron: '0 * * * *', startAt: NOON + HOUR + 1 },
      NOON + 2 * HOUR,
    ],
    [
      'of an expression is read in its zone',
      { cron: '0 9 * * *', timezone: 'America/New_York' },
      Date.UTC(2030, 0, 1, 14),
    ],
    [
      'of a start without an offset is read in the zone',
      { cron: '* * * * *', startAt: '2030-01-02T00:00', timezone: 'Asia/Tokyo' },
      Date.UTC(2030, 0, 1, 15),
    ],
  ])('%s', ([, options, first]) => {
    expect(firstOf(dates(options))).toBe(first);
  });
});

test('a fixed rate counts on the monotonic clock, an expression and a single date on the wall clock', () => {
  const clocks = [{ everyMs: 5 }, { cron: '* * * * *' }, { at: NOON + 1 }].map((options) => dates(options).clock);
  expect(clocks).toEqual(['monotonic', 'wall', 'wall']);
});

test('the end of a fixed rate is a moment of the monotonic clock', () => {
  const { calendar } = dates({ everyMs: HOUR, startAt: NOON, endAt: NOON + 2 * HOUR });
  expect(calendars.datesAfter(calendar, NOW.monotonic - 1, 9)).toEqual([NOW.monotonic, NOW.monotonic + HOUR]);
});

describe('a fixed rate that is read again later', () => {
  const later = { wall: NOON + 90_000, monotonic: NOW.monotonic + 90_000, shift: 5_000 };

  test('counts on from its anchor when its start is the same', () => {
    const old = dates({ everyMs: 60_000 });
    expect(firstOf(dates({ everyMs: 60_000 }, old, later))).toBe(NOW.monotonic + 120_000);
    expect(firstOf(dates({ everyMs: 50_000 }, old, later))).toBe(NOW.monotonic + 100_000);
  });

  test('counts from now when its start has changed', () => {
    const old = dates({ everyMs: 60_000, startAt: NOON });
    expect(firstOf(dates({ everyMs: 60_000 }, old, later))).toBe(later.monotonic + 60_000);
  });

  test('counts from now when it was an expression before', () => {
    const old = dates({ cron: '* * * * *' });
    expect(firstOf(dates({ everyMs: 60_000 }, old, later))).toBe(later.monotonic + 60_000);
  });
});

test('a calendar that fails is not a fault of the options', () => {
  const boom = (): never => {
    throw new Error('boom');
  };
  vi.spyOn(cronCalendars, 'cronCalendar').mockReturnValue({ after: boom, before: boom, count: boom });
  expect(dates({ cron: '0 * * * *' }).clock).toBe('wall');
});
