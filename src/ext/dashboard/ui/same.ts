// Whether two rows of the server look the same. Each frame has new rows, and durations in them have
// grown: as times, they are what they were.

/** Rows are read some ms apart, and clocks are rounded. */
const TOLERANCE_MS = 400;

/**
 * Whether two values of JSON are the same, if `a` was read at `nowA` and `b` at `nowB`. A field
 * named `...InMs` is a time ahead, and another one named `...Ms` a time that has passed.
 */
export function isSameAt(a: unknown, nowA: number, b: unknown, nowB: number): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const fieldsOfB = b as Readonly<Record<string, unknown>>;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return Object.entries(a).every(([name, value]) => {
    const other = fieldsOfB[name];
    if (!name.endsWith('Ms') || typeof value !== 'number' || typeof other !== 'number')
      return isSameAt(value, nowA, other, nowB);
    const moved = name.endsWith('InMs') ? nowB + other - (nowA + value) : nowB - other - (nowA - value);
    return Math.abs(moved) < TOLERANCE_MS;
  });
}
