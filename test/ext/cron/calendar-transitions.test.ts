import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { datesAfter } from '../../../src/ext/cron/calendar.ts';
import { cronCalendar } from '../../../src/ext/cron/cron-calendar.ts';
import { expectedDates, type Field, HOUR, type Shape, type Transition, transitionsOf } from './zones.ts';

const YEARS = [2024, 2030] as const;
const WINDOW = 6 * HOUR;
/** Random expressions for each transition. */
const RUNS = 5;

// The first eight have gaps of an hour and of half an hour, negative summer time, and three zones
// that have no transitions any more. The others have transitions at midnight, over the change of
// the day, of two hours, or at odd quarters of an hour.
const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Asia/Tehran',
  'America/Sao_Paulo',
  'Pacific/Apia',
  'Africa/Cairo',
  'America/Havana',
  'America/Santiago',
  'America/Nuuk',
  'Antarctica/Troll',
  'Pacific/Chatham',
];
/** Zones without transitions in these years. Their last transitions are tested, too. */
const RETIRED = ['Asia/Tehran', 'America/Sao_Paulo', 'Pacific/Apia'];

const range = (low: number, high: number, step = 1) =>
  Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => low + i * step);

function fieldOf(top: number, most: number): fc.Arbitrary<Field> {
  const value = fc.integer({ min: 0, max: top });
  const list = fc
    .uniqueArray(value, { minLength: 1, maxLength: most })
    .map((values) => ({ text: values.join(','), values, fixed: true }));
  const steps = fc
    .constantFrom(...[7, 15, 20, 30].filter((step) => step <= top))
    .map((step) => ({ text: `*/${step}`, values: range(0, top, step), fixed: false }));
  const stepped = fc.tuple(value, value, fc.constantFrom(2, 3, 11)).map(([a, b, step]) => {
    const [low, high] = a < b ? [a, b] : [b, a];
    return { text: `${low}-${high}/${step}`, values: range(low, high, step), fixed: false };
  });
  return fc.oneof({ weight: 3, arbitrary: list }, steps, stepped);
}

const every = (top: number): Field => ({ text: '*', values: range(0, top), fixed: false });
const only = (...values: number[]): Field => ({ text: values.join(','), values, fixed: true });

const minutes = fc.oneof({ weight: 6, arbitrary: fieldOf(59, 4) }, fc.constant(every(59)));
const early = fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 });
const hours = fc.oneof(
  fc.constant(every(23)),
  fc.constant<Field>({ text: '*/2', values: range(0, 23, 2), fixed: false }),
  early.map((values) => only(...values)),
  fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 12 }).map((values) => only(...values)),
  fc
    .integer({ min: 0, max: 20 })
    .map((low): Field => ({ text: `${low}-${low + 3}`, values: range(low, low + 3), fixed: true })),
);
const seconds = fc.oneof(
  fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 2 }).map((values) => only(...values)),
  fc.constant<Field>({ text: '*/30', values: [0, 30], fixed: false }),
);

const anyDay = () => true;
const DAY_NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/**
 * Day fields that match near a transition: its day of the month, its weekday, the weekday after it,
 * and the last day of the month.
 */
function daysNear({ at, after }: Transition): fc.Arbitrary<{ text: string; day: Shape['day'] }> {
  const local = new Date(at + after);
  const isLast = (day: Date) => new Date(day.getTime() + 24 * HOUR).getUTCMonth() !== day.getUTCMonth();
  const weekday = local.getUTCDay();
  const next = (weekday + 1) % 7;
  return fc.constantFrom(
    { text: '* * *', day: anyDay },
    { text: `* * ${weekday}`, day: (day: Date) => day.getUTCDay() === weekday },
    { text: `* * ${DAY_NAMES[next]}`, day: (day: Date) => day.getUTCDay() === next },
    { text: `* * ${weekday}L`, day: (day: Date) => day.getUTCDay() === weekday && isInLastWeek(day) },
    { text: '* * MON-FRI', day: (day: Date) => day.getUTCDay() % 6 !== 0 },
    { text: `${local.getUTCDate()} * *`, day: (day: Date) => day.getUTCDate() === local.getUTCDate() },
    { text: 'L * *', day: isLast },
  );
}

const isInLastWeek = (day: Date): boolean =>
  new Date(day.getTime() + 7 * 24 * HOUR).getUTCMonth() !== day.getUTCMonth();

const FULL_MINUTE = only(0);

