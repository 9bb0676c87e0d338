// The expected dates, from the platform's time zone data, read minute by minute. Slow and obvious,
// and independent of the code of the library.

export const MINUTE = 60_000;
export const HOUR = 3_600_000;

export interface Transition {
  readonly zone: string;
  /** The first moment with the new offset, epoch ms. */
  readonly at: number;
  /** Offsets from UTC in ms. If they are equal, nothing happens at this moment. */
  readonly before: number;
  readonly after: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

export function offsetMs(zone: string, at: number): number {
  let format = formats.get(zone);
  if (format === undefined) {
    const fields = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...fields });
    formats.set(zone, format);
  }
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const local = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute);
  return local - Math.floor(at / MINUTE) * MINUTE;
}

/** Every change of the zone's offset in these years (both included), found by bisecting days. */
export function transitionsOf(zone: string, firstYear: number, lastYear: number): Transition[] {
  const found: Transition[] = [];
  const end = Date.UTC(lastYear + 1, 0, 1);
  let before = offsetMs(zone, Date.UTC(firstYear, 0, 1));
  for (let day = Date.UTC(firstYear, 0, 1); day < end; day += 24 * HOUR) {
    const after = offsetMs(zone, day + 24 * HOUR);
    if (after === before) continue;
    let [low, high] = [day, day + 24 * HOUR];
    while (high - low > MINUTE) {
      const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE;
      if (offsetMs(zone, middle) === before) low = middle;
      else high = middle;
    }
    found.push({ zone, at: high, before, after });
    before = after;
  }
  return found;
}

/** One field of an expression, with the values that it matches. */
export interface Field {
  readonly text: string;
  readonly values: readonly number[];
  /** Neither `*` nor a step: a time of day rather than an interval. */
  readonly fixed: boolean;
}

/** An expression, with its meaning. */
export interface Shape {
  readonly text: string;
  readonly seconds: Field;
  readonly minutes: Field;
  readonly hours: Field;
  /** Called with a local time as if it were UTC, like all local times here. */
  readonly day: (local: Date) => boolean;
}

const dayOf = (local: number): number => Math.floor(local / 24 / HOUR);

/**
 * The dates of an expression from `from` to `to` (both included) around one transition. Every
 * minute is tried. The date of an interval is each moment that matches. The date of a time of day
 * is the first moment that shows it, or the end of the gap that skips it, if that is still the same
 * day.
 */
export function expectedDates(transition: Transition, shape: Shape, from: number, to: number): number[] {
  const { at, before, after } = transition;
  const { seconds, minutes, hours } = shape;
  const matches = (local: number): boolean => {
    const time = new Date(local);
    return (
      minutes.values.includes(time.getUTCMinutes()) && hours.values.includes(time.getUTCHours()) && shape.day(time)
    );
  };
  const fixed = seconds.fixed && minutes.fixed && hours.fixed;
  const dates = new Set<number>();
  for (let moment = from; moment <= to; moment += MINUTE) {
    if (fixed && moment === at)
      for (let skipped = at + before; skipped < at + after; skipped += MINUTE)
        if (matches(skipped) && dayOf(skipped) === dayOf(at + after)) dates.add(at);
    const repeated = moment >= at && moment < at + before - after;
    if (matches(moment + (moment < at ? before : after)) && !(fixed && repeated))
      for (const second of seconds.values) dates.add(moment + second * 1_000);
  }
  return [...dates].filter((date) => date <= to).sort((a, b) => a - b);
}
