import { describe, expect, test } from 'vitest';
import {
  aBoolean,
  abortSignal,
  aFunction,
  anObject,
  count,
  durationMs,
  finiteMs,
  finiteNumber,
  MAX_NAME_LENGTH,
  nameText,
  numberFrom,
  oneOf,
  positiveMs,
  refuse,
  wholeFrom,
  wholeNumber,
} from '../../src/model/check.ts';
import { OptionError } from '../../src/model/error.ts';

const { signal } = new AbortController();
const notANumber = [Number.NaN, '1', null, undefined, {}, 1n, [1], true];
const revoked = (target: object) => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};
const throwing = {
  get aborted(): never {
    throw new Error('must not be read');
  },
};
const caught = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
};

const word = (field: string, value: unknown) => oneOf(field, value, ['one', 'two']);
const numbers = (field: string, value: unknown) => numberFrom(field, value, 1, 2);
const wholes = (field: string, value: unknown) => wholeFrom(field, value, 1, 2);
const from0 = (field: string, value: unknown) => count(field, value, 0);
const from1 = (field: string, value: unknown) => count(field, value, 1);

const checks: readonly [
  name: string,
  check: (field: string, value: unknown) => unknown,
  good: unknown[],
  bad: unknown[],
][] = [
  ['a duration', durationMs, [0, 0.5, Infinity, Number.MAX_VALUE], [-1, -Infinity, ...notANumber]],
  ['a duration above 0', positiveMs, [Number.MIN_VALUE, Infinity], [0, -0, -1, ...notANumber]],
  ['a finite duration', finiteMs, [0, 1e9], [Infinity, -1, ...notANumber]],
  ['a count from 0', from0, [0, 1, Number.MAX_SAFE_INTEGER, Infinity], [-1, 0.5, 2 ** 53, -Infinity, ...notANumber]],
  ['a count from 1', from1, [1, Infinity], [0, -0, ...notANumber]],
  ['a number within bounds', numbers, [1, 1.5, 2], [0, 2.1, Infinity, ...notANumber]],
  [
    'a whole number',
    wholeNumber,
    [-1, 0, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    [0.5, 2 ** 53, Infinity, -Infinity, ...notANumber],
  ],
  ['a whole number within bounds', wholes, [1, 2], [0, 1.5, 3, Infinity, ...notANumber]],
  ['a finite number', finiteNumber, [0, -1.5, 1e300], [Infinity, -Infinity, ...notANumber]],
  [
    'one of some words',
    word,
    ['one', 'two'],
    ['three', 'One', '', 'toString', 1, null, undefined, ['one'], new String('one')],
  ],
  ['a boolean', aBoolean, [true, false], [null, undefined, 0, 'true', new Boolean(true)]],
  ['an object', anObject, [{}, [], Object.create(null)], [null, undefined, 'text', 1, () => {}]],
  ['a function', aFunction, [() => {}, class {}], [null, undefined, {}, 'text']],
  [
    'a name',
    nameText,
    ['x', '__proto__', ' ', '🙂', 'x'.repeat(MAX_NAME_LENGTH)],
    ['', 'x'.repeat(MAX_NAME_LENGTH + 1), 1, null, undefined, Symbol('x')],
  ],
  [
    'an AbortSignal',
    abortSignal,
    [signal, AbortSignal.abort()],
    [null, undefined, {}, new AbortController(), new EventTarget(), 'text', throwing],
  ],
];
for (const [name, check, good, bad] of checks)
  describe(`the check of ${name}`, () => {
    test('accepts a good value and returns it unchanged', () => {
      for (const value of good) expect(check('f', value)).toBe(value);
    });
    test('refuses every other value, with the field and the value in the error', () => {
      for (const value of bad) {
        const error = caught(() => check('f', value));
        expect(error).toBeInstanceOf(OptionError);
        expect([(error as OptionError).field, (error as OptionError).got]).toEqual(['f', value]);
      }
    });
  });

test('the checks of durations, counts and whole numbers turn -0 into 0', () => {
  const turned = [durationMs('f', -0), finiteMs('f', -0), count('f', -0, 0), wholeNumber('f', -0)];
  expect(turned).toStrictEqual([0, 0, 0, 0]);
});

describe('the message of an OptionError', () => {
  const rows: readonly [shown: string, got: unknown][] = [
    ['"text"', 'text'],
    [`"${'x'.repeat(60)}…"`, 'x'.repeat(1_000)],
    ['"a\\nb"', 'a\nb'],
    ['-0', -0],
    ['NaN', Number.NaN],
    ['7n', 7n],
    [`1${'0'.repeat(59)}…`, 10n ** 100n],
    ['null', null],
    ['undefined', undefined],
    ['Symbol(s)', Symbol('s')],
    [`Symbol(${'s'.repeat(53)}…`, Symbol('s'.repeat(100))],
    ['a function', () => {}],
    ['an array', [1]],
    ['an object', { a: 1 }],
    ['a value that cannot be described', revoked({})],
    ['a function', revoked(() => {})],
  ];
  for (const [shown, got] of rows)
    test(`shows a value of type ${typeof got} as ${shown}`, () => {
      const message = `f must be else, got ${shown}`;
      expect(caught(() => refuse('f', 'must be else', got))).toMatchObject({
        name: 'OptionError',
        message,
        field: 'f',
      });
      expect(new OptionError('f', 'must be else', got)).toMatchObject({ message });
    });
});
