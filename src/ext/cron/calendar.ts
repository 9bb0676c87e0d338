// Calendars: the dates of a schedule, as pure functions of a moment. They read no clock and set no
// timer. Only this file uses croner, and only to calculate: croner never gets a function to call.

import { Cron, type CronOptions } from 'croner';
import { bare } from '../../kit.ts';

/** The latest time that a JavaScript `Date` can hold, in epoch ms. The earliest is its negative. */
export const MAX_DATE_MS = 8.64e15;

/** Dates in epoch ms. The same moment always gives the same date. */
export interface Calendar {
  /** The first date later than `ms`; `undefined` if there is none. */
  after(ms: number): number | undefined;
  /** The last date earlier than `ms`; `undefined` if there is none. */
  before(ms: number): number | undefined;
  /** How many dates are later than `from` and not later than `to`. */
  count(from: number, to: number): number;
}

function step(after: Calendar['after'], from: number, to: number): number {
  let n = 0;
  for (let d = after(from); d !== undefined && d <= to && n < 20_000; d = after(d)) n += 1;
  return n;
}

/**
 * A compiled expression takes about 80 kB and 0.1 ms to make, and has no state. So the most
 * recently used ones are kept and shared.
 */
const MAX_COMPILED = 200;
const cache = new Map<string, Cron>();

function compile(expression: string, timezone: string | undefined): Cron {
  const key = `${timezone} ${expression}`;
  const cron = cache.get(key) ?? new Cron(expression, optionsOf(timezone));
  cache.delete(key);
  cache.set(key, cron);
  const [oldest] = cache.size > MAX_COMPILED ? cache.keys() : [];
  if (oldest !== undefined) cache.delete(oldest);
  return cron;
}

/** Options of croner. It changes the object. */
function optionsOf(timezone: string | undefined): CronOptions {
  const options: CronOptions = {
    paused: true,
    fixedTimeRule: 'no-wildcard',
    ...(timezone !== undefined && { timezone }),
  };
  return bare(options);
}

/**
 * The dates of a cron expression in a time zone. If `timezone` is `undefined`: in the local time of
 * `Date`.
 *
 * An expression with neither `*` nor a step in its seconds, minutes and hours names times of day.
 * If a zone transition skips such a time, its date is the end of the gap, if that is still the same
 * day. If a transition repeats it, only the first one is a date. Any other expression is an
 * interval: every moment that matches is a date. So a skipped time is no date, and a repeated time
 * is two dates.
 *
 * @throws the error of the parser, and a TypeError for a date or a `?`.
 */
export function cronCalendar(expression: string, timezone: string | undefined): Calendar {
  if (compile(expression, timezone).getOnce() !== null) throw new TypeError('a date is not a cron expression');
  // croner replaces `?` by the time of parsing, so the dates would change with every restart.
  if (expression.includes('?')) throw new TypeError("'?' is not supported, use '*'");
  const me: Calendar = {
    count: (from, to) => step(me.after, from, to),
    after: (ms) =>
      checkLater(
        ms,
        compile(expression, timezone)
          .nextRun(new Date(Math.floor(ms)))
          ?.getTime(),
      ),
    before(ms) {
      const date = compile(expression, timezone)
        .previousRuns(1, new Date(Math.ceil(ms)))[0]
        ?.getTime();
      if (date !== undefined && !(date < ms)) throw notAdvancing('before', ms, date);
      return date;
    },
  };
  return me;
}

/** The dates `anchorMs + k * everyMs`, for every whole number k. */
export function everyCalendar(everyMs: number, anchorMs: number): Calendar {
  const date = (k: number): number | undefined => {
    const ms = anchorMs + k * everyMs;
    return Math.abs(ms) <= MAX_DATE_MS ? ms : undefined;
  };
  const me: Calendar = {
    count: (from, to) => step(me.after, from, to),
    after(ms) {
      const k = Math.floor((ms - anchorMs) / everyMs) + 1;
      // The division may have rounded down, so that k gives `ms` itself.
      return anchorMs + k * everyMs > ms ? date(k) : date(k + 1);
    },
    before(ms) {
      const k = Math.ceil((ms - anchorMs) / everyMs) - 1;
      return anchorMs + k * everyMs < ms ? date(k) : date(k - 1);
    },
  };
  return me;
}

/** One date. */
export function atCalendar(atMs: number): Calendar {
  return {
    after: (ms) => (ms < atMs ? atMs : undefined),
    before: (ms) => (ms > atMs ? atMs : undefined),
    count: (from, to) => (from < atMs && atMs <= to ? 1 : 0),
  };
}

/** The dates of `calendar` from `startMs` (included) to `endMs` (excluded). */
export function bounded(calendar: Calendar, startMs: number, endMs: number): Calendar {
  const me: Calendar = {
    count: (from, to) => step(me.after, from, to),
    after(ms) {
      const date = calendar.after(Math.max(ms, startMs - 1)); // dates are at least 1 ms apart
      return date !== undefined && date < endMs ? date : undefined;
    },
    before(ms) {
      const date = calendar.before(Math.min(ms, endMs));
      return date !== undefined && date >= startMs ? date : undefined;
    },
  };
  return me;
}

/** The first `count` dates later than `ms`, or fewer if the calendar has no more. */
export function datesAfter(calendar: Calendar, ms: number, count: number): number[] {
  const dates: number[] = [];
  let date = count > 0 ? calendar.after(ms) : undefined;
  while (date !== undefined) {
    dates.push(date);
    date = dates.length < count ? calendar.after(date) : undefined;
  }
  return dates;
}

/**
 * The moment of a local date and time, given as text without an offset. If a zone transition skips
 * that time, the moment is moved forward past the gap. If a transition repeats it, the first one
 * counts.
 */
export function localInstantMs(text: string, timezone: string | undefined): number {
  const [whole = '', fraction = '0'] = text.split('.');
  const date = new Cron(whole, optionsOf(timezone)).getOnce();
  if (date === null) throw new TypeError('not a date');
  return date.getTime() + Math.floor(Number(`0.${fraction}`) * 1_000);
}

/** Returns `date`. Throws if it is not later than `ms`: the timer would fire without end. */
function checkLater(ms: number, date: number | undefined): number | undefined {
  if (date !== undefined && !(date > ms)) throw notAdvancing('after', ms, date);
  return date;
}

function notAdvancing(method: 'after' | 'before', ms: number, date: number): Error {
  const rule = method === 'after' ? 'not later' : 'not earlier';
  return new Error(`the calendar returned ${isoOf(date)} for '${method} ${isoOf(ms)}': ${rule}`);
}

function isoOf(ms: number): string {
  return Math.abs(ms) <= MAX_DATE_MS ? new Date(ms).toISOString() : String(ms);
}
