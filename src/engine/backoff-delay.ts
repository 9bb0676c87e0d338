// The delay before a retry, for callers that wait on their own account. The actor uses the same arithmetic.

import { systemRandom } from '../kernel/random.ts';
import { type Backoff, parseBackoff } from '../model/backoff.ts';
import { aFunction, count, durationMs, refuse } from '../model/check.ts';
import { delayMs } from '../policy/backoff.ts';

/**
 * The delay in ms before retry `retryIndex` (0 for the first). `previousMs` matters to `decorrelated` jitter alone; default `firstMs`.
 * Throws SpecError for a bad argument.
 */
export function backoffDelayMs(
  backoff: Backoff,
  retryIndex: number,
  random: () => number = systemRandom,
  previousMs?: number,
): number {
  const resolved = parseBackoff('backoff', backoff);
  const index = count('retryIndex', retryIndex, 0);
  const previous = previousMs === undefined ? resolved.firstMs : durationMs('previousMs', previousMs);
  const drawn = aFunction<() => number>('random', random)();
  if (!(drawn >= 0 && drawn < 1)) refuse('random', 'must return a number from 0 to below 1', drawn);
  return delayMs(resolved, index, drawn, previous);
}
