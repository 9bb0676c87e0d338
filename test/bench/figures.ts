// What the figures of a run say: medians, how sure they are, and whether a reach is met. Pure, so
// that the rules are tested (figures.test.ts).

/** Figures of one contestant by round. A round in which it took no part is missing. */
export type Rounds = ReadonlyMap<number, number>;

/** A median, and the 95 % interval that it lies in, whatever the distribution. */
export interface Median {
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/** With seven values or fewer the interval is their whole range. */
export function median(values: Iterable<number>): Median {
  const sorted = [...values].sort((a, b) => a - b);
  const last = sorted.length - 1;
  const reach = 0.98 * Math.sqrt(sorted.length);
  const place = (n: number): number => sorted[Math.max(0, Math.min(last, n))] as number;
  return {
    at: (place(Math.floor(last / 2)) + place(Math.ceil(last / 2))) / 2,
    from: place(Math.floor(last / 2 - reach)),
    to: place(Math.ceil(last / 2 + reach)),
  };
}

/** Ratios are taken within a round: what slows a round slows both alike. */
export function ratio(of: Rounds, to: Rounds): Median {
  const shared = [...of.keys()].filter((round) => to.has(round));
  return median(shared.map((round) => (of.get(round) as number) / (to.get(round) as number)));
}

/** How far a ratio is from 1. Half and twice are equally far: 1, which is 100 %. */
export function distance(ratio: number): number {
  return Math.max(ratio, 1 / ratio) - 1;
}

/**
 * How far two builds with the same code can lie apart: the farther end of their ratio's interval.
 */
export function spread({ from, to }: Median): number {
  return Math.max(distance(from), distance(to));
}

/** A difference is one only if it is greater than the control's. */
export function differs(ratio: number, spread: number): boolean {
  return distance(ratio) > spread;
}
