// Numbers and times as text. Clock times are those of the reader's time zone.

const counts = new Intl.NumberFormat('en');

/** 25039: `25,039`. */
export const count = (value: number): string => counts.format(value);

/** `1 slot`, `2 slots`. */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A time that goes on, in whole seconds: `7 s`, `3 min 02 s`, `2 h 05 min`, `3 d 4 h`. */
export function seconds(ms: number): string {
  const value = Math.max(0, ms);
  if (value < MINUTE) return `${Math.floor(value / SECOND)} s`;
  if (value < HOUR) return `${Math.floor(value / MINUTE)} min ${two((value % MINUTE) / SECOND)} s`;
  if (value < DAY) return `${Math.floor(value / HOUR)} h ${two((value % HOUR) / MINUTE)} min`;
  return `${Math.floor(value / DAY)} d ${Math.floor((value % DAY) / HOUR)} h`;
}

/** A time that is over: `12 ms`, `4.3 s`, and from a minute on as {@link seconds}. */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.round(Math.max(0, ms))} ms`;
  return ms < MINUTE - 50 ? `${(ms / SECOND).toFixed(1)} s` : seconds(ms);
}

/** Until something happens. A next try that is due is not negative. */
export const until = (ms: number): string => (ms <= 0 ? 'now' : `in ${seconds(ms + SECOND - 1)}`);

/** `03:12:07`. */
export function clockTime(at: number): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `03:12`. */
export const hourAndMinute = (at: number): string => clockTime(at).slice(0, 5);

/** The last minute that was `03:12` before `now`. */
export function lastMinuteAt(text: string, now: number): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  const date = new Date(now);
  date.setHours(hours, minutes, 0, 0);
  if (date.getTime() > now) date.setDate(date.getDate() - 1);
  return date.getTime();
}

/** `2026-11-27 03:12:07`: sorts as text, and is unambiguous everywhere. */
export function dateAndTime(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockTime(at)}`;
}

/** The clock time, with the date unless that is today. */
export const when = (at: number, now: number): string =>
  dateAndTime(at).slice(0, 10) === dateAndTime(now).slice(0, 10) ? clockTime(at) : dateAndTime(at).slice(5);

/** `178 MB`. */
export const megabytes = (bytes: number): string => `${count(Math.round(bytes / 1e6))} MB`;

/** 0.123: `12 %`. */
export const percent = (share: number): string => `${Math.round(share * 100)} %`;

const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
