import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { deferred, ignore, promised, settled } from '../../src/kernel/deferred.ts';

const boom = new Error('boom');
const fail = (): never => {
  throw boom;
};
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const aTypeError: unknown = expect.any(TypeError);

type Settle = (value: unknown) => void;
const thenable = (then: ((yes: Settle, no: Settle) => unknown) | number): object =>
  Object.fromEntries([['then', then]]);

test('a deferred settles once, by its resolve or its reject', async () => {
  const one = deferred<string>();
  one.resolve('first');
  one.reject(boom);
  expect(await one.promise).toBe('first');
  const other = deferred<string>();
  other.reject(boom);
  await expect(other.promise).rejects.toBe(boom);
});

describe('settled calls back exactly once, and never within the call, for', () => {
  class Quick extends Promise<string> {
    // biome-ignore lint/suspicious/noThenProperty: a subclass whose then calls back at once
    override then(onValue?: unknown): never {
      (onValue as Settle)('at once');
      return undefined as never;
    }
  }
  const rows: readonly [name: string, make: () => unknown, expected: readonly ['value' | 'error', unknown]][] = [
    ['a promise', () => Promise.resolve('value'), ['value', 'value']],
    ['a rejection', () => Promise.reject(boom), ['error', boom]],
    ['a rejection with undefined', () => Promise.reject(undefined), ['error', undefined]],
    ['a promise of a thenable', () => Promise.resolve(thenable((yes) => yes('inner'))), ['value', 'inner']],
    [
      'a promise with its own then',
      () => Object.defineProperty(Promise.resolve('the true one'), 'then', { value: fail }),
      ['value', 'the true one'],
    ],
    [
      'a promise whose constructor throws when it is read',
      () => Object.defineProperty(Promise.resolve(), 'constructor', { get: fail }),
      ['error', boom],
    ],
    ['a subclass that calls back synchronously', () => new Quick(() => {}), ['value', 'at once']],
    ['a thenable that calls back synchronously', () => thenable((yes) => yes('value')), ['value', 'value']],
    ['a thenable that throws', () => thenable(fail), ['error', boom]],
    [
      'a thenable that settles, and then throws',
      () =>
        thenable((yes) => {
          yes('value');
          fail();
        }),
      ['value', 'value'],
    ],
    [
      'a thenable that settles three times',
      () => thenable((yes, no) => [yes('value'), no(boom), yes('again')]),
      ['value', 'value'],
    ],
    [
      'an object whose then throws when it is read',
      () => Object.defineProperty({}, 'then', { get: fail }),
      ['error', boom],
    ],
    ['a revoked proxy', revoked, ['error', aTypeError]],
    ['a proxy around a promise', () => new Proxy(Promise.resolve('value'), {}), ['error', aTypeError]],
    ['an object that only inherits from Promise', () => Object.create(Promise.prototype), ['error', aTypeError]],
  ];
  for (const [name, make, [kind, expected]] of rows)
    test(name, async () => {
      const [onValue, onError] = [vi.fn(), vi.fn()];
      settled(make(), onValue, onError);
      expect([onValue.mock.calls, onError.mock.calls]).toEqual([[], []]);
      await turn();
      const calls = { value: onValue.mock.calls, error: onError.mock.calls };
      expect(calls).toEqual({ value: [], error: [], [kind]: [[expected]] });
    });
});

describe('ignore returns', () => {
  const rows: readonly [name: string, make: () => unknown, expected: boolean][] = [
    ['a promise', () => Promise.resolve(), true],
    ['a thenable object', () => thenable(() => {}), true],
    [
      'a thenable function',
      () =>
        Object.assign(
          () => {},
          thenable(() => {}),
        ),
      true,
    ],
    ['an object whose then throws when it is read', () => Object.defineProperty({}, 'then', { get: fail }), true],
    ['a revoked proxy', revoked, true],
    ['an object whose then is not a function', () => thenable(1), false],
    ['null', () => null, false],
    ['undefined', () => undefined, false],
    ['a string', () => 'then', false],
    ['a function', () => () => {}, false],
  ];
  for (const [name, make, expected] of rows)
    test(`${expected} for ${name}`, () => expect(ignore(make())).toBe(expected));
});

test('promised reads then once', async () => {
  let reads = 0;
  const value = Object.defineProperty({}, 'then', {
    get: () => {
      reads += 1;
      return (yes: Settle) => yes('value');
    },
  });
  expect(await promised(value)).toBe('value');
  expect(reads).toBe(1);
});

test('promised settles as the thenable does, and returns undefined for a value that is not a thenable', async () => {
  expect(await promised(thenable((yes) => yes('value')))).toBe('value');
  await expect(promised(thenable(fail))).rejects.toBe(boom);
  expect(promised('value')).toBeUndefined();
});

test('ignore keeps a rejection from being reported as unhandled', async () => {
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  ignore(Promise.reject(boom));
  for (const value of [Promise.reject(boom), thenable(fail), revoked()]) ignore(value);
  await turn();
  await turn();
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});
