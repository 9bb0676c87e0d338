// Decides which due dates run and which are missed. It reads no clock and sets no timer.

import type { Calendar } from './calendar.ts';

/** Missed dates that are due together are counted exactly up to this many. */
export const MAX_COUNTED = 100;

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
  /** How many do not run. From `MAX_COUNTED` on it means "at least". */
  readonly missed: number;
  /** The latest missed date. */
  readonly lastMissed: number | undefined;
  /** The first date after `now`. */
  readonly next: number | undefined;
  /** Set if the calendar threw. The decision covers the dates that it returned before. */
  readonly failure: { readonly error: unknown } | undefined;
}

/**
 * Decides about every date from `first`, which is itself a date, to `now`. The latest date runs if
 * it is on time. `policy.keep` of the latest dates run in any case. All others are missed.
 */
export function decideDue(calendar: Calendar, first: number, now: number, policy: DuePolicy): Due {
  // Dates that run do not count for MAX_COUNTED.
  const limit = MAX_COUNTED + Math.max(policy.keep, 1);
  let dates: number[] = [];
  let next: number | undefined = first;
  try {
    while (next !== undefined && next <= now && dates.length < limit) {
      dates.push(next);
      next = calendar.after(next);
    }
    if (next !== undefined && next <= now) {
      next = calendar.after(now);
      dates = latest(calendar, now, limit);
    }
  } catch (error) {
    return { ...split(dates, now, policy), next: undefined, failure: { error } };
  }
  return { ...split(dates, now, policy), next, failure: undefined };
}

function split(dates: readonly number[], now: number, { keep, toleranceMs }: DuePolicy) {
  const onTime = (dates.at(-1) ?? -Infinity) >= now - toleranceMs;
  const missed = dates.length - Math.min(dates.length, Math.max(keep, onTime ? 1 : 0));
  return { run: dates.slice(missed), missed, lastMissed: dates[missed - 1] };
}

/** The last `count` dates up to and including `now`, oldest first. */
function latest(calendar: Calendar, now: number, count: number): number[] {
  const dates: number[] = [];
  let date = calendar.before(now + 1);
  if (date !== undefined && date > now) date = calendar.before(date);
  while (date !== undefined && dates.length < count) {
    dates.push(date);
    date = calendar.before(date);
  }
  return dates.reverse();
}
