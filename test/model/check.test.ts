import { describe, expect, test } from 'vitest';
import {
  abortSignal,
  aFunction,
  anObject,
  count,
  durationMs,
  fieldsOf,
  finiteMs,
  finiteNumber,
  LONGEST_NAME,
  nameText,
  oneOf,
  reading,
  refuse,
  refuseUnknown,
} from '../../src/model/check.ts';
import { SpecError } from '../../src/model/error.ts';

const { signal } = new AbortController();
const notANumber = [Number.NaN, '1', null, undefined, {}, 1n, [1], true];
const revoked = (target: object) => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
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
const aboveZero = (field: string, value: unknown) => durationMs(field, value, 'aboveZero');
const from0 = (field: string, value: unknown) => count(field, value, 0);
const from1 = (field: string, value: unknown) => count(field, value, 1);

const checks: readonly [
  name: string,
  check: (field: string, value: unknown) => unknown,
  good: unknown[],
  bad: unknown[],
][] = [
  ['a duration', durationMs, [0, 0.5, Infinity, Number.MAX_VALUE], [-1, -Infinity, ...notANumber]],
  ['a duration above 0', aboveZero, [Number.MIN_VALUE, Infinity], [0, -0, -1, ...notANumber]],
  ['a finite duration', finiteMs, [0, 1e9], [Infinity, -1, ...notANumber]],
  ['a count from 0', from0, [0, 1, Number.MAX_SAFE_INTEGER, Infinity], [-1, 0.5, 2 ** 53, -Infinity, ...notANumber]],
  ['a count from 1', from1, [1, Infinity], [0, -0, ...notANumber]],
  ['a finite number', finiteNumber, [0, -1.5, 1e300], [Infinity, -Infinity, ...notANumber]],
  [
    'one of some words',
    word,
    ['one', 'two'],
    ['three', 'One', '', 'toString', 1, null, undefined, ['one'], new String('one')],
  ],
  ['an object', anObject, [{}, [], Object.create(null)], [null, undefined, 'text', 1, () => {}]],
  ['a function', aFunction, [() => {}, class {}], [null, undefined, {}, 'text']],
  [
    'a name',
    nameText,
    ['x', '__proto__', ' ', '🙂', 'x'.repeat(LONGEST_NAME)],
    ['', 'x'.repeat(LONGEST_NAME + 1), 1, null, undefined, Symbol('x')],
  ],
  [
    'an AbortSignal',
    abortSignal,
    [signal, AbortSignal.abort()],
    [null, undefined, {}, new AbortController(), new EventTarget(), 'text'],
  ],
];
for (const [name, check, good, bad] of checks)
  describe(name, () => {
    test('passes as it is', () => {
      for (const value of good) expect(check('f', value)).toBe(value);
    });
    test('or is refused by field, with the value got', () => {
      for (const value of bad) {
        const error = caught(() => check('f', value));
        expect(error).toBeInstanceOf(SpecError);
        expect(error).toMatchObject({ field: 'f', got: value });
      }
    });
  });

test('-0 becomes 0', () => {
  expect([durationMs('f', -0), finiteMs('f', -0), count('f', -0, 0)]).toStrictEqual([0, 0, 0]);
});

describe('a refusal shows what it got', () => {
  const rows: readonly [shown: string, got: unknown][] = [
    ['"text"', 'text'],
    [`"${'x'.repeat(60)}…"`, 'x'.repeat(1_000)],
    ['"a\\nb"', 'a\nb'],
    ['-0', -0],
    ['NaN', Number.NaN],
    ['7n', 7n],
    ['null', null],
    ['undefined', undefined],
    ['Symbol(s)', Symbol('s')],
    ['a function', () => {}],
    ['an array', [1]],
    ['an object', { a: 1 }],
    ['a value that cannot be described', revoked({})],
    ['a function', revoked(() => {})],
  ];
  for (const [shown, got] of rows)
    test(shown, () => expect(() => refuse('f', 'must be else', got)).toThrow(`f must be else, got ${shown}`));
});

describe('an unknown option', () => {
  test.for([
    ['timeoutMS', 'did you mean timeoutMs?'],
    ['TimeoutMs', 'did you mean timeoutMs?'],
    ['stalMs', 'did you mean stallMs?'],
    ['somethingElse', 'known: timeoutMs, stallMs'],
  ] as const)('%s: %s', ([key, hint]) => {
    expect(() => refuseUnknown('spec.', key, 5, ['timeoutMs', 'stallMs'])).toThrow(
      `spec.${key} is not an option (${hint}), got 5`,
    );
  });
});

describe('fields are the own ones, each read once', () => {
  test('in order, inherited and symbol keys left alone', () => {
    let reads = 0;
    const given = Object.create({ inherited: 1 }) as Record<PropertyKey, unknown>;
    Object.defineProperty(given, 'counted', { get: () => ++reads, enumerable: true });
    given.absent = undefined;
    given[Symbol('s')] = 1;
    expect(fieldsOf('f', given)).toEqual([
      ['counted', 1],
      ['absent', undefined],
    ]);
    expect(reads).toBe(1);
    expect(fieldsOf('f', JSON.parse('{"__proto__":1}'))).toEqual([['__proto__', 1]]);
  });

  test('of an object only', () => {
    for (const value of [null, undefined, [], 'text', 1, () => {}])
      expect(() => fieldsOf('f', value)).toThrow('f must be an object');
  });
});

describe('reading', () => {
  const boom = (): never => {
    throw new Error('boom');
  };
  test('hands on what was read, and a refusal as it is', () => {
    const refusal = new SpecError('inner', 'must be', 1, '1');
    expect(reading('f', {}, () => 7)).toBe(7);
    expect(
      caught(() =>
        reading('f', {}, () => {
          throw refusal;
        }),
      ),
    ).toBe(refusal);
  });

  test('makes a refusal of whatever else reading throws', () => {
    const given = {
      get a() {
        return boom();
      },
    };
    for (const [value, read] of [
      [given, () => given.a],
      [revoked({}), () => Object.keys(revoked({}))],
    ] as const) {
      const error = caught(() => reading('f', value, read));
      expect(error).toBeInstanceOf(SpecError);
      expect((error as SpecError).field).toBe('f');
      expect((error as SpecError).got).toBe(value);
    }
    expect(() => reading('f', given, () => given.a)).toThrow('boom');
  });
});
