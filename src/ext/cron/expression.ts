// From the text of a cron expression to the fields that croner reads. What this file lets through
// is what the README of this entry point documents. All else is refused, with what to do instead.

import { brief } from '../../kit.ts';
import { FIELDS, readField } from './field.ts';

export interface Expression {
  /** Seven fields in croner's syntax, from seconds to years. */
  readonly fields: string;
  /** The dates are this many days before those of `fields`. */
  readonly daysBefore: number;
  /** Neither `*` nor a step in the seconds, minutes and hours: the dates are times of day. */
  readonly isTimeOfDay: boolean;
}

const NICKNAMES: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

/** Texts that other programs read, and what to do instead. */
const FOREIGN: readonly (readonly [text: RegExp, instead: string])[] = [
  [/^@reboot/i, 'is no date: submit the task when the process starts'],
  [/^@every\b/i, 'is not supported: use the option everyMs'],
  [/^@/, `is no nickname; known are ${[...NICKNAMES.keys()].join(', ')}`],
  [/^(CRON_)?TZ=/i, 'is not supported: use the option timezone'],
  [/^\d{4}-\d{2}-\d{2}/, 'is a date: use the option at'],
];

/** @throws TypeError that names what is wrong and says what to do. */
export function readExpression(text: string): Expression {
  const trimmed = text.trim();
  const [first = '', ...rest] = (NICKNAMES.get(trimmed.toLowerCase()) ?? trimmed).split(/\s+/);
  if (NICKNAMES.has(first.toLowerCase())) throw new TypeError(`'${first}' must stand alone: leave out what follows it`);
  const foreign = FOREIGN.find(([pattern]) => pattern.test(first));
  if (foreign !== undefined) throw new TypeError(`'${brief(first)}' ${foreign[1]}`);
  return fromParts(first === '' ? [] : [first, ...rest]);
}

function fromParts(parts: readonly string[]): Expression {
  const given = parts.length;
  if (given < 5) throw new TypeError(`it must have 5 to 7 fields, and has ${given}`);
  if (given > 7) throw new TypeError(`it must have 5 to 7 fields, and has ${given}: leave out a user or a command`);
  const all = [...(given === 5 ? ['0'] : []), ...parts, ...(given === 7 ? [] : ['*'])];
  const [second = '', minute = '', hour = '', day = '', month = '', weekday = '', year = ''] = all;
  if (day === '?' && /(^|,|-)\d/.test(weekday))
    throw new TypeError(
      `weekday '${brief(weekday)}' is beside '?': Quartz counts from 1 = Sunday, here 1 is Monday; use names like MON-FRI`,
    );
  const offset = /^L-(\d+)$/i.exec(day);
  if (offset !== null) checkOffset(day, Number(offset[1]), weekday);
  const texts = [second, minute, hour, offset === null ? day : 'L', month, weekday, year];
  return {
    fields: FIELDS.map((field, i) => readField(field, texts[i] as string)).join(' '),
    daysBefore: offset === null ? 0 : Number(offset[1]),
    isTimeOfDay: !/[*/]/.test(second + minute + hour),
  };
}

function checkOffset(day: string, days: number, weekday: string): void {
  const what = `day of the month '${brief(day)}'`;
  if (!(days >= 1 && days <= 27)) throw new TypeError(`${what} must be from L-1 to L-27`);
  if (weekday !== '*' && weekday !== '?') throw new TypeError(`${what} must be without a weekday: use '*' there`);
}
