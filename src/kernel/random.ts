// Chance comes in by this door alone.

/** In [0, 1). Not for secrets. */
export const systemRandom = (): number => Math.random();
