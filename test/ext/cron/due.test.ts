import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Calendar, everyCalendar } from '../../../src/ext/cron/calendar.ts';
import { type Due, type DuePolicy, decideDue, lastUpTo } from '../../../src/ext/cron/due.ts';

const SKIP = 0;
const ONCE = 1;

/** A calendar with these dates and no others. */
function listed(dates: readonly number[]): Calendar {
  return {
    after: (ms) => dates.find((date) => date > ms),
    before: (ms) => dates.findLast((date) => date < ms),
    count: (from, to) => dates.filter((date) => from < date && date <= to).length,
  };
}

describe('when dates have come due,', () => {
  type Row = readonly [what: string, now: number, policy: DuePolicy, due: Omit<Due, 'failure' | 'upTo'>];
  const rows: readonly Row[] = [
    [
      'a date at this very moment is run',
      10,
      { keep: SKIP, toleranceMs: 5 },
      { run: [10], missed: 0, lastMissed: undefined, next: 20 },
    ],
    [
      'a single date that is late by the whole tolerance is run',
      15,
      { keep: SKIP, toleranceMs: 5 },
      { run: [10], missed: 0, lastMissed: undefined, next: 20 },
    ],
    [
      'a single date that is later than the tolerance is missed with skip',
      16,
      { keep: SKIP, toleranceMs: 5 },
      { run: [], missed: 1, lastMissed: 10, next: 20 },
    ],
    [
      'a single date that is later than the tolerance is run with once',
      16,
      { keep: ONCE, toleranceMs: 5 },
      { run: [10], missed: 0, lastMissed: undefined, next: 20 },
    ],
    [
      'skip runs the latest if it is on time, and misses the others',
      31,
      { keep: SKIP, toleranceMs: 5 },
      { run: [30], missed: 2, lastMissed: 20, next: 40 },
    ],
    [
      'skip misses all if the latest is late',
      39,
      { keep: SKIP, toleranceMs: 5 },
      { run: [], missed: 3, lastMissed: 30, next: 40 },
    ],
    [
      'once runs the latest, however late it is',
      39,
      { keep: ONCE, toleranceMs: 5 },
      { run: [30], missed: 2, lastMissed: 20, next: 40 },
    ],
    [
      'catchUp runs the latest n, oldest first',
      39,
      { keep: 2, toleranceMs: 5 },
      { run: [20, 30], missed: 1, lastMissed: 10, next: 40 },
    ],
    [
      'catchUp runs all when there are fewer than n',
      39,
      { keep: 9, toleranceMs: 5 },
      { run: [10, 20, 30], missed: 0, lastMissed: undefined, next: 40 },
    ],
    [
      'the last date leaves no next date',
      45,
      { keep: ONCE, toleranceMs: 5 },
      { run: [40], missed: 3, lastMissed: 30, next: undefined },
    ],
  ];
  test.for(rows)('%s', ([, now, policy, due]) => {
    expect(decideDue(listed([10, 20, 30, 40]), 10, now, policy)).toEqual({ ...due, upTo: now, failure: undefined });
  });
});

test('a first date that is a fraction of a ms to come is decided: jitter that was added and taken off again may lose it', () => {
  const due = decideDue(listed([10, 20]), 10, 9.999, { keep: 0, toleranceMs: 5 });
  expect(due).toEqual({ run: [10], missed: 0, lastMissed: undefined, next: 20, upTo: 10, failure: undefined });
});

test('lateness is measured from the given moment, which may be later than the last date that is decided', () => {
  const decide = (toleranceMs: number) => decideDue(listed([10, 20, 30]), 10, 25, { keep: SKIP, toleranceMs }, 100);
  expect(decide(80)).toMatchObject({ run: [20], missed: 1, next: 30, upTo: 25 });
  expect(decide(79)).toMatchObject({ run: [], missed: 2, next: 30, upTo: 25 });
});

