// Calendars: the dates of a schedule, as pure functions of a moment. They read no clock and set no
// timer. cron-calendar.ts has those of cron expressions.

/** The latest time that a JavaScript `Date` can hold, in epoch ms. The earliest is its negative. */
export const MAX_DATE_MS = 8.64e15;

/** Dates in epoch ms. The same moment always gives the same date. */
export interface Calendar {
  /** The first date later than `ms`; `undefined` if there is none. */
  after(ms: number): number | undefined;
  /** The last date earlier than `ms`; `undefined` if there is none. */
  before(ms: number): number | undefined;
  /** How many dates d have `from < d <= to`. Exact, and cheap over years of minutes. */
  count(from: number, to: number): number;
}

/** The dates `anchorMs + k * everyMs`, for every whole number k. */
export function everyCalendar(everyMs: number, anchorMs: number): Calendar {
  const at = (k: number): number => anchorMs + k * everyMs;
  const date = (k: number): number | undefined => (Math.abs(at(k)) <= MAX_DATE_MS ? at(k) : undefined);
  /** The number of the last date at or before `ms`. */
  const last = (ms: number): number => {
    const k = Math.floor((ms - anchorMs) / everyMs);
    // The division may have been rounded to the next whole number, up or down.
    if (at(k) > ms) return k - 1;
    return at(k + 1) <= ms ? k + 1 : k;
  };
  return {
    after: (ms) => date(last(ms) + 1),
    before: (ms) => date(at(last(ms)) < ms ? last(ms) : last(ms) - 1),
    count: (from, to) => Math.max(0, last(to) - last(from)),
  };
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
  return {
    after(ms) {
      const date = calendar.after(Math.max(ms, startMs - 1)); // dates are at least 1 ms apart
      return date !== undefined && date < endMs ? date : undefined;
    },
    before(ms) {
      const date = calendar.before(Math.min(ms, endMs));
      return date !== undefined && date >= startMs ? date : undefined;
    },
    count(from, to) {
      const first = from < startMs ? Math.max(from, calendar.before(startMs) ?? from) : from;
      const last = to < endMs ? to : (calendar.before(endMs) ?? first);
      return last > first ? calendar.count(first, last) : 0;
    },
  };
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
