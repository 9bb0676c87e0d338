import { expect, test } from 'vitest';
import { bare } from '../../src/kernel/bare.ts';

test('a bare object has the fields of its source, and inherits none', () => {
  const made = bare({ here: 1, absent: undefined, ['__proto__']: 2 });
  expect(Object.getPrototypeOf(made)).toBe(null);
  expect(Object.entries(made)).toEqual([
    ['here', 1],
    ['absent', undefined],
    ['__proto__', 2],
  ]);
});

test('a bare object leaves its source unchanged', () => {
  const source = { here: 1 };
  bare(source).here = 2;
  expect(source).toEqual({ here: 1 });
});
