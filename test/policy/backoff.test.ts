import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JITTERS, parseBackoff } from '../../src/model/backoff.ts';
import { delayMs } from '../../src/policy/backoff.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';

const delays = (backoff: object, random: number, retries: readonly number[], previousMs = 0) =>
  retries.map((n) => delayMs(parseBackoff('backoff', backoff), n, random, previousMs));

describe('the delay before a retry', () => {
  test('grows by the factor and stops at maxMs', () => {
    expect(delays({ firstMs: 100, jitter: 'none' }, 0, [0, 1, 2, 3, 50])).toEqual([100, 200, 400, 800, 30_000]);
  });

  test('is constant with factor 1, also above the default maxMs', () => {
    expect(delays({ firstMs: 60_000, factor: 1, jitter: 'none' }, 0, [0, 1, 99])).toEqual([60_000, 60_000, 60_000]);
  });

  test('is maxMs when the arithmetic overflows, and 0 when the base delay is 0', () => {
    expect(delays({ firstMs: 1, factor: 10, jitter: 'none' }, 0, [400, 1_000_000])).toEqual([30_000, 30_000]);
    expect(delays({ firstMs: 0, jitter: 'full' }, 0.5, [0, 5, 1_000_000])).toEqual([0, 0, 0]);
  });

  test('is at least 1 ms unless maxMs is less, and may be a fraction', () => {
    expect(delays({ firstMs: 0.5, jitter: 'none' }, 0, [0])).toEqual([1]);
    expect(delays({ firstMs: 0.5, maxMs: 0.5, jitter: 'none' }, 0, [0, 9])).toEqual([0.5, 0.5]);
    expect(delays({ firstMs: 1.25, jitter: 'none' }, 0, [0, 1])).toEqual([1.25, 2.5]);
  });

  test.for([
    ['none', 0.5, 800],
    ['full', 0, 1],
    ['full', 0.5, 400],
    ['equal', 0, 400],
    ['equal', 0.5, 600],
    ['band', 0, 100],
    ['band', 0.5, 1_250],
    ['decorrelated', 0, 100],
    ['decorrelated', 0.5, 425],
  ] as const)(
    'with jitter %s and the random number %d is %d ms for a base delay of 800 ms',
    ([jitter, random, expected]) => {
      expect(delays({ firstMs: 100, jitter }, random, [3], 250)).toEqual([expected]);
    },
  );

  test.for([0, 1, 33, 34])('with decorrelated jitter is at least firstMs after a delay of %d ms', (previousMs) => {
    const [delay = 0] = delays({ firstMs: 100, jitter: 'decorrelated' }, 0.5, [0], previousMs);
    expect(delay).toBe(previousMs < 34 ? 100 : 101);
  });

  test('is at least floorMs and at most maxMs', () => {
    expect(delays({ firstMs: 10, floorMs: 100, jitter: 'full' }, 0, [0])).toEqual([100]);
    expect(delays({ firstMs: 10, floorMs: 999, maxMs: 50, jitter: 'none' }, 0, [0])).toEqual([50]);
  });

  const FIRST = [0, Number.MIN_VALUE, 0.5, 1, 200, 1e200, Number.MAX_VALUE];
  const FACTORS = [1, 1 + Number.EPSILON, 2, 1e200, Number.MAX_VALUE];
  const LIMITS = [0, Number.MIN_VALUE, 1, 30_000, 1e200, Number.MAX_VALUE, Infinity];
  const RANDOM = [0, Number.MIN_VALUE, 0.5, 1 - Number.EPSILON / 2];
  test.each(JITTERS)(
    'with jitter %s is a number in its bounds for all extremes, and maxMs where it overflows',
    (jitter) => {
      const extremes = fc.record({
        firstMs: fc.constantFrom(...FIRST),
        factor: fc.constantFrom(...FACTORS),
        maxMs: fc.constantFrom(...LIMITS),
        floorMs: fc.constantFrom(0, 1, Number.MAX_VALUE),
      });
      const retry = fc.constantFrom(0, 1, 2, 3, 1_100, 1e6, Infinity);
      const previous = fc.constantFrom(...LIMITS);
      fc.assert(
        fc.property(extremes, retry, fc.constantFrom(...RANDOM), previous, (given, n, random, previousMs) => {
          fc.pre(given.firstMs <= given.maxMs);
          const delay = delayMs(parseBackoff('backoff', { ...given, jitter }), n, random, previousMs);
          expect(delay).toBeGreaterThanOrEqual(Math.min(given.floorMs, given.maxMs));
          expect(delay).toBeLessThanOrEqual(given.maxMs);
        }),
        { numRuns: 3_000 },
      );
      const endless = parseBackoff('backoff', { firstMs: 1e200, factor: 1e200, maxMs: Infinity, jitter });
      for (const random of RANDOM) expect(delayMs(endless, 3, random, Number.MAX_VALUE)).toBe(Infinity);
    },
  );

  test('is firstMs for every retry with factor 1, the retry Infinity included', () => {
    expect(delays({ firstMs: 7, factor: 1, jitter: 'none' }, 0, [Infinity])).toEqual([7]);
  });

  test('keeps its bounds for every backoff, retry and random number', () => {
    const backoff = fc.record({
      firstMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
      more: fc.double({ min: 0, max: 1e9, noNaN: true }),
      floorMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
      jitter: fc.constantFrom(...JITTERS),
    });
    fc.assert(
      fc.property(backoff, fc.nat(1_000_000), fc.nat(), ({ more, ...given }, n, seed) => {
        const resolved = parseBackoff('backoff', { ...given, maxMs: given.firstMs + more });
        const random = seededRandom(seed);
        const previous = resolved.firstMs + random() * (resolved.maxMs - resolved.firstMs);
        const delay = delayMs(resolved, n, random(), previous);
        expect(delay).toBeLessThanOrEqual(resolved.maxMs);
        expect(delay).toBeGreaterThanOrEqual(Math.min(resolved.floorMs, resolved.maxMs));
        if (resolved.firstMs > 0) expect(delay).toBeGreaterThanOrEqual(Math.min(1, resolved.maxMs));
      }),
      { numRuns: 2_000 },
    );
  });
});
