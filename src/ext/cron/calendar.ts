// When: the dates of a schedule, as functions of a moment and of nothing else. No clock, no timer.
// croner is used in this file alone, and only to calculate: it never gets a function to call.

import { Cron } from 'croner';
import { MAX_DATE_MS } from './check.ts';

/** Dates in epoch ms, in order. Asked for the same moment, it gives the same date. */
export interface Calendar {
  /** The first date later than `ms`; `undefined` when there is none. */
  after(ms: number): number | undefined;
  /** The last date earlier than `ms`; `undefined` when there is none. */
  before(ms: number): number | undefined;
}

/** A compiled expression takes some 80 kB and a tenth of a millisecond to make, and has no state: those used lately are kept and shared. */
const MAX_COMPILED = 200;
const cache = new Map<string, Cron>();

function compile(expression: string, timezone: string | undefined): Cron {
  const key = `${timezone} ${expression}`;
  const cron =
    cache.get(key) ?? new Cron(expression, { ...zoned(timezone), paused: true, fixedTimeRule: 'no-wildcard' });
  cache.delete(key);
  cache.set(key, cron);
  const [oldest] = cache.size > MAX_COMPILED ? cache.keys() : [];
  if (oldest !== undefined) cache.delete(oldest);
  return cron;
}

function zoned(timezone: string | undefined): { timezone?: string } {
  return timezone === undefined ? {} : { timezone };
}

/**
 * A cron expression read in a time zone; without one, in the local time of Date. Throws what the parser says.
 * An expression with neither `*` nor a step in its seconds, minutes and hours names times of the day: one that a zone transition skips comes
 * at the end of the gap (if that is still the same day), one that it repeats comes once, the first time. Any other is an interval: it
 * comes at every moment that matches, so a skipped time does not come and a repeated one comes twice.
 */
export function cronCalendar(expression: string, timezone: string | undefined): Calendar {
  if (compile(expression, timezone).getOnce() !== null) throw new TypeError('a date is no expression');
  // croner puts the moment of parsing in its place: the same expression would mean something else after every restart.
  if (expression.includes('?')) throw new TypeError("'?' is not supported, use '*'");
  return {
    after: (ms) =>
      advanced(
        ms,
        compile(expression, timezone)
          .nextRun(new Date(Math.floor(ms)))
          ?.getTime(),
      ),
    before(ms) {
      const date = compile(expression, timezone)
        .previousRuns(1, new Date(Math.ceil(ms)))[0]
        ?.getTime();
      if (date !== undefined && !(date < ms)) throw notAdvancing('back', ms, date);
      return date;
    },
  };
}

/** `anchorMs + k * everyMs` for every whole k. */
export function everyCalendar(everyMs: number, anchorMs: number): Calendar {
  const date = (k: number): number | undefined => {
    const ms = anchorMs + k * everyMs;
    return Math.abs(ms) <= MAX_DATE_MS ? ms : undefined;
  };
  return {
    after(ms) {
      const k = Math.floor((ms - anchorMs) / everyMs) + 1;
      return anchorMs + k * everyMs > ms ? date(k) : date(k + 1); // the division may have rounded down to `ms` itself
    },
    before(ms) {
      const k = Math.ceil((ms - anchorMs) / everyMs) - 1;
      return anchorMs + k * everyMs < ms ? date(k) : date(k - 1);
    },
  };
}

export function atCalendar(atMs: number): Calendar {
  return { after: (ms) => (ms < atMs ? atMs : undefined), before: (ms) => (ms > atMs ? atMs : undefined) };
}

/** The dates from `startMs`, included, to `endMs`, excluded. */
export function bounded(calendar: Calendar, startMs: number, endMs: number): Calendar {
  return {
    after(ms) {
      const date = calendar.after(Math.max(ms, startMs - 1)); // dates are at least 1 ms apart
      return date !== undefined && date < endMs ? date : undefined;
    },
    before(ms) {
      const date = calendar.before(Math.min(ms, endMs));
      return date !== undefined && date >= startMs ? date : undefined;
    },
  };
}

/** The first `most` dates later than `ms`. */
export function datesAfter(calendar: Calendar, ms: number, most: number): number[] {
  const dates: number[] = [];
  let date = most > 0 ? calendar.after(ms) : undefined;
  while (date !== undefined) {
    dates.push(date);
    date = dates.length < most ? calendar.after(date) : undefined;
  }
  return dates;
}

/** A date and time without an offset, read in a zone: one that a transition skips is moved past the gap, a repeated one is the first. */
export function localInstantMs(text: string, timezone: string | undefined): number {
  const [whole = '', fraction = '0'] = text.split('.');
  const date = new Cron(whole, { ...zoned(timezone), paused: true }).getOnce();
  if (date === null) throw new TypeError('not a date');
  return date.getTime() + Math.floor(Number(`0.${fraction}`) * 1_000);
}

/** A date that does not advance would make a timer spin: it is an error, whoever calculated it. */
function advanced(ms: number, date: number | undefined): number | undefined {
  if (date !== undefined && !(date > ms)) throw notAdvancing('on', ms, date);
  return date;
}

function notAdvancing(way: string, ms: number, date: number): Error {
  return new Error(`the calendar does not go ${way} from ${isoOf(ms)}: it says ${isoOf(date)}`);
}

function isoOf(ms: number): string {
  return Math.abs(ms) <= MAX_DATE_MS ? new Date(ms).toISOString() : String(ms);
}
