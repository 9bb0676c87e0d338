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

test('a deferred settles once, by the handle outside', async () => {
  const one = deferred<string>();
  one.resolve('first');
  one.reject(boom);
  expect(await one.promise).toBe('first');
  const other = deferred<string>();
  other.reject(boom);
  await expect(other.promise).rejects.toBe(boom);
});

describe('settled calls back exactly once, never within the call', () => {
  class Quick extends Promise<string> {
    // biome-ignore lint/suspicious/noThenProperty: a subclass whose own then calls back at once
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
      'a promise with a then of its own',
      () => Object.defineProperty(Promise.resolve('the true one'), 'then', { value: fail }),
      ['value', 'the true one'],
    ],
    [
      'a promise whose constructor cannot be read',
      () => Object.defineProperty(Promise.resolve(), 'constructor', { get: fail }),
      ['error', boom],
    ],
    ['a subclass that calls back at once', () => new Quick(() => {}), ['value', 'at once']],
    ['a thenable that calls back at once', () => thenable((yes) => yes('value')), ['value', 'value']],
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
    ['a then that cannot be read', () => Object.defineProperty({}, 'then', { get: fail }), ['error', boom]],
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

describe('waiting makes sense', () => {
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
    ['a then that cannot be read', () => Object.defineProperty({}, 'then', { get: fail }), true],
    ['a revoked proxy', revoked, true],
    ['a then that is no function', () => thenable(1), false],
    ['null', () => null, false],
    ['undefined', () => undefined, false],
    ['a text', () => 'then', false],
    ['a function', () => () => {}, false],
  ];
  for (const [name, make, expected] of rows)
    test(`${expected ? 'for' : 'not for'} ${name}`, () => expect(ignore(make())).toBe(expected));
});

test('then is read once', async () => {
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

test('a promise of what a thenable comes to, and none of what is no thenable', async () => {
  expect(await promised(thenable((yes) => yes('value')))).toBe('value');
  await expect(promised(thenable(fail))).rejects.toBe(boom);
  expect(promised('value')).toBeUndefined();
});

test('an ignored rejection is nobody’s to handle', async () => {
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  ignore(Promise.reject(boom));
  for (const value of [Promise.reject(boom), thenable(fail), revoked()]) ignore(value);
  await turn();
  await turn();
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});
