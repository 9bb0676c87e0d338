// A second reading of a few calendars, by arithmetic and by asking every moment of a grid. It
// shares no code with the library.

import { DAY, HOUR, MINUTE, SECOND } from './world.ts';

/** Dates on one of the two clocks. */
export interface ModelDates {
  readonly clock: 'wall' | 'monotonic';
  /** How many dates d have `from < d <= to`. */
  count(from: number, to: number): number;
}

const summer = (fromMs: number, toMs: number, winterMs: number) => (ms: number) =>
  ms >= fromMs && ms < toMs ? winterMs + HOUR : winterMs;

/** The offsets of the zones in 2020. */
export const ZONES: Readonly<Record<string, (ms: number) => number>> = {
  UTC: () => 0,
  'Asia/Kolkata': () => 5.5 * HOUR,
  'Europe/Berlin': summer(Date.UTC(2020, 2, 29, 1), Date.UTC(2020, 9, 25, 1), HOUR),
  'America/New_York': summer(Date.UTC(2020, 2, 8, 7), Date.UTC(2020, 10, 1, 6), -5 * HOUR),
};

interface Expression {
  /** Every date is a multiple of this. */
  readonly gridMs: number;
  /** About the time between two dates. */
  readonly unitMs: number;
  isDate(ms: number, offset: (ms: number) => number): boolean;
}

const local = (ms: number, offset: (ms: number) => number) => (ms + offset(ms)) % DAY;

/** An interval: every moment whose local time matches. */
const interval = (gridMs: number, unitMs: number, matches: (timeOfDay: number) => boolean): Expression => ({
  gridMs,
  unitMs,
  isDate: (ms, offset) => matches(local(ms, offset)),
});

/** A time of day: once a day, at the end of a gap that skips it. */
const timeOfDay = (wanted: number): Expression => ({
  gridMs: 30 * MINUTE,
  unitMs: DAY,
  isDate(ms, offset) {
    const [before, after] = [offset(ms - 1), offset(ms)];
    if (after > before && wanted >= (ms + before) % DAY && wanted < (ms + after) % DAY) return true;
    const isRepeated = ms - HOUR + offset(ms - HOUR) === ms + after;
    return local(ms, offset) === wanted && !isRepeated;
  },
});

export const EXPRESSIONS: Readonly<Record<string, Expression>> = {
  '*/20 * * * * *': interval(20 * SECOND, 20 * SECOND, () => true),
  '*/7 * * * *': interval(MINUTE, 7 * MINUTE, (time) => ((time / MINUTE) % 60) % 7 === 0),
  '0 * * * *': interval(30 * MINUTE, HOUR, (time) => time % HOUR === 0),
  '0 */2 * * *': interval(30 * MINUTE, 2 * HOUR, (time) => time % (2 * HOUR) === 0),
  '30 2 * * *': timeOfDay(2.5 * HOUR),
};

export function cronDates(cron: string, zone: string): ModelDates {
  const { gridMs, isDate } = EXPRESSIONS[cron] as Expression;
  const offset = ZONES[zone] as (ms: number) => number;
  return {
    clock: 'wall',
    count(from, to) {
      let count = 0;
      for (let ms = (Math.floor(from / gridMs) + 1) * gridMs; ms <= to; ms += gridMs)
        if (isDate(ms, offset)) count += 1;
      return count;
    },
  };
}

/** `anchorMs + k * everyMs`, from k = `first` on. */
export function everyDates(clock: ModelDates['clock'], everyMs: number, anchorMs: number, first: number): ModelDates {
  const upTo = (ms: number) => Math.max(0, Math.floor((ms - anchorMs) / everyMs) - first + 1);
  return { clock, count: (from, to) => Math.max(0, upTo(to) - upTo(from)) };
}

export function atDates(atMs: number): ModelDates {
  return { clock: 'wall', count: (from, to) => (from < atMs && atMs <= to ? 1 : 0) };
}

/** Those from `startMs` (included) to `endMs` (excluded). */
export function within({ clock, count }: ModelDates, startMs: number, endMs: number): ModelDates {
  return {
    clock,
    count: (from, to) => {
      const [first, last] = [Math.max(from, startMs - 1), Math.min(to, endMs - 1)];
      return first < last ? count(first, last) : 0;
    },
  };
}

/** The last date up to `ms` that is later than `from`, or `-Infinity`. */
export function lastDate(dates: ModelDates, from: number, ms: number): number {
  let [low, high] = [from, ms];
  const all = dates.count(from, ms);
  if (all === 0) return -Infinity;
  // The smallest moment up to which all have come.
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (dates.count(from, middle) === all) high = middle;
    else low = middle;
  }
  return high;
}
