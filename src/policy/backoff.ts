// Computes the delay of a retry: exponential growth, cap and jitter. The random number is a
// parameter, so the same input gives the same delay. The jitters `full`, `equal` and `decorrelated`
// are those of "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015). `band` is
// decorrelated jitter without memory: it uses the base delay in place of the previous delay.

import type { ResolvedBackoff } from '../model/backoff.ts';

/**
 * The delay before a retry, in ms. The first retry has the index 0. `random` is in [0, 1). Only
 * `decorrelated` uses `previousMs`, which is `firstMs` for the first retry. Fractions of a ms are
 * kept.
 *
 * The delay is at least `floorMs`. It is at least 1 ms too, unless the base delay is 0 or `maxMs`
 * is less than 1. It is at most `maxMs`, which overrides both. It is never NaN. Where a number
 * overflows, the delay is `maxMs`.
 */
export function delayMs(backoff: ResolvedBackoff, retryIndex: number, random: number, previousMs: number): number {
  const { firstMs, maxMs, floorMs } = backoff;
  const base = baseMs(backoff, retryIndex);
  const least = base > 0 ? Math.max(floorMs, Math.min(1, maxMs)) : floorMs;
  return Math.min(Math.max(jittered(), least), maxMs);

  function jittered(): number {
    switch (backoff.jitter) {
      case 'none':
        return base;
      case 'full':
        return between(0, base, random);
      case 'equal':
        return between(base / 2, base, random);
      case 'band':
        return between(firstMs, Math.min(3 * base, maxMs), random);
      case 'decorrelated':
        return between(firstMs, Math.min(3 * previousMs, maxMs), random);
    }
  }
}

/**
 * `min(firstMs * factor^n, maxMs)`. An overflow gives `maxMs`. Without growth it is `firstMs` for
 * every n, because 0 times infinity and 1 to the power of infinity are NaN.
 */
function baseMs({ firstMs, factor, maxMs }: ResolvedBackoff, retryIndex: number): number {
  if (firstMs === 0 || factor === 1) return firstMs;
  return Math.min(firstMs * factor ** retryIndex, maxMs);
}

/**
 * A number from `low` to `high`; `low` if `high` is not greater. An infinite `high` gives itself:
 * there is no number to draw, and infinity times a `random` of 0 would be NaN.
 */
function between(low: number, high: number, random: number): number {
  return high === Infinity ? high : low + Math.max(0, high - low) * random;
}
