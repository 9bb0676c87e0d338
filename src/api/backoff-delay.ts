// The delay before a retry, for callers that do their own waiting. The restart engine uses the same
// arithmetic.

import { systemRandom } from '../kernel/random.ts';
import { type Backoff, parseBackoff } from '../model/backoff.ts';
import { aFunction, count, durationMs, refuse } from '../model/check.ts';
import { fromCaller } from '../model/error.ts';
import { delayMs } from '../policy/backoff.ts';

/**
 * The delay in ms before a retry, by the arithmetic of the restart engine.
 *
 * @param retryIndex 0 for the first retry.
 * @param random returns a number in [0, 1). Default `Math.random`.
 * @param previousMs the delay before this one; only `decorrelated` jitter uses it. Default
 *   `firstMs`.
 * @throws OptionError for an invalid argument.
 */
export function backoffDelayMs(
  backoff: Backoff,
  retryIndex: number,
  random: () => number = systemRandom,
  previousMs?: number,
): number {
  return fromCaller(backoffDelayMs, () => {
    const resolved = parseBackoff('backoff', backoff);
    const index = count('retryIndex', retryIndex, 0);
    const previous = previousMs === undefined ? resolved.firstMs : durationMs('previousMs', previousMs);
    const drawn = aFunction<() => number>('random', random)();
    if (!(drawn >= 0 && drawn < 1)) refuse('random', 'must return a number from 0 to below 1', drawn);
    return delayMs(resolved, index, drawn, previous);
  });
}
