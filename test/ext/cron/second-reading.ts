// A second reading of cron expressions, written from the rules in the README of the entry point. It
// shares nothing with the library, and tries every day and every time of day. Local times are
// written as if they were UTC.

import { HOUR, type Transition } from './zones.ts';

const DAY = 24 * HOUR;

export interface Reading {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly isTimeOfDay: boolean;
  /** Whether the day that begins at this local time matches. */
  readonly day: (local: number) => boolean;
}

const NICKNAMES: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MONTHS = ['', 'JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

export function readingOf(text: string): Reading {
  const fields = (NICKNAMES[text] ?? text).toUpperCase().split(' ');
  if (fields.length === 5) fields.unshift('0');
  if (fields.length === 6) fields.push('*');
  const [second, minute, hour, day, month, weekday, year] = fields as [string, ...string[]] as string[] & { length: 7 };
  const months = new Set(numbers(month as string, 1, 12, MONTHS));
  const years = year === '*' ? undefined : new Set(numbers(year as string, 0, 9_999));
  const isDay = dayOf(day as string);
  const isWeekday = weekdayOf(weekday as string);
  const both = isAny(day as string) || isAny(weekday as string);
  return {
    seconds: numbers(second as string, 0, 59),
    minutes: numbers(minute as string, 0, 59),
    hours: numbers(hour as string, 0, 23),
    isTimeOfDay: !/[*/]/.test(`${second}${minute}${hour}`),
    day: (local) => {
      const date = new Date(local);
      if (!months.has(date.getUTCMonth() + 1) || years?.has(date.getUTCFullYear()) === false) return false;
      return both ? isDay(date) && isWeekday(date) : isDay(date) || isWeekday(date);
    },
  };
}

const isAny = (text: string): boolean => text === '*' || text === '?';

/** The values of a list, in order. They go round after the highest one. */
function numbers(text: string, low: number, high: number, names: readonly string[] = []): number[] {
  const numberOf = (value: string): number => (names.includes(value) ? names.indexOf(value) : Number(value));
  const found = new Set<number>();
  for (const item of text.split(',')) {
    const [range = '', step] = item.split('/');
    const [start = '', end] = range.split('-');
    const first = start === '*' || start === '?' ? low : numberOf(start);
    let last = first;
    if (end !== undefined) last = numberOf(end);
    else if (start === '*' || start === '?' || step !== undefined) last = high;
    const going = last < first ? last + high - low + 1 : last;
    for (let value = first; value <= going; value += Number(step ?? 1))
      found.add(value > high ? value - (high - low + 1) : value);
  }
  return [...found].sort((a, b) => a - b);
}

const lastOfMonth = (date: Date): number =>
  new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
const weekdayAt = (date: Date, day: number): number =>
  new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), day)).getUTCDay();
const isWorkday = (date: Date, day: number): boolean => weekdayAt(date, day) % 6 !== 0;

type Match = (date: Date) => boolean;

function dayOf(text: string): Match {
  const matches = text.split(',').map((item): Match => {
    const before = /^L-(\d+)$/.exec(item);
    if (before !== null) return (date) => date.getUTCDate() === lastOfMonth(date) - Number(before[1]);
    if (item === 'L') return (date) => date.getUTCDate() === lastOfMonth(date);
    if (item === 'LW') return (date) => date.getUTCDate() === workdayNear(date, lastOfMonth(date));
    if (item.endsWith('W')) return (date) => date.getUTCDate() === workdayNear(date, Number(item.slice(0, -1)));
    const days = new Set(numbers(item, 1, 31));
    return (date) => days.has(date.getUTCDate());
  });
  return (date) => matches.some((match) => match(date));
}

/** The day from Monday to Friday in this month that is nearest to `day`, if the month has `day`. */
function workdayNear(date: Date, day: number): number | undefined {
  const last = lastOfMonth(date);
  if (day > last) return undefined;
  return [day, day - 1, day + 1, day - 2, day + 2].find((near) => near >= 1 && near <= last && isWorkday(date, near));
}

