import { expect, test } from 'vitest';
import { MAX_DATE_MS } from '../../../src/ext/cron/calendar.ts';
import { textOf } from '../../../src/ext/cron/error-text.ts';

test('MAX_DATE_MS is the last moment that a Date can hold', () => {
  expect([MAX_DATE_MS, -MAX_DATE_MS].map((ms) => new Date(ms).getTime())).toEqual([MAX_DATE_MS, -MAX_DATE_MS]);
  expect(new Date(MAX_DATE_MS + 1).getTime()).toBeNaN();
});

test.for<readonly [what: string, error: unknown, text: string]>([
  ['an error', new TypeError('no such field'), 'no such field'],
  ['a string', 'no such field', 'no such field'],
  ['undefined', undefined, 'undefined'],
  ['an error with 160 characters', new Error('x'.repeat(160)), 'x'.repeat(160)],
])('the text of %s is its whole message', ([, error, text]) => {
  expect(textOf(error)).toBe(text);
});

test('a message of more than 160 characters is cut to its first and last 80', () => {
  for (const between of [1, 1_000]) {
    const message = `${'a'.repeat(80)}${'b'.repeat(between)}${'c'.repeat(80)}`;
    expect(textOf(new Error(message))).toBe(`${'a'.repeat(80)} … ${'c'.repeat(80)}`);
  }
});
