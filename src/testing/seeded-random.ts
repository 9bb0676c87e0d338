// Chance that can be had again.

/** Numbers in [0, 1), the same ones for the same seed (xorshift with 32 bits of state; Marsaglia 2003). Not for secrets. */
export function seededRandom(seed: number): () => number {
  let state = Math.imul(seed | 0, 0x9e3779b1) || 1; // spreads small seeds; zero would stay zero
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