function weekdayOf(text: string): Match {
  const matches = text.split(',').map((item): Match => {
    const [, name = '', rule = ''] = /^([0-7]|[A-Z]{3})(L|#.)$/.exec(item) ?? [];
    if (rule === '') {
      const days = new Set(weekdays(item));
      return (date) => days.has(date.getUTCDay());
    }
    const weekday = weekdays(name)[0];
    return (date) => {
      if (date.getUTCDay() !== weekday) return false;
      if (rule === 'L' || rule === '#L') return date.getUTCDate() > lastOfMonth(date) - 7;
      return Math.ceil(date.getUTCDate() / 7) === Number(rule[1]);
    };
  });
  return (date) => matches.some((match) => match(date));
}

/** One item. Sunday is 0 and 7. */
function weekdays(item: string): number[] {
  if (isAny(item)) return [0, 1, 2, 3, 4, 5, 6];
  const [range = '', step] = item.split('/');
  if (range === '*') return numbers(item, 0, 6);
  const [first = 0, last] = range.split('-').map((name) => (/\d/.test(name) ? Number(name) : WEEKDAYS.indexOf(name)));
  if (last === undefined) return step === undefined ? [first % 7] : numbers(`${first % 7}/${step}`, 0, 6);
  const found: number[] = [];
  for (let day = first; day <= (last < first ? last + 7 : last); day += Number(step ?? 1)) found.push(day % 7);
  return found;
}

/** A zone whose transitions are known for all the years that are looked at. */
export interface KnownZone {
  readonly name: string;
  readonly transitions: readonly Transition[];
  /** The offset before the first transition. */
  readonly offset: number;
}

/** The dates of a reading in a zone. */
export class SecondOpinion {
  readonly #reading: Reading;
  readonly #zone: KnownZone;
  /** Local days with a transition near them. */
  readonly #special: ReadonlySet<number>;

  constructor(reading: Reading, zone: KnownZone) {
    this.#reading = reading;
    this.#zone = zone;
    this.#special = specialDays(zone);
  }

  /** The first `count` dates after `ms`, among those before `end`. */
  after(ms: number, count: number, end: number): number[] {
    const found: number[] = [];
    for (let day = dayAt(ms) - DAY; day < end + DAY && found.length < count; day += DAY)
      for (const date of this.#datesOf(day, ms)) {
        if (date > ms && date < end && found.length < count) found.push(date);
        if (found.length === count) break;
      }
    return found;
  }

  /** The last date before `ms`, if it is not before `start`. */
  before(ms: number, start: number): number | undefined {
    for (let day = dayAt(ms) + DAY; day > start - 2 * DAY; day -= DAY) {
      let last: number | undefined;
      for (const date of this.#datesOf(day, -Infinity)) if (date < ms) last = date;
      if (last !== undefined) return last >= start ? last : undefined;
    }
    return undefined;
  }

  /** How many dates d have from < d <= to. */
  count(from: number, to: number): number {
    const { seconds, minutes, hours } = this.#reading;
    let count = 0;
    for (let day = dayAt(from) - DAY; day <= to + DAY; day += DAY) {
      if (day - DAY > from && day + 2 * DAY < to && !this.#special.has(day)) {
        if (this.#reading.day(day)) count += seconds.length * minutes.length * hours.length;
      } else for (const date of this.#datesOf(day, from)) if (date > from && date <= to) count += 1;
    }
    return count;
  }

  #offsetAt(ms: number): number {
    return this.#zone.transitions.findLast(({ at }) => at <= ms)?.after ?? this.#zone.offset;
  }

  /** The dates of a local day, in order. Those long before `from` may be left out. */
  *#datesOf(day: number, from: number): Generator<number> {
    if (!this.#reading.day(day)) return;
    if (!this.#special.has(day)) {
      const offset = this.#offsetAt(day);
      for (const time of this.#times(from + offset - day)) yield day + time - offset;
      return;
    }
    const dates = new Set<number>();
    const near = this.#zone.transitions.filter(({ at }) => Math.abs(at - day) <= 3 * DAY);
    for (const time of this.#times(-Infinity)) for (const date of this.#momentsOf(day + time, near)) dates.add(date);
    yield* [...dates].sort((a, b) => a - b);
  }

  #momentsOf(local: number, near: readonly Transition[]): number[] {
    const moments: number[] = [];
    let start = -Infinity;
    for (const [i, { at, before }] of near.entries()) {
      if (local - before >= start && local - before < at) moments.push(local - before);
      const { after } = near[i] as Transition;
      start = at;
      if (i === near.length - 1 && local - after >= at) moments.push(local - after);
    }
    if (!this.#reading.isTimeOfDay || moments.length === 1) return moments;
    if (moments.length > 1) return [Math.min(...moments)];
    const gap = near.find(({ at, before, after }) => at + before <= local && local < at + after);
    return gap !== undefined && dayAt(local) === dayAt(gap.at + gap.after) ? [gap.at] : [];
  }

  /** Times of a matching day in ms, in order. Hours that end before `from` may be left out. */
  *#times(from: number): Generator<number> {
    const { seconds, minutes, hours } = this.#reading;
    for (const hour of hours)
      if ((hour + 1) * HOUR > from)
        for (const minute of minutes) for (const second of seconds) yield ((hour * 60 + minute) * 60 + second) * 1_000;
  }
}

const known = new Map<string, ReadonlySet<number>>();

function specialDays({ name, transitions }: KnownZone): ReadonlySet<number> {
  const days = known.get(name) ?? new Set(transitions.flatMap(({ at }) => [-1, 0, 1].map((n) => dayAt(at) + n * DAY)));
  known.set(name, days);
  return days;
}

const dayAt = (local: number): number => Math.floor(local / DAY) * DAY;
