// Decides which due dates run and which are missed. It reads no clock and sets no timer.

import type { Calendar } from './calendar.ts';

export interface DuePolicy {
  /**
   * How many of the dates that are due together run, however late: 0 `skip`, 1 `once`, n `catchUp`.
   */
  readonly keep: number;
  /** A date at most this many ms late is on time. */
  readonly toleranceMs: number;
}

export interface Due {
  /** Oldest first. */
  readonly run: readonly number[];
  /** How many do not run. */
  readonly missed: number;
  /** The latest missed date. */
  readonly lastMissed: number | undefined;
  /** The first date that is still to come. */
  readonly next: number | undefined;
  /** Every date up to here is decided. */
  readonly upTo: number;
  /** Set if the calendar threw. Only the first date is decided then. */
  readonly failure: { readonly error: unknown } | undefined;
}

/**
 * Decides about every date from `first`, which is itself a date, to `toMs`. The latest date runs if
 * it is on time. `policy.keep` of the latest dates run in any case. All others are missed.
 *
 * @param now lateness is measured from here.
 */
export function decideDue(calendar: Calendar, first: number, toMs: number, policy: DuePolicy, now = toMs): Due {
  const upTo = Math.max(first, toMs); // jitter that was added and taken off again may lose a fraction of a ms
  try {
    const next = calendar.after(upTo);
    const count = 1 + calendar.count(first, upTo);
    const late = count === 1 ? [first] : lateDates(calendar, upTo, count, policy, now);
    const wanted = wantedOf(late[0] as number, policy, now);
    const run = late.slice(0, wanted).reverse();
    const missed = count - run.length;
    return { run, missed, lastMissed: missed > 0 ? late[wanted] : undefined, next, upTo, failure: undefined };
  } catch (error) {
    const runs = wantedOf(first, policy, now) > 0;
    const [run, missed] = runs ? [[first], 0] : [[], 1];
    return { run, missed, lastMissed: runs ? undefined : first, next: undefined, upTo: first, failure: { error } };
  }
}

/** How many dates run, if there are so many and `latest` is the latest. */
function wantedOf(latest: number, { keep, toleranceMs }: DuePolicy, now: number): number {
  return Math.max(keep, latest >= now - toleranceMs ? 1 : 0);
}

/** The latest of `count` dates, latest first: those that run, and the one before them. */
function lateDates(calendar: Calendar, upTo: number, count: number, policy: DuePolicy, now: number): number[] {
  const dates: number[] = [];
  for (let date = lastUpTo(calendar, upTo); date !== undefined && dates.length < count; date = calendar.before(date)) {
    dates.push(date);
    if (dates.length > wantedOf(dates[0] as number, policy, now)) break;
  }
  return dates;
}

/** The last date that is not later than `ms`. */
export function lastUpTo(calendar: Calendar, ms: number): number | undefined {
  const date = calendar.before(ms + 1);
  return date !== undefined && date > ms ? calendar.before(date) : date;
}
