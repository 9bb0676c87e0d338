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
 * is less than 1. It is at most `maxMs`, which overrides both.
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
        return base * random;
      case 'equal':
        return base / 2 + (base / 2) * random;
      case 'band':
        return between(firstMs, Math.min(3 * base, maxMs), random);
      case 'decorrelated':
        return between(firstMs, Math.min(3 * previousMs, maxMs), random);
    }
  }
}

/**
 * `min(firstMs * factor^n, maxMs)`. An overflow gives `maxMs`. A `firstMs` of 0 gives 0 for every
 * n, because 0 times an infinite factor would be NaN.
 */
function baseMs({ firstMs, factor, maxMs }: ResolvedBackoff, retryIndex: number): number {
  if (firstMs === 0) return 0;
  return Math.min(firstMs * factor ** retryIndex, maxMs);
}

/**
 * A number between `low` and `high`; `low` if `high` is not greater. An infinite `high` counts as
 * the largest finite number, because there is no number between `low` and infinity to draw.
 */
function between(low: number, high: number, random: number): number {
  return low + Math.max(0, Math.min(high, Number.MAX_VALUE) - low) * random;
}
