// The random delay of a date.

/** From 0 to `jitterMs`. If `random` throws or returns a value outside [0, 1), the delay is 0. */
export function drawJitterMs(jitterMs: number, random: () => number): number {
  if (jitterMs === 0) return 0;
  try {
    const drawn = random();
    return drawn >= 0 && drawn < 1 ? jitterMs * drawn : 0;
  } catch {
    return 0;
  }
}
