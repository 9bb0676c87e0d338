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
    const others = calendar.count(first, upTo);
    const decision =
      others === 0 ? decideOne(first, policy, now) : decideMany(calendar, first, others, upTo, policy, now);
    return { ...decision, next, upTo };
  } catch (error) {
    return { ...decideOne(first, policy, now), next: undefined, upTo: first, failure: { error } };
  }
}

type Decision = Omit<Due, 'next' | 'upTo'>;

function decideOne(date: number, { keep, toleranceMs }: DuePolicy, now: number): Decision {
  const runs = keep > 0 || date >= now - toleranceMs;
  return {
    run: runs ? [date] : [],
    missed: runs ? 0 : 1,
    lastMissed: runs ? undefined : date,
    failure: undefined,
  };
}

/**
 * Goes backwards from the latest date, and only as far as the policy asks. `others`: how many dates
 * follow `first`.
 */
function decideMany(
  calendar: Calendar,
  first: number,
  others: number,
  upTo: number,
  { keep, toleranceMs }: DuePolicy,
  now: number,
): Decision {
  let date = lastUpTo(calendar, upTo);
  const wanted = Math.max(keep, date !== undefined && date >= now - toleranceMs ? 1 : 0);
  const run: number[] = [];
  for (; date !== undefined && date >= first && run.length < wanted; date = calendar.before(date)) run.push(date);
  const missed = 1 + others - run.length;
  return { run: run.reverse(), missed, lastMissed: missed > 0 ? date : undefined, failure: undefined };
}

/** The last date that is not later than `ms`. */
export function lastUpTo(calendar: Calendar, ms: number): number | undefined {
  const date = calendar.before(ms + 1);
  return date !== undefined && date > ms ? calendar.before(date) : date;
}
