// What becomes of dates that have come due: which are run, which were missed. A decision, without clock or timer.

import type { Calendar } from './calendar.ts';

/** Missed dates that came due together are counted one by one up to here. */
export const MAX_COUNTED = 100;

export interface DuePolicy {
  /** How many of the dates that came due together are run, however late: 0 for `skip`, 1 for `once`, n for `catchUp`. */
  readonly keep: number;
  /** A date at most this late is on time. */
  readonly toleranceMs: number;
}

export interface Due {
  /** Oldest first. */
  readonly run: readonly number[];
  /** How many were not run; MOST_COUNTED and more means "at least". */
  readonly missed: number;
  /** The latest one that was missed. */
  readonly lastMissed: number | undefined;
  /** The first date that is still to come. */
  readonly next: number | undefined;
  /** The calendar threw: what is decided holds for the dates it gave before. */
  readonly failure?: { readonly error: unknown };
}

/**
 * Decides about every date from `first`, which is one, to `now`. The latest is run if it is on time; otherwise, and for the ones before it,
 * the policy says how many of the latest are run. All others were missed.
 */
export function decideDue(calendar: Calendar, first: number, now: number, policy: DuePolicy): Due {
  const limit = MAX_COUNTED + Math.max(policy.keep, 1); // what runs does not use the count up
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
  return { ...split(dates, now, policy), next };
}

function split(dates: readonly number[], now: number, { keep, toleranceMs }: DuePolicy) {
  const onTime = (dates.at(-1) ?? -Infinity) >= now - toleranceMs;
  const missed = dates.length - Math.min(dates.length, Math.max(keep, onTime ? 1 : 0));
  return { run: dates.slice(missed), missed, lastMissed: dates[missed - 1] };
}

/** The last `count` dates up to `now`, oldest first. */
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
