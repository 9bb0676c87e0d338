import { expect, test } from 'vitest';
import { createTaskIds } from '../../src/model/id.ts';

test('an id is a prefix of ten characters, a dash and the number of the submission', () => {
  expect(createTaskIds().text(7)).toMatch(/^[\w-]{10}-7$/);
});

test('the ids of two supervisors differ', () => {
  expect(createTaskIds().text(1)).not.toBe(createTaskIds().text(1));
});

test('the number of an id of this supervisor can be read from the id', () => {
  const ids = createTaskIds();
  for (const n of [1, 9, 10, 123_456_789, Number.MAX_SAFE_INTEGER]) expect(ids.number(ids.text(n))).toBe(n);
});

test('the number of an id can be read if the prefix has dashes', () => {
  const ids = createTaskIds('a-1-b-2-c-');
  expect(ids.number(ids.text(12))).toBe(12);
});

test.for([
  'other-----1',
  'prefix-',
  'prefix',
  '',
  'prefix-0',
  'prefix-01',
  'prefix-1 ',
  'prefix--1',
  'prefix-1.5',
  'prefix-1e3',
  'prefix-x',
  'prefix-12345678901234567',
  'xprefix-1',
])('%j is not an id of this supervisor', (text) => {
  expect(createTaskIds('prefix').number(text)).toBeUndefined();
});

test('a value that is not a string is not an id', () => {
  for (const value of [undefined, null, 1, {}, ['prefix-1']])
    expect(createTaskIds('prefix').number(value as never)).toBeUndefined();
});
