// Random expressions of the whole documented syntax against a second reading of the rules.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { datesAfter } from '../../../src/ext/cron/calendar.ts';
import { cronCalendar } from '../../../src/ext/cron/cron-calendar.ts';
import { type KnownZone, readingOf, SecondOpinion } from './second-reading.ts';
import { HOUR, offsetMs, transitionsOf } from './zones.ts';

const DAY = 24 * HOUR;
const RUNS = 5_000;
/** Moments that are asked about. Dates are looked for a few years around them. */
const [FIRST, LAST] = [2025, 2029];
const [START, END] = [Date.UTC(FIRST - 2, 0), Date.UTC(LAST + 3, 0)];

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'America/Santiago',
  'America/Nuuk',
  'Africa/Cairo',
  'Antarctica/Troll',
  'Pacific/Chatham',
  'Asia/Kolkata',
];
const KNOWN = new Map<string, KnownZone>(
  ZONES.map((name) => {
    const transitions = transitionsOf(name, FIRST - 3, LAST + 4);
    return [name, { name, transitions, offset: transitions[0]?.before ?? offsetMs(name, START) }];
  }),
);

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** Values, ranges, ranges that wrap, and steps, as one item of a list. */
function itemOf(low: number, high: number, names: readonly string[] = []): fc.Arbitrary<string> {
  const value = fc.tuple(fc.integer({ min: low, max: high }), fc.boolean()).map(([number, isName]) => {
    const name = names[number - low];
    return isName && name !== undefined ? name : `${number}`;
  });
  const step = fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: high }));
  const range = fc.tuple(value, value).map(([from, to]) => `${from}-${to}`);
  return fc.oneof(
    { weight: 6, arbitrary: value },
    { weight: 2, arbitrary: range },
    { weight: 1, arbitrary: fc.tuple(range, step).map(([text, by]) => `${text}/${by}`) },
    { weight: 1, arbitrary: fc.tuple(value, step).map(([text, by]) => `${text}/${by}`) },
    { weight: 1, arbitrary: step.map((by) => `*/${by}`) },
  );
}

function listOf(item: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 3, arbitrary: item },
    { weight: 1, arbitrary: fc.array(item, { minLength: 2, maxLength: 4 }).map((items) => items.join(',')) },
  );
}

const any = fc.constant('*');
const day = fc.integer({ min: 1, max: 31 });
const days = listOf(
  fc.oneof(
    { weight: 5, arbitrary: itemOf(1, 31) },
    { weight: 1, arbitrary: fc.constant('L') },
    { weight: 1, arbitrary: day.map((n) => `${n}W`) },
  ),
);
const weekday = fc.oneof(fc.integer({ min: 0, max: 7 }).map(String), fc.constantFrom(...WEEKDAYS));
const nth = fc.tuple(weekday, fc.constantFrom('L', '#1', '#2', '#3', '#4', '#5', '#L')).map((parts) => parts.join(''));
const weekdays = listOf(fc.oneof({ weight: 4, arbitrary: itemOf(0, 7, WEEKDAYS) }, { weight: 1, arbitrary: nth }));
const names = (text: string): boolean => !/(^|,|-)\d/.test(text);

const dayFields = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(any, any) },
  { weight: 3, arbitrary: fc.tuple(days, fc.constantFrom('*', '?')) },
  { weight: 3, arbitrary: fc.tuple(any, weekdays) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('?'), weekdays.filter(names)) },
  { weight: 3, arbitrary: fc.tuple(days, weekdays) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('LW'), fc.oneof(any, weekdays)) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.integer({ min: 1, max: 27 }).map((n) => `L-${n}`),
      fc.constantFrom('*', '?'),
    ),
  },
);
const months = fc.oneof({ weight: 3, arbitrary: any }, { weight: 1, arbitrary: listOf(itemOf(1, 12, MONTHS)) });
const seconds = fc.oneof({ weight: 1, arbitrary: fc.constant('0') }, { weight: 1, arbitrary: itemOf(0, 59) });
const minutes = fc.oneof({ weight: 8, arbitrary: listOf(itemOf(0, 59)) }, { weight: 1, arbitrary: any });
const early = listOf(fc.integer({ min: 0, max: 4 }).map(String));
const hours = fc.oneof(
  { weight: 3, arbitrary: listOf(itemOf(0, 23)) },
  { weight: 3, arbitrary: early },
  { weight: 1, arbitrary: any },
);
const year = fc.integer({ min: 2023, max: 2031 });
const years = fc.oneof(
  { weight: 1, arbitrary: any },
  {
    weight: 2,
    arbitrary: listOf(
      fc.oneof(
        year.map(String),
        fc.tuple(year, year).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
        fc.tuple(year, fc.constantFrom('/2', '/3', '-2040/2')).map((parts) => parts.join('')),
        fc.constantFrom('*/2', '*/3'),
      ),
    ),
  },
);

