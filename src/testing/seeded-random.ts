// Random numbers that can be repeated.

import { aNumber, fromCaller } from '../kit.ts';

/**
 * A source of random numbers for the supervisor's `random` option. Returns a function whose results
 * are in [0, 1), and are the same for the same seed. Every number is a valid seed. The algorithm is
 * xorshift with 32 bits of state (Marsaglia 2003). Not for secrets.
 *
 * @throws OptionError if the seed is not a number.
 */
export function seededRandom(seed: number): () => number {
  let state = Math.imul(fromCaller(seededRandom, () => aNumber('seed', seed)) | 0, 0x9e3779b1) || 1; // spreads small seeds; a state of 0 would stay 0
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
