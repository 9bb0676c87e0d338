import { describe, expect, test } from 'vitest';
import { errorRowOf } from '../../../src/ext/dashboard/error-row.ts';
import type { ErrorRow } from '../../../src/ext/dashboard/wire.ts';

const rowOf = (error: unknown, withStack = true): ErrorRow | undefined =>
  errorRowOf({ kind: 'thrown', error, message: '', fatal: false }, withStack);

test('an error is its name, code, message and stack, and its causes', () => {
  const root = new RangeError('root');
  const error = Object.assign(new TypeError('boom', { cause: root }), { code: 'EBOOM' });
  expect(rowOf(error)).toEqual({
    ...{ name: 'TypeError', code: 'EBOOM', message: 'boom', stack: error.stack },
    cause: { name: 'RangeError', message: 'root', stack: `${root.stack}`.slice(0, 1_000) },
  });
});

test('without its stack an error is its name, code and message, and no getter of its stack is called', () => {
  const error = Object.assign(new Error('boom', { cause: new Error('root') }), { code: 7 });
  Object.defineProperty(error, 'stack', {
    get: () => {
      throw new Error('was read');
    },
  });
  expect(rowOf(error, false)).toEqual({ name: 'Error', code: '7', message: 'boom' });
});

test('what is no error, and a failure without one, has no row', () => {
  for (const value of [undefined, null, 'text', 7n, {}, () => {}]) expect(rowOf(value)).toBeUndefined();
  expect(errorRowOf({ kind: 'timedOut', afterMs: 5, message: '', fatal: false }, true)).toBeUndefined();
});

test('all texts are cut', () => {
  const long = 'x'.repeat(1_000_000);
  const error = Object.assign(new Error(long, { cause: new Error(long) }), { name: long, code: long, stack: long });
  const { name, code, message, stack, cause } = rowOf(error) as ErrorRow;
  expect([name, code, message, stack, cause?.message, cause?.stack].map((text) => text?.length)).toEqual([
    100, 100, 1_000, 3_000, 1_000, 1_000,
  ]);
});

test('at most three causes are shown, also of a cycle', () => {
  const error = new Error('round');
  error.cause = error;
  let depth = 0;
  for (let row = rowOf(error); row !== undefined; row = row.cause) depth += 1;
  expect(depth).toBe(4);
});

const no = () => {
  throw new Error('no');
};

/** Made when they are used: to print them would read them. */
const HOSTILE: Readonly<Record<string, readonly [make: () => unknown, row: ErrorRow | undefined]>> = {
  'getters that throw': [
    () => {
      const error = new Error('x');
      for (const key of ['stack', 'name', 'code', 'message', 'cause']) Object.defineProperty(error, key, { get: no });
      return error;
    },
    { name: 'Error', message: '' },
  ],
  'a proxy whose trap throws': [() => new Proxy(new Error('x'), { get: no }), { name: 'Error', message: '' }],
  'a revoked proxy': [
    () => {
      const { proxy, revoke } = Proxy.revocable(new Error('x'), {});
      revoke();
      return proxy;
    },
    undefined,
  ],
  'fields of other types': [
    () => Object.assign(new Error('x'), { name: 7, message: {}, code: 7n, stack: [], cause: 'text' }),
    { name: 'Error', message: '' },
  ],
};

describe('a hostile error does no harm', () => {
  test.each(Object.keys(HOSTILE))('%s', (what) => {
    const [make, row] = HOSTILE[what] as (typeof HOSTILE)[string];
    expect(rowOf(make())).toEqual(row);
  });
});