const expressions = fc
  .tuple(fc.integer({ min: 5, max: 7 }), seconds, minutes, hours, dayFields, months, years)
  .map(([count, s, m, h, [dom, dow], month, y]) => {
    const fields = [...(count > 5 ? [s] : []), m, h, dom, month, dow, ...(count > 6 ? [y] : [])];
    return fields.join(' ');
  });
const nicknames = fc.constantFrom('@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly');
const texts = fc.oneof({ weight: 50, arbitrary: expressions }, { weight: 1, arbitrary: nicknames });

/** Any moment, or one near a transition. */
function moments(zone: string): fc.Arbitrary<number> {
  const anywhere = fc.double({ min: Date.UTC(FIRST, 0), max: Date.UTC(LAST, 0), noNaN: true });
  const near = (KNOWN.get(zone)?.transitions ?? []).filter(
    ({ at }) => at >= Date.UTC(FIRST, 0) && at < Date.UTC(LAST, 0),
  );
  if (near.length === 0) return anywhere;
  const around = fc
    .tuple(fc.constantFrom(...near), fc.integer({ min: -36 * 3_600, max: 12 * 3_600 }), fc.boolean())
    .map(([{ at }, seconds, isWhole]) => at + seconds * 1_000 + (isWhole ? 0 : 0.5));
  return fc.oneof(anywhere, around);
}

const spans = fc.oneof(
  fc.double({ min: 0, max: 5 * DAY, noNaN: true }),
  fc.double({ min: 0, max: 100 * DAY, noNaN: true }),
  fc.double({ min: 0, max: 800 * DAY, noNaN: true }),
);
const cases = fc
  .constantFrom(...ZONES)
  .chain((zone) => fc.record({ zone: fc.constant(zone), text: texts, ms: moments(zone), span: spans }));

describe('for random expressions', () => {
  test(`the dates, the way back and the counts are those of a second reading of the rules (${RUNS} times)`, () => {
    fc.assert(
      fc.property(cases, ({ zone, text, ms, span }) => {
        const calendar = cronCalendar(text, zone);
        const second = new SecondOpinion(readingOf(text), KNOWN.get(zone) as KnownZone);
        const dates = datesAfter(calendar, ms, 4);
        expect(dates.filter((date) => date < END)).toEqual(second.after(ms, 4, END));
        const before = calendar.before(ms);
        expect(before !== undefined && before >= START ? before : undefined).toBe(second.before(ms, START));
        expect(calendar.count(ms, ms + span)).toBe(second.count(ms, ms + span));
      }),
      { numRuns: RUNS },
    );
  });

  test('counting is stepping with after, and before is its inverse', () => {
    fc.assert(
      fc.property(cases, ({ zone, text, ms }) => {
        const calendar = cronCalendar(text, zone);
        const dates = datesAfter(calendar, ms, 10).filter((date) => date < END);
        for (const [i, date] of dates.entries()) {
          expect(calendar.count(ms, date)).toBe(i + 1);
          expect(calendar.count(ms, date - 0.5)).toBe(i);
          expect(calendar.before(date)).toBe(
            i === 0 ? calendar.before(Math.floor(ms / 1_000) * 1_000 + 1) : dates[i - 1],
          );
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
