// The arithmetic of retries: exponential growth, cap and jitter. Chance comes in as a value, so the same input gives the same delay.
// The jitters `full`, `equal` and `decorrelated` are those of "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015);
// `band` is decorrelated jitter without memory: it uses the grown base in place of the previous delay.

import type { ResolvedBackoff } from '../model/backoff.ts';

/**
 * The delay before retry n (from 0). `random` is in [0, 1); `previousMs` matters to `decorrelated` alone and starts at `firstMs`.
 * Fractions are kept. At least `floorMs`, at least 1 ms unless the base is 0 or `maxMs` is smaller, at most `maxMs`.
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

/** `min(firstMs * factor^n, maxMs)`; overflow gives `maxMs`, a zero stays zero however large n is. */
function baseMs({ firstMs, factor, maxMs }: ResolvedBackoff, retryIndex: number): number {
  if (firstMs === 0) return 0;
  return Math.min(firstMs * factor ** retryIndex, maxMs);
}

/** `low` where nothing lies between. An infinite cap has no middle: stay at the largest finite delay instead of never. */
function between(low: number, high: number, random: number): number {
  return low + Math.max(0, Math.min(high, Number.MAX_VALUE) - low) * random;
}
