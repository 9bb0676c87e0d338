import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bounded, type Calendar, everyCalendar } from '../../../src/ext/cron/calendar.ts';
import { remembered } from '../../../src/ext/cron/remembered.ts';

const MINUTE = 60_000;

/** Counts the questions to a calendar of full minutes, which may have a first and a last date. */
function counting(first = -Infinity, end = Infinity): { calendar: Calendar; asked: () => number } {
  const minutes = bounded(everyCalendar(MINUTE, 0), first, end);
  let asked = 0;
  const one =
    <A extends unknown[], R>(answer: (...args: A) => R) =>
    (...args: A): R => {
      asked += 1;
      return answer(...args);
    };
  return {
    calendar: { after: one(minutes.after), before: one(minutes.before), count: one(minutes.count) },
    asked: () => asked,
  };
}

describe('a calendar that remembers its answers', () => {
  test('gives the answers of the calendar, whatever was asked before', () => {
    const plain = bounded(everyCalendar(10, 0), -50, 50);
    const moment = fc.integer({ min: -80, max: 80 });
    const question = fc.tuple(fc.constantFrom('after', 'before', 'count'), moment, moment);
    fc.assert(
      fc.property(fc.array(question, { maxLength: 40 }), (questions) => {
        const calendar = remembered(plain);
        for (const [method, ms, to] of questions)
          if (method === 'count') expect(calendar.count(ms, to)).toBe(plain.count(ms, to));
          else if (method === 'after') expect(calendar.after(ms)).toBe(plain.after(ms));
          else expect(calendar.before(ms)).toBe(plain.before(ms));
      }),
    );
  });

  test('works out once what many ask within one minute after a long sleep', () => {
    const { calendar, asked } = counting();
    const shared = remembered(calendar);
    for (let i = 0; i < 2_000; i += 1) {
      const now = 10_000 * MINUTE + 5 + i / 100;
      expect(shared.count(0, now)).toBe(10_000);
      expect(shared.before(now)).toBe(10_000 * MINUTE);
      expect(shared.after(now)).toBe(10_001 * MINUTE);
    }
    expect(asked()).toBeLessThan(6);
  });

  test('asks once a date on the way back', () => {
    const { calendar, asked } = counting();
    const shared = remembered(calendar);
    let date: number | undefined = 0;
    for (let i = 0; i < 100; i += 1) date = shared.before(date as number);
    expect([date, asked() < 105]).toEqual([-100 * MINUTE, true]);
  });

  test('remembers that there is no later date', () => {
    const { calendar, asked } = counting(0, MINUTE);
    const shared = remembered(calendar);
    for (let i = 0; i < 9; i += 1) expect(shared.after(i)).toBeUndefined();
    expect(asked()).toBe(1);
  });

  test('remembers nothing of a question that threw', () => {
    const { calendar } = counting();
    let broken = true;
    const shared = remembered({
      ...calendar,
      after: (ms) => {
        if (broken) throw new Error('broken');
        return calendar.after(ms);
      },
    });
    expect(() => shared.after(5)).toThrow('broken');
    broken = false;
    expect(shared.after(5)).toBe(MINUTE);
  });
});
