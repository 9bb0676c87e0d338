import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Calendar, everyCalendar } from '../../../src/ext/cron/calendar.ts';
import { type Due, type DuePolicy, decideDue, MAX_COUNTED } from '../../../src/ext/cron/due.ts';

const SKIP = 0;
const ONCE = 1;

/** A calendar with these dates and no others. */
function listed(dates: readonly number[]): Calendar {
  return {
    after: (ms) => dates.find((date) => date > ms),
    before: (ms) => dates.findLast((date) => date < ms),
    count: (from, to) => dates.filter((date) => date > from && date <= to).length,
  };
}

describe('when dates have come due,', () => {
  type Row = readonly [what: string, now: number, policy: DuePolicy, due: Omit<Due, 'failure'>];
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
    expect(decideDue(listed([10, 20, 30, 40]), 10, now, policy)).toEqual({ ...due, failure: undefined });
  });
});

test('a first date that is still to come is the next one, and nothing is run or missed', () => {
  const due = decideDue(listed([10, 20]), 10, 9, { keep: 5, toleranceMs: 5 });
  expect(due).toEqual({ run: [], missed: 0, lastMissed: undefined, next: 10, failure: undefined });
});

test('every date up to now is run or missed exactly once, in order, and the next date is the first after now', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(gaps, fc.nat(2_500), fc.nat(10), fc.nat(60), (given, now, keep, toleranceMs) => {
      let sum = 0;
      const dates = given.map((gap) => {
        sum += gap;
        return sum;
      });
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

describe('more dates than are counted', () => {
  const everyMs = 10;
  const last = 1_000_000;

  test.for([SKIP, ONCE, 7, 150])('count as at least 100 missed, and the latest are run: keep %d', (keep) => {
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
      count: every.count,
    };
    const { run, missed, lastMissed, next } = decideDue(counting, 0, last + 5, { keep, toleranceMs: 0 });
    expect(run).toEqual(Array.from({ length: keep }, (_, i) => last - (keep - 1 - i) * everyMs));
    expect(missed).toBeGreaterThanOrEqual(MAX_COUNTED);
    expect(lastMissed).toBe(last - keep * everyMs);
    expect(next).toBe(last + everyMs);
    expect(asked).toBeLessThan(2 * (MAX_COUNTED + Math.max(keep, 1)) + 10);
  });
});

describe('a calendar that throws', () => {
  const error = new Error('boom');
  const fails = (): never => {
    throw error;
  };

  test('still decides about the dates that it gave before, and there is no next date', () => {
    const dates = listed([10, 20, 30]);
    const calendar = { ...dates, after: (ms: number) => (ms < 20 ? dates.after(ms) : fails()) };
    expect(decideDue(calendar, 10, 40, { keep: ONCE, toleranceMs: 0 })).toEqual({
      run: [20],
      missed: 1,
      lastMissed: 10,
      next: undefined,
      failure: { error },
    });
  });

  test('while it looks for the latest dates is reported as the failure', () => {
    const calendar = { ...everyCalendar(1, 0), before: fails };
    const { next, failure } = decideDue(calendar, 0, 10_000, { keep: ONCE, toleranceMs: 0 });
    expect([next, failure]).toEqual([undefined, { error }]);
  });
});
