// The only use of `Math.random`.

/** A random number in [0, 1). Not for secrets. */
export const systemRandom = (): number => Math.random();
