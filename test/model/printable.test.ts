import { expect, test } from 'vitest';
import { cut, printable } from '../../src/model/printable.ts';

test('control characters, line breaks, marks of text direction and half characters are escaped', () => {
  expect(printable('a\u001b[2J\u009b1m\u007f')).toBe('a\\u001b[2J\\u009b1m\\u007f');
  expect(printable('\r\n\u2028\u2029')).toBe('\\u000d\\u000a\\u2028\\u2029');
  expect(printable('\u202e\u2066\ud83d')).toBe('\\u202e\\u2066\\ud83d');
});

test('all other text stays as it is', () => {
  const text = 'a "quoted" \\ text, with é, 日本 and 😀';
  expect(printable(text)).toBe(text);
});

test('a text is cut to its limit, and ends with a mark then', () => {
  expect([cut('abc', 3), cut('abcd', 3), cut('', 3)]).toEqual(['abc', 'ab…', '']);
});