test('every date up to now is run or missed exactly once, in order, and the next date is the first after now', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(gaps, fc.nat(2_500), fc.nat(10), fc.nat(60), (given, afterFirst, keep, toleranceMs) => {
      let sum = 0;
      const dates = given.map((gap) => {
        sum += gap;
        return sum;
      });
      const now = (dates[0] as number) + afterFirst;
      const { run, missed, lastMissed, next } = decideDue(listed(dates), dates[0] as number, now, {
        keep,
        toleranceMs,
      });
      const past = dates.filter((date) => date <= now);
      expect([...past.slice(0, missed), ...run]).toEqual(past);
      expect(lastMissed).toBe(past[missed - 1]);
      expect(next).toBe(dates.find((date) => date > now));
      const isLatestOnTime = past.length > 0 && (past.at(-1) as number) >= now - toleranceMs;
      expect(run.length).toBe(Math.min(past.length, Math.max(keep, isLatestOnTime ? 1 : 0)));
    }),
  );
});

describe('however many dates came due,', () => {
  const everyMs = 10;
  const last = 1_000_000;

  test.for([SKIP, ONCE, 7, 150])(
    'the missed ones are counted exactly, and few dates are asked for: keep %d',
    (keep) => {
      let asked = 0;
      const every = everyCalendar(everyMs, 0);
      const counting: Calendar = {
        after: (ms) => {
          asked += 1;
          return every.after(ms);
        },
        before: (ms) => {
          asked += 1;
          return every.before(ms);
        },
        count: (from, to) => Math.floor(to / everyMs) - Math.floor(from / everyMs),
      };
      const { run, missed, lastMissed, next } = decideDue(counting, 0, last + 5, { keep, toleranceMs: 0 });
      expect(run).toEqual(Array.from({ length: keep }, (_, i) => last - (keep - 1 - i) * everyMs));
      expect(missed).toBe(last / everyMs + 1 - keep);
      expect(lastMissed).toBe(last - keep * everyMs);
      expect(next).toBe(last + everyMs);
      expect(asked).toBeLessThan(keep + 5);
    },
  );
});

describe('a calendar that throws', () => {
  const error = new Error('boom');
  const fails = (): never => {
    throw error;
  };
  const dates = listed([10, 20, 30]);
  const rows: readonly [asked: string, calendar: Calendar][] = [
    ['what follows the first date', { ...dates, after: fails }],
    ['what follows the last date', { ...dates, after: (ms) => (ms < 30 ? dates.after(ms) : fails()) }],
    ['the latest date', { ...dates, before: fails }],
    ['how many there are', { ...dates, count: fails }],
  ];
  for (const [asked, calendar] of rows)
    for (const [keep, run, missed] of [
      [ONCE, [10], 0],
      [SKIP, [], 1],
    ] as const)
      test(`when it is asked ${asked}: only the first date is decided, and the others still come. keep ${keep}`, () => {
        expect(decideDue(calendar, 10, 40, { keep, toleranceMs: 0 })).toEqual({
          ...{ run, missed, lastMissed: missed === 0 ? undefined : 10 },
          ...{ next: undefined, upTo: 10, failure: { error } },
        });
      });

  test('when it is asked for an earlier date, decides the first date only', () => {
    const calendar = { ...dates, before: (ms: number) => (ms > 30 ? dates.before(ms) : fails()) };
    expect(decideDue(calendar, 10, 40, { keep: 2, toleranceMs: 0 })).toMatchObject({ run: [10], missed: 0, upTo: 10 });
  });
});

test.for<readonly [ms: number, date: number | undefined]>([
  [9, undefined],
  [10, 10],
  [10.5, 10],
  [19.9, 10],
  [20, 20],
])('the last date up to %d, which may have a fraction, is %s', ([ms, date]) => {
  expect(lastUpTo(listed([10, 20, 30]), ms)).toBe(date);
});
