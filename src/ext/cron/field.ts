// One field of a cron expression: which texts it may have, and how croner reads them.

import { bare, brief } from '../../kit.ts';

interface Field {
  /** For errors. */
  readonly name: string;
  readonly low: number;
  readonly high: number;
  /** How many values there are before they begin again; `undefined` for years. */
  readonly cycle?: number;
  /** The last value of a step without an end, if it is not `high`. */
  readonly last?: number;
  /** The names of the values from `low` on. */
  readonly names?: readonly string[];
  /** Texts that stand for single days. */
  readonly special?: RegExp;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const DAY = bare<Field>({ name: 'day of the month', low: 1, high: 31, cycle: 31, special: /^(L|([12]?\d|3[01])W)$/ });
const WEEKDAY = bare<Field>({
  ...{ name: 'weekday', low: 0, high: 7, cycle: 7, last: 6 },
  ...{ names: WEEKDAYS, special: /^([0-7]|[A-Z]{3})(L|#[1-5L])$/ },
});

/** From left to right. */
export const FIELDS: readonly Field[] = [
  bare<Field>({ name: 'second', low: 0, high: 59, cycle: 60 }),
  bare<Field>({ name: 'minute', low: 0, high: 59, cycle: 60 }),
  bare<Field>({ name: 'hour', low: 0, high: 23, cycle: 24 }),
  DAY,
  bare<Field>({ name: 'month', low: 1, high: 12, cycle: 12, names: MONTHS }),
  WEEKDAY,
  bare<Field>({ name: 'year', low: 1, high: 9999 }),
];

/** Items of a list that are refused by name in any field. */
const REFUSED: readonly (readonly [item: RegExp, why: string])[] = [
  [/^(\*|LW|L-\d+)$/, 'must stand alone'],
  [/^H(\W|$)/, 'is a hash of Jenkins: use the option jitterMs'],
  [/~/, 'is a random value: use the option jitterMs'],
];

/** @throws TypeError that names the field. */
export function readField(field: Field, text: string): string {
  const upper = text.toUpperCase();
  if (upper === '*') return upper;
  if (upper === '?') return any(field);
  if (field === DAY && upper === 'LW') return upper;
  // croner searches for a day that matches both fields for up to seconds.
  if (field === WEEKDAY && upper.startsWith('+'))
    throw refused(field, upper, "is not supported: leave out '+', and a day must match one of the day fields");
  return upper
    .split(',')
    .map((item) => readItem(field, item))
    .join(',');
}

function any(field: Field): string {
  if (field === DAY || field === WEEKDAY) return '*';
  throw refused(field, '?', "is for the two day fields only: use '*'");
}

function readItem(field: Field, item: string): string {
  const known = REFUSED.find(([pattern]) => pattern.test(item));
  if (known !== undefined) throw refused(field, item, known[1]);
  if (field.special?.test(item)) return special(field, item);
  const [, range = '', step] = /^([^/]*)(?:\/(\d+))?$/.exec(item) ?? [];
  if (step !== undefined && !(Number(step) >= 1 && Number(step) <= (field.cycle ?? field.high)))
    throw refused(field, item, `must have a step from 1 to ${field.cycle ?? field.high}`);
  if (range === '*' && step !== undefined) return item;
  const [, from = '', to] = /^(\w+)(?:-(\w+))?$/.exec(range) ?? [];
  const first = numberOf(field, from, item);
  if (to !== undefined) return rangeOf(field, item, first, numberOf(field, to, item), Number(step ?? 1));
  return step === undefined ? `${first}` : rangeOf(field, item, first, field.last ?? field.high, Number(step));
}

function special(field: Field, item: string): string {
  if (field === DAY) {
    if (item !== 'L') numberOf(field, item.slice(0, -1), item);
    return item;
  }
  const [, day = '', which] = /^(\w+?)(L|#.)$/.exec(item) ?? [];
  return `${numberOf(field, day, item) % 7}${which === '#L' ? 'L' : which}`;
}

/** A range whose end is before its start goes on at the lowest value, and so does its step. */
function rangeOf(field: Field, item: string, from: number, to: number, step: number): string {
  const { cycle, low } = field;
  if (to >= from && field !== WEEKDAY) return `${from}-${to}/${step}`;
  if (cycle === undefined) throw refused(field, item, 'must not end before it begins');
  const values: number[] = [];
  for (let value = from; value <= (to < from ? to + cycle : to); value += step)
    values.push(((value - low) % cycle) + low);
  return values.join(',');
}

function numberOf({ name, low, high, names }: Field, text: string, item: string): number {
  const named = names?.indexOf(text) ?? -1;
  const value = named >= 0 ? named + low : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  const or = names === undefined ? '' : `, or from ${names[0]} to ${names.at(-1)}`;
  throw refused({ name }, item, `must be from ${low} to ${high}${or}`);
}

function refused({ name }: Pick<Field, 'name'>, item: string, why: string): TypeError {
  return new TypeError(`${name} '${brief(item)}' ${why}`);
}