function shapes(transition: Transition): fc.Arbitrary<Shape> {
  const plain = fc.tuple(minutes, hours, daysNear(transition)).map(([m, h, { text, day }]) => ({
    ...{ text: `${m.text} ${h.text} ${text}`, day },
    ...{ seconds: FULL_MINUTE, minutes: m, hours: h },
  }));
  const toTheSecond = fc
    .tuple(seconds, fieldOf(59, 2), hours, daysNear(transition))
    .map(([s, m, h, { text, day }]) => ({
      ...{ text: `${s.text} ${m.text} ${h.text} ${text}`, day },
      ...{ seconds: s, minutes: m, hours: h },
    }));
  return fc.oneof({ weight: 2, arbitrary: plain }, toTheSecond);
}

/**
 * Around one transition the calendar must give exactly the expected dates: forwards, backwards, and
 * from any moment in between.
 */
function expectAgreement(transition: Transition, numRuns: number): void {
  const { at, zone } = transition;
  const [from, to] = [at - WINDOW, at + WINDOW];
  fc.assert(
    fc.property(shapes(transition), fc.double({ min: from, max: to, noNaN: true }), (shape, anywhere) => {
      const calendar = cronCalendar(shape.text, zone);
      const expected = expectedDates(transition, shape, from, to);
      const label = `${shape.text} in ${zone} around ${new Date(at).toISOString()}`;

      expect(datesAfter(calendar, from - 1, expected.length), label).toEqual(expected);
      const beyond = calendar.after(expected.at(-1) ?? from - 1);
      expect(beyond === undefined || beyond > to, label).toBe(true);

      const back: number[] = [];
      for (let date = calendar.before(to + 1); date !== undefined && date >= from; date = calendar.before(date))
        back.push(date);
      expect(back.reverse(), `${label}, backwards`).toEqual(expected);

      const ahead = expected.filter((date) => date > anywhere);
      expect(calendar.count(from - 1, to), `${label}, counted`).toBe(expected.length);
      expect(calendar.count(anywhere, to), `${label}, counted from ${anywhere}`).toBe(ahead.length);
      expect(calendar.count(from - 1, anywhere), `${label}, counted to ${anywhere}`).toBe(
        expected.length - ahead.length,
      );

      const next = ahead[0];
      if (next !== undefined) expect(calendar.after(anywhere), `${label}, from ${anywhere}`).toBe(next);
    }),
    { numRuns },
  );
}

describe('around zone transitions the calendar gives each expected date once and in order', () => {
  for (const zone of ZONES) {
    const found = transitionsOf(zone, ...YEARS);
    test(`in ${zone}, for ${found.length} transitions from ${YEARS.join(' to ')}`, () => {
      expect(found.length > 0).toBe(!RETIRED.includes(zone));
      for (const transition of found) expectAgreement(transition, RUNS);
    });
  }

  for (const zone of RETIRED) {
    test(`in ${zone}, for its last transitions, and at those of Europe/Berlin`, () => {
      const last = transitionsOf(zone, 2017, 2022);
      expect(last.length).toBeGreaterThan(2);
      for (const transition of last) expectAgreement(transition, RUNS);
      for (const { at } of transitionsOf('Europe/Berlin', 2026, 2027)) {
        const [{ after } = { after: 0 }] = last.slice(-1);
        expectAgreement({ zone, at, before: after, after }, RUNS);
      }
    });
  }
});

describe('on the example dates of the README', () => {
  const BERLIN = 'Europe/Berlin';
  test.for<readonly [rule: string, text: string, zone: string, day: string, dates: readonly string[]]>([
    ['a skipped time of day runs at the end of the gap', '30 2 * * *', BERLIN, '2040-03-25', ['01:00']],
    ['several skipped times of day run once', '10,40 2 * * *', BERLIN, '2040-03-25', ['01:00']],
    ['a gap that ends on the next day leaves its day without a run', '30 23 * * *', 'America/Nuuk', '2026-03-29', []],
    ['a repeated time of day runs the first time', '30 2 * * *', BERLIN, '2040-10-28', ['00:30']],
    ['an interval skips a gap', '30 2-3/1 * * *', BERLIN, '2040-03-25', ['01:30']],
    ['an interval runs at both moments', '30 2-2/1 * * *', BERLIN, '2040-10-28', ['00:30', '01:30']],
  ])('%s', ([, text, zone, day, dates]) => {
    // The time that is skipped in Nuuk would be at 1:30 UTC.
    const start = Date.parse(`${day}T00:00:00Z`);
    const calendar = cronCalendar(text, zone);
    const found = datesAfter(calendar, start - 1, 4).filter((date) => date < start + 24 * HOUR);
    expect(found.map((date) => new Date(date).toISOString().slice(11, 16))).toEqual(dates);
    expect(calendar.count(start - 1, start + 24 * HOUR - 1)).toBe(dates.length);
  });
});
