import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { drawJitterMs } from '../../../src/ext/cron/jitter.ts';

test.for<readonly [jitterMs: number, drawn: number, delayMs: number]>([
  [100, 0, 0],
  [100, 0.25, 25],
  [100, 0.5, 50],
  [0.5, 0.5, 0.25],
])('a jitter of up to %d ms with a random number of %d delays a date by %d ms', ([jitterMs, drawn, delayMs]) => {
  expect(drawJitterMs(jitterMs, () => drawn)).toBe(delayMs);
});

test('the delay is at least 0 and at most jitterMs for every random number in [0, 1)', () => {
  const jitters = fc.double({ min: 1e-3, max: 8.64e15, noNaN: true });
  const draws = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(jitters, draws, (jitterMs, drawn) => {
      const delayMs = drawJitterMs(jitterMs, () => drawn);
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThanOrEqual(jitterMs);
    }),
  );
});

test('a jitter of 0 does not call the random source', () => {
  const random = vi.fn(() => 0.5);
  expect(drawJitterMs(0, random)).toBe(0);
  expect(random).not.toHaveBeenCalled();
});

test('the random source is called once for each delay', () => {
  const random = vi.fn(() => 0.5);
  drawJitterMs(100, random);
  expect(random).toHaveBeenCalledTimes(1);
});

test.for([1, -0.1, Number.NaN, Infinity, undefined])('a random source that returns %s gives no delay', (drawn) => {
  expect(drawJitterMs(100, () => drawn as number)).toBe(0);
});

test('a random source that throws gives no delay', () => {
  const random = () => {
    throw new Error('boom');
  };
  expect(drawJitterMs(100, random)).toBe(0);
});
