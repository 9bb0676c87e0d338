// Chance for dates: the core's own jitter arithmetic. Whatever the source of chance does, what comes out is from 0 to `jitterMs`.

import { backoffDelayMs } from '../../index.ts';

export function drawJitterMs(jitterMs: number, random: (() => number) | undefined): number {
  if (jitterMs === 0) return 0;
  try {
    const drawn = backoffDelayMs({ firstMs: jitterMs, factor: 1, maxMs: jitterMs, jitter: 'full' }, 0, random);
    return drawn <= jitterMs ? drawn : 0; // not NaN
  } catch {
    return 0;
  }
}
