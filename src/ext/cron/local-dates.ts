// The dates of an expression in local time, as if there were no zone transitions. A local time is
// written as the epoch ms at which UTC shows it. croner finds the dates.

import { CronDate, type CronOptions, CronPattern } from 'croner';
import { bare } from '../../kit.ts';
import type { Expression } from './expression.ts';
import { DAY, SECOND } from './zone.ts';

/** croner's options. It reads them as they are, so they inherit nothing. */
const OPTIONS = bare<CronOptions>({ domAndDow: false });

/** The first moments of the years 1, 10000 and 3000: with any year, croner ends at the last. */
export const FIRST_LOCAL_MS = -62_135_596_800_000;
export const END_LOCAL_MS = Date.UTC(10_000, 0, 1);
const END_OF_ANY_YEAR_MS = Date.UTC(3000, 0, 1);
/** croner's list of the years that match has 10,000 entries. It does not read it for any year. */
const ANY_YEAR: number[] = [];

export class LocalDates {
  /** The dates are times of day: neither `*` nor a step in the seconds, minutes and hours. */
  readonly isTimeOfDay: boolean;
  readonly #pattern: CronPattern;
  /** croner's dates are this much later. */
  readonly #shiftMs: number;
  readonly #endMs: number;
  readonly #isEveryDay: boolean;

  constructor({ fields, daysBefore, isTimeOfDay }: Expression) {
    const pattern = new CronPattern(fields, undefined, bare({}));
    if (pattern.starYear) pattern.year = ANY_YEAR;
    this.isTimeOfDay = isTimeOfDay;
    this.#pattern = pattern;
    this.#shiftMs = daysBefore * DAY;
    this.#endMs = pattern.starYear ? END_OF_ANY_YEAR_MS : END_LOCAL_MS;
    this.#isEveryDay = pattern.starDOM && pattern.starDOW && pattern.starYear && !pattern.month.includes(0);
  }

  /** The first date later than `ms`; `undefined` if there is none. */
  next(ms: number): number | undefined {
    const from = Math.max(Math.floor(ms + this.#shiftMs), FIRST_LOCAL_MS - SECOND);
    if (from >= this.#endMs) return undefined;
    const date = new CronDate(new Date(from), 0).increment(this.#pattern, OPTIONS, false)?.getTime();
    if (date !== undefined && !(date > from)) throw notAdvancing('later', from, date);
    return date === undefined ? undefined : date - this.#shiftMs;
  }

  /** The last date earlier than `ms`; `undefined` if there is none. */
  previous(ms: number): number | undefined {
    const from = Math.min(Math.ceil(ms + this.#shiftMs), this.#endMs);
    if (from <= FIRST_LOCAL_MS) return undefined;
    const date = new CronDate(new Date(from), 0).decrement(this.#pattern, OPTIONS, false)?.getTime();
    if (date !== undefined && !(date < from)) throw notAdvancing('earlier', from, date);
    return date === undefined ? undefined : date - this.#shiftMs;
  }

  /** How many dates d have from < d <= to. Days are counted; times of day are multiplied. */
  count(from: number, to: number): number {
    const low = Math.max(secondOf(from + this.#shiftMs), FIRST_LOCAL_MS - SECOND);
    const high = Math.min(secondOf(to + this.#shiftMs), this.#endMs - SECOND);
    if (low >= high) return 0;
    const [first, last] = [Math.floor(low / DAY), Math.floor(high / DAY)];
    const full = first === last ? 0 : this.#days(first, last) * this.#times(DAY);
    return full + this.#timesUpTo(last, high) - this.#timesUpTo(first, low);
  }

  /** How many dates are on this day, up to and including `ms`. */
  #timesUpTo(day: number, ms: number): number {
    return this.#days(day, day + 1) === 0 ? 0 : this.#times(ms - day * DAY + SECOND);
  }

  /** How many days d have first <= d < end. */
  #days(first: number, end: number): number {
    if (this.#isEveryDay) return end - first;
    const date = new CronDate(new Date(first * DAY - SECOND), 0);
    let days = 0;
    while (date.increment(this.#pattern, OPTIONS, false) !== null && date.getTime() < end * DAY) {
      days += 1;
      [date.hour, date.minute, date.second] = [23, 59, 59];
    }
    return days;
  }

  /** How many times of a day are in its first `ms`, a whole number of seconds. */
  #times(ms: number): number {
    const { second, minute, hour } = this.#pattern;
    const seconds = ms / SECOND;
    const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
    const inHour = matching(minute, m) * matching(second, 60) + (minute[m] ? matching(second, s) : 0);
    return matching(hour, h) * matching(minute, 60) * matching(second, 60) + (hour[h] ? inHour : 0);
  }
}

function secondOf(ms: number): number {
  return Math.floor(ms / SECOND) * SECOND;
}

/** How many of the values below `end` match. */
function matching(values: readonly number[], end: number): number {
  let count = 0;
  for (let i = 0; i < end; i += 1) if (values[i]) count += 1;
  return count;
}

/** Without this error a schedule would ask without end. */
function notAdvancing(rule: 'later' | 'earlier', from: number, date: number): Error {
  const method = rule === 'later' ? 'after' : 'before';
  return new Error(`the calendar returned ${isoOf(date)} for '${method} ${isoOf(from)}': not ${rule}`);
}

function isoOf(ms: number): string {
  return Number.isNaN(ms) ? 'NaN' : new Date(ms).toISOString();
}
