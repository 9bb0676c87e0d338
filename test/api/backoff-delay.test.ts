import { afterEach, describe, expect, test, vi } from 'vitest';
import { backoffDelayMs } from '../../src/api/backoff-delay.ts';
import type { Backoff } from '../../src/model/backoff.ts';

const half = () => 0.5;

afterEach(() => {
  vi.restoreAllMocks();
});

test.for<readonly [string, Backoff, number, number]>([
  ['the defaults, from half of the base delay to all of it', {}, 0, 150],
  ['a growing base delay', { firstMs: 100, jitter: 'none' }, 3, 800],
  ['the default maxMs', {}, 1_000, 22_500],
  ['a retry index of Infinity', { firstMs: 100, jitter: 'none' }, Infinity, 30_000],
  [
    'decorrelated jitter without a previous delay, from firstMs to three times firstMs',
    { firstMs: 100, jitter: 'decorrelated' },
    5,
    200,
  ],
])('the delay is right for %s', ([, backoff, index, expected]) => {
  expect(backoffDelayMs(backoff, index, half)).toBe(expected);
});

test('decorrelated jitter grows from the previous delay', () => {
  const backoff = { firstMs: 100, jitter: 'decorrelated' } as const;
  expect(backoffDelayMs(backoff, 0, half, 1_000)).toBe(1_550);
});

test("the random source is called once for each delay, and is the platform's unless one is given", () => {
  const platform = vi.spyOn(Math, 'random').mockReturnValue(0);
  const own = vi.fn(half);
  expect(backoffDelayMs({}, 0)).toBe(100);
  expect(backoffDelayMs({}, 0, own)).toBe(150);
  expect([platform.mock.calls.length, own.mock.calls.length]).toEqual([1, 1]);
});

describe('backoffDelayMs refuses', () => {
  const bad = <T>(value: unknown) => value as T;
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  test.for<readonly [what: string, field: string, call: () => number]>([
    ['a backoff of null', 'backoff', () => backoffDelayMs(bad(null), 0)],
    ['a backoff that cannot be read', 'backoff', () => backoffDelayMs(proxy, 0)],
    ['a negative firstMs', 'backoff.firstMs', () => backoffDelayMs({ firstMs: -1 }, 0)],
    ['a negative retryIndex', 'retryIndex', () => backoffDelayMs({}, -1)],
    ['a fraction as retryIndex', 'retryIndex', () => backoffDelayMs({}, 0.5)],
    ['a random that is not a function', 'random', () => backoffDelayMs({}, 0, bad(0.5))],
    ['a previousMs of NaN', 'previousMs', () => backoffDelayMs({}, 0, half, Number.NaN)],
  ])('%s by the field %s', ([, field, call]) => {
    expect(call).toThrow(expect.objectContaining({ name: 'OptionError', field }));
  });
});

test('a random number outside of [0, 1) is refused', () => {
  for (const drawn of [Number.NaN, 1, -0.1, Infinity])
    expect(() => backoffDelayMs({}, 0, () => drawn)).toThrow(/^random must return a number from 0 to below 1/);
});
