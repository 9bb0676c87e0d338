import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { plainOf, plainPart, record, recordClass, showAs } from '../../src/model/record.ts';

const fail = (): never => {
  throw new Error('must not be read');
};
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

describe('a record', () => {
  const Made = recordClass<[number], { n: number }>(function (n) {
    this.n = n;
  });
  const both = [record({ n: 1 }), new Made(1)];

  test('shares its prototype with every other, which has toJSON and nothing else', () => {
    const [first, second] = both.map((one) => Object.getPrototypeOf(one));
    expect(first).toBe(second);
    expect(Reflect.ownKeys(first)).toEqual(['toJSON']);
    expect(Object.getPrototypeOf(first)).toBe(Object.prototype);
  });

  test('counts as a plain object', () => {
    for (const one of both) {
      expect(one).toStrictEqual({ n: 1 });
      expect(inspect(one)).toBe('{ n: 1 }');
      expect(structuredClone(one)).toStrictEqual({ n: 1 });
      expect(Object.getPrototypeOf({ ...one })).toBe(Object.prototype);
      const keys: string[] = [];
      for (const key in one) keys.push(key);
      expect(keys).toEqual(['n']);
    }
  });

  test('is written with the records that it holds', () => {
    const inner = record({ fence: 7n, error: fail });
    expect(JSON.stringify(record({ inner, list: [inner], gone: undefined }))).toBe(
      '{"inner":{"fence":"7","error":"[not JSON: a function]"},"list":[{"fence":"7","error":"[not JSON: a function]"}]}',
    );
  });
});

describe('a part that JSON can hold', () => {
  const rows: readonly [unknown, unknown][] = [
    ['text', 'text'],
    [true, true],
    [0.1, 0.1],
    [-0, 0],
    ['\ud800', '\ud800'],
    [Number.NaN, null],
    [Infinity, null],
    [null, null],
    [
      { at: new Date(0), list: [1, undefined, fail] },
      { at: '1970-01-01T00:00:00.000Z', list: [1, null, null] },
    ],
    [-(2n ** 80n), '-1208925819614629174706176'],
    [{ deep: [1n] }, { deep: ['1'] }],
    [new Map([[1, 2]]), {}],
    [{ toJSON: () => 'own' }, 'own'],
    [JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":1}}')],
  ];
  test.each(rows)('%#', (value, plain) => expect(plainPart(value)).toStrictEqual(plain));
});

describe('a part that JSON cannot hold is a text that says why', () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const endless = (): object => ({
    get next() {
      return endless();
    },
  });
  const rows: readonly [string, unknown, string][] = [
    ['a function', fail, '[not JSON: a function]'],
    ['a symbol', Symbol('s'), '[not JSON: Symbol(s)]'],
    ['a cycle', circle, '[not JSON: Converting circular structure to JSON]'],
    [
      'a getter that throws',
      {
        a: {
          get b() {
            return fail();
          },
        },
      },
      '[not JSON: must not be read]',
    ],
    ['a toJSON that throws', { toJSON: fail }, '[not JSON: must not be read]'],
    [
      'a toJSON that throws nothing of use',
      {
        toJSON: () => {
          throw revoked();
        },
      },
      '[not JSON: [a value that cannot be described]]',
    ],
    ['a toJSON that gives nothing', { toJSON: () => undefined }, '[not JSON: an object]'],
    ['a revoked proxy', revoked(), "[not JSON: Cannot perform 'get' on a proxy that has been revoked]"],
    ['a proxy that throws', new Proxy({}, { getPrototypeOf: fail, get: fail }), '[not JSON: must not be read]'],
    ['what never ends', endless(), '[not JSON: Maximum call stack size exceeded]'],
    ['a huge bigint', 2n ** 1_000_000n, '[not JSON: a huge bigint]'],
  ];
  test.each(rows)('%s', (_, value, text) => {
    expect(plainPart(value)).toBe(text);
    expect(JSON.parse(JSON.stringify(record({ value, n: 1 })))).toEqual({ value: text, n: 1 });
  });
});

