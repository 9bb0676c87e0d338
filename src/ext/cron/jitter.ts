// The random delay of a date.

/** From 0 to `jitterMs`. A source that throws or leaves [0, 1) gives no delay. */
export function drawJitterMs(jitterMs: number, random: () => number): number {
  if (jitterMs === 0) return 0;
  try {
    const drawn = random();
    return drawn >= 0 && drawn < 1 ? jitterMs * drawn : 0;
  } catch {
    return 0;
  }
}
