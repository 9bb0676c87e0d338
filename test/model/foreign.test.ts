import { runInNewContext } from 'node:vm';
import { expect, describe as group, test } from 'vitest';
import { describe, field, isUnreachable } from '../../src/model/foreign.ts';

const INDESCRIBABLE = '[a value that cannot be described]';
const fail = (): never => {
  throw new Error('must not be read');
};
const revoked = (target: object) => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};
const throwing = {
  get message() {
    return fail();
  },
};

test('field reads own and inherited fields', () => {
  expect(field(new Error('boom'), 'message')).toBe('boom');
  expect(field(new Error('boom'), 'name')).toBe('Error');
});

test('field returns undefined for a value that is not an object or that throws', () => {
  for (const value of [throwing, revoked({}), null, undefined, 'text', 7])
    expect(field(value, 'message')).toBeUndefined();
});

test('isUnreachable knows errors of connections by their code', () => {
  for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT'])
    expect(isUnreachable(Object.assign(new Error('connect'), { code }))).toBe(true);
  for (const error of [new Error('ECONNREFUSED'), { code: 'EPIPE' }, { code: 7 }, undefined, revoked({})])
    expect(isUnreachable(error)).toBe(false);
});

group('describe', () => {
  const rows: readonly [name: string, thrown: unknown, text: string][] = [
    ['an error', new Error('boom'), 'boom'],
    ['an error of another realm', runInNewContext("new TypeError('far')"), 'far'],
    ['a frozen error', Object.freeze(new Error('cold')), 'cold'],
    ['an error without a message', new Error(), ''],
    ['an object with a message', { message: 'said' }, 'said'],
    ['an object whose message is not a string', { message: 7 }, '[object Object]'],
    ['an object without a prototype', Object.create(null), '[object Object]'],
    ['an array', [1, 2], '[object Array]'],
    ['a string', 'words', 'words'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a number', -0.5, '-0.5'],
    ['a bigint', 7n, '7'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['a function', fail, '[function]'],
    [
      'an object whose message throws when it is read',
      {
        get message() {
          return fail();
        },
      },
      INDESCRIBABLE,
    ],
    [
      'an object whose toStringTag throws when it is read',
      {
        get [Symbol.toStringTag]() {
          return fail();
        },
      },
      INDESCRIBABLE,
    ],
    ['a proxy that throws', new Proxy({}, { get: fail }), INDESCRIBABLE],
    ['a revoked proxy', revoked({}), INDESCRIBABLE],
    ['a revoked proxy of an array', revoked([]), INDESCRIBABLE],
    ['a revoked proxy of a function', revoked(fail), '[function]'],
  ];
  for (const [name, thrown, text] of rows)
    test(`gives ${name} the text ${JSON.stringify(text)}`, () => expect(describe(thrown)).toBe(text));

  test('cuts a text of more than 1,000 characters and ends it with an ellipsis', () => {
    expect(describe('x'.repeat(1_000))).toBe('x'.repeat(1_000));
    expect(describe(new Error('x'.repeat(1e6)))).toBe(`${'x'.repeat(999)}…`);
  });
});