test('a part whose JSON text is longer than 2^27 characters says so', () => {
  expect(plainPart('x'.repeat(2 ** 27 - 1))).toBe('[not JSON: 134217729 characters]');
});

describe('an error is written with', () => {
  const plain = (error: unknown) => plainPart(error) as Record<string, unknown>;

  test('its name, message, code, stack and cause', () => {
    const cause = Object.assign(new RangeError('deep'), { code: 7 });
    const error = Object.assign(new TypeError('boom', { cause }), { code: 'E_BOOM', other: 1 });
    expect(plain(error)).toStrictEqual({
      name: 'TypeError',
      message: 'boom',
      code: 'E_BOOM',
      stack: error.stack,
      cause: { name: 'RangeError', message: 'deep', code: 7, stack: cause.stack },
    });
  });

  test('these fields wherever it is, also one of another realm, and one with a toJSON of its own', () => {
    const far = runInNewContext("new TypeError('far')");
    const own = Object.assign(new Error('own'), { toJSON: () => ({}) });
    expect(plain(far)).toMatchObject({ name: 'TypeError', message: 'far' });
    expect(plain(own)).toMatchObject({ name: 'Error', message: 'own' });
    expect(plain({ list: [far] })).toMatchObject({ list: [{ name: 'TypeError', message: 'far' }] });
    expect(plain(new DOMException('gone', 'AbortError'))).toMatchObject({ name: 'AbortError', message: 'gone' });
  });

  test('four causes at most, also where causes form a circle', () => {
    const error = new Error('round');
    error.cause = error;
    let depth = -1;
    for (let one: unknown = plain(error); one !== undefined; one = (one as { cause?: unknown }).cause) depth += 1;
    expect(depth).toBe(4);
  });

  test('a cause that is no error, and errors in it without their causes', () => {
    const wide = new Error('wide');
    wide.cause = Array.from({ length: 20 }, () => wide);
    expect((plain(wide) as { cause: unknown[] }).cause[19]).toEqual({
      name: 'Error',
      message: 'wide',
      stack: wide.stack,
    });
    expect(plain(new Error('x', { cause: fail }))).toMatchObject({ cause: '[not JSON: a function]' });
  });

  test('texts of at most 10,000 characters', () => {
    const error = new Error('x'.repeat(20_000));
    const { message, stack } = plain(error) as { message: string; stack: string };
    expect([message.length, message.at(-1), stack.length]).toEqual([10_000, '…', 10_000]);
  });

  test('what can be read of it', () => {
    const odd = Object.defineProperties(new Error('odd'), {
      stack: { value: [] },
      message: { get: fail },
      name: { value: 7n },
      code: { value: {} },
      cause: { get: fail },
    });
    expect(plain(odd)).toStrictEqual({ name: 'Error', message: '' });
  });
});

test('a bigint is decimal text, also where the program gave bigints a toJSON of its own', () => {
  const prototype = BigInt.prototype as { toJSON?: () => unknown };
  prototype.toJSON = () => 'mine';
  try {
    expect(plainPart(7n)).toBe('7');
  } finally {
    delete prototype.toJSON;
  }
});

test('plainOf leaves out what is undefined, and the field that is named', () => {
  expect(plainOf({ a: 1, b: 2 }, 'b')).toStrictEqual({ a: 1 });
  expect(plainOf({ a: undefined, b: null })).toStrictEqual({ b: null });
});

test('showAs makes JSON and the console show an object by its plain form', () => {
  class Shown {
    readonly n = 1;
  }
  showAs(Shown, ({ n }) => ({ shown: n }));
  const one = new Shown();
  expect(JSON.stringify([one])).toBe('[{"shown":1}]');
  expect(inspect(one)).toBe('{ shown: 1 }');
  expect(one).toEqual({ n: 1 });
  expect(Object.keys(Shown.prototype)).toEqual([]);
});
