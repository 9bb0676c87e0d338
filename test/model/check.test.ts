import { describe, expect, test } from 'vitest';
import {
  abortSignal,
  aFunction,
  anObject,
  count,
  durationMs,
  finiteMs,
  finiteNumber,
  LONGEST_NAME,
  nameText,
  oneOf,
  reading,
  readOptions,
  refuse,
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
    test(shown, () => {
      const message = `f must be else, got ${shown}`;
      expect(caught(() => refuse('f', 'must be else', got))).toMatchObject({ name: 'SpecError', message, field: 'f' });
      expect(new SpecError('f', 'must be else', got)).toMatchObject({ message });
    });
});

describe('options are the own fields, each read once', () => {
  test('in order; what is inherited, undefined or a symbol is absent', () => {
    let reads = 0;
    const given = Object.create({ inherited: 1 }) as Record<PropertyKey, unknown>;
    Object.defineProperty(given, 'counted', { get: () => ++reads, enumerable: true });
    Object.assign(given, { absent: undefined, last: null, [Symbol('s')]: 1 });
    const options = readOptions('f', given, ['last', 'absent', 'counted']);
    expect(Object.entries(options)).toEqual([
      ['counted', 1],
      ['last', null],
    ]);
    expect([options.counted, options.counted, reads]).toEqual([1, 1, 1]);
  });

  test('of any name where none is known, and never one that Object.prototype has', () => {
    const options = readOptions('env', JSON.parse('{ "A": "1", "__proto__": "2" }'));
    expect(Object.entries(options)).toEqual([
      ['A', '1'],
      ['__proto__', '2'],
    ]);
    expect(options.toString).toBeUndefined();
  });

  test('of an object only', () => {
    for (const value of [null, undefined, [], 'text', 1, () => {}])
      expect(caught(() => readOptions('f', value))).toMatchObject({ field: 'f', got: value });
    expect(() => readOptions('f', [])).toThrow(/^f must be an object, got an array$/);
  });

  const throwing = {
    get near(): never {
      throw new Error('not today');
    },
  };
  const rows: readonly [field: string, value: unknown, blamed: string, message: RegExp][] = [
    ['options', revoked({}), 'options', /^options must be readable, got .*revoked/],
    ['options', throwing, 'near', /^near must be readable, got .*: not today$/],
    ['limits', throwing, 'limits.near', /^limits\.near must be readable, got .*: not today$/],
    ['options', { neAr: 1 }, 'neAr', /^neAr is not an option \(did you mean near\?\), got 1$/],
    ['limits', { Far: 1 }, 'limits.Far', /^limits\.Far is not an option \(did you mean far\?\), got 1$/],
    ['limits', { xy: 1 }, 'limits.xy', /^limits\.xy is not an option \(known: /],
    ['limits', { nar: undefined }, 'limits.nar', /^limits\.nar is not .*did you mean near\?\), got undefined$/],
    [
      'limits',
      { elsewhere: 1 },
      'limits.elsewhere',
      /^limits\.elsewhere is not an option \(known: near, far\), got 1$/,
    ],
  ];
  for (const [field, value, blamed, message] of rows)
    test(`or refused: ${message.source}`, () => {
      const error = caught(() => readOptions(field, value, ['near', 'far']));
      expect(error).toBeInstanceOf(SpecError);
      expect(error).toMatchObject({ field: blamed, message: expect.stringMatching(message) });
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
