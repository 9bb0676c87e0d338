import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readExpression } from '../../../src/ext/cron/expression.ts';
import { LocalDates } from '../../../src/ext/cron/local-dates.ts';

const DAY = 86_400_000;
const EXPRESSIONS = ['*/7 3-5 * * *', '0 0 29 2 *', '15 10 L-3 * ?', '5,10 30 12 ? * FRI#2 2024-2026', '0 0 1W * *'];

test('counting dates gives the number of steps from one to the next', () => {
  const moments = fc.double({ min: Date.UTC(2023, 0), max: Date.UTC(2027, 0), noNaN: true });
  fc.assert(
    fc.property(
      fc.constantFrom(...EXPRESSIONS),
      moments,
      fc.double({ min: 0, max: 40 * DAY, noNaN: true }),
      (text, from, ms) => {
        const dates = new LocalDates(readExpression(text));
        let steps = 0;
        for (let at = dates.next(from); at !== undefined && at <= from + ms; at = dates.next(at)) steps += 1;
        expect(dates.count(from, from + ms)).toBe(steps);
      },
    ),
  );
});
