import { describe, expect, test } from 'vitest';
import { FIELDS, readField } from '../../../src/ext/cron/field.ts';

const [SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR] = FIELDS as Required<typeof FIELDS>;
type Field = (typeof FIELDS)[number];

/** The values that a list in croner's syntax stands for, without `*`, `L`, `W` and `#`. */
function values(text: string): number[] {
  return text.split(',').flatMap((item) => {
    const [, from, to = from, step = '1'] = /^(\d+)(?:-(\d+)(?:\/(\d+))?)?$/.exec(item) ?? [];
    const count = Math.floor((Number(to) - Number(from)) / Number(step)) + 1;
    return Array.from({ length: count }, (_, i) => Number(from) + i * Number(step));
  });
}

describe('a field of an expression', () => {
  test.for<readonly [name: string, field: Field | undefined, text: string, expected: readonly number[]]>([
    ['a value', MINUTE, '09', [9]],
    ['a list', MINUTE, '5,1,59', [5, 1, 59]],
    ['a range', HOUR, '9-12', [9, 10, 11, 12]],
    ['a range of one value', HOUR, '9-9', [9]],
    ['a range with a step', HOUR, '9-14/2', [9, 11, 13]],
    ['a start with a step', MINUTE, '5/20', [5, 25, 45]],
    ['a start with a step, of months', MONTH, 'OCT/1', [10, 11, 12]],
    ['a start with a step, of weekdays', WEEKDAY, 'WED/2', [3, 5]],
    ['a start with a step on a Sunday that is 7', WEEKDAY, '7/2', [0, 2, 4, 6]],
    ['a range that wraps, of seconds', SECOND, '58-1', [58, 59, 0, 1]],
    ['a range that wraps, of hours', HOUR, '22-2', [22, 23, 0, 1, 2]],
    ['a range that wraps, of days', DAY, '30-2', [30, 31, 1, 2]],
    ['a range that wraps, of months', MONTH, 'NOV-FEB', [11, 12, 1, 2]],
    ['a range that wraps, of weekdays', WEEKDAY, 'FRI-MON', [5, 6, 0, 1]],
    ['a range that wraps, with a step across it', HOUR, '21-5/3', [21, 0, 3]],
    ['a range that wraps, with a step across it, of days', DAY, '25-5/3', [25, 28, 31, 3]],
    ['a range that wraps, with a step across it, of weekdays', WEEKDAY, 'fri-tue/2', [5, 0, 2]],
    ['Saturday and Sunday', WEEKDAY, '6-7', [6, 0]],
    ['Saturday and Sunday by name', WEEKDAY, 'SAT-SUN', [6, 0]],
    ['Sunday to Tuesday, from 7', WEEKDAY, '7-2', [0, 1, 2]],
    ['every weekday', WEEKDAY, '0-7', [0, 1, 2, 3, 4, 5, 6, 0]],
    ['Sunday as 7', WEEKDAY, '7', [7]],
    ['every month by name', MONTH, 'JAN,FEB,MAR,APR,MAY,JUN', [1, 2, 3, 4, 5, 6]],
    ['years', YEAR, '2027-2031/2', [2027, 2029, 2031]],
  ])('%s is read: %#', ([, field, text, expected]) => {
    expect(values(readField(field as Field, text))).toEqual(expected);
  });

  test.for<readonly [field: Field | undefined, text: string, croner: string]>([
    [MINUTE, '*', '*'],
    [MINUTE, '*/7', '*/7'],
    [DAY, '?', '*'],
    [WEEKDAY, '?', '*'],
    [DAY, 'l,15', 'L,15'],
    [DAY, 'lw', 'LW'],
    [DAY, '15W,1w', '15W,1W'],
    [WEEKDAY, '5L', '5L'],
    [WEEKDAY, 'sunL', '0L'],
    [WEEKDAY, '7L', '0L'],
    [WEEKDAY, 'fri#2,MON#L', '5#2,1L'],
    [YEAR, '2030/2', '2030-9999/2'],
    [YEAR, '*/2', '*/2'],
  ])('%# is read as croner does', ([field, text, croner]) => {
    expect(readField(field as Field, text)).toBe(croner);
  });

  const name = (field: Field | undefined) => field?.name ?? '';
  test.for<readonly [field: Field | undefined, text: string, why: string]>([
    [SECOND, '60', "second '60' must be from 0 to 59"],
    [MINUTE, '-1', "minute '-1' must be from 0 to 59"],
    [MINUTE, '1--2', "minute '1--2' must be from 0 to 59"],
    [MINUTE, '0x10', "minute '0X10' must be from 0 to 59"],
    [MINUTE, '1e1', "minute '1E1' must be from 0 to 59"],
    [MINUTE, '1.5', "minute '1.5' must be from 0 to 59"],
    [MINUTE, '+1', "minute '+1' must be from 0 to 59"],
    [MINUTE, '٠', "minute '٠' must be from 0 to 59"],
    [MINUTE, '', "minute '' must be from 0 to 59"],
    [MINUTE, '1,', "minute '' must be from 0 to 59"],
    [MINUTE, ',1', "minute '' must be from 0 to 59"],
    [MINUTE, '*,1', "minute '*' must stand alone"],
    [MINUTE, '*-5', "minute '*-5' must be from 0 to 59"],
    [MINUTE, '/5', "minute '/5' must be from 0 to 59"],
    [MINUTE, '*/0', "minute '*/0' must have a step from 1 to 60"],
    [MINUTE, '*/90', "minute '*/90' must have a step from 1 to 60"],
    [MINUTE, '5-1/0', "minute '5-1/0' must have a step from 1 to 60"],
    [MINUTE, '1/2/3', "minute '1/2/3' must be from 0 to 59"],
    [MINUTE, '*/', "minute '*/' must be from 0 to 59"],
    [MINUTE, '*/x', "minute '*/X' must be from 0 to 59"],
    [MINUTE, '?', "minute '?' is for the two day fields only: use '*'"],
    [MINUTE, 'H', "minute 'H' is a hash of Jenkins: use the option jitterMs"],
    [MINUTE, 'H/15', "minute 'H/15' is a hash of Jenkins: use the option jitterMs"],
    [HOUR, 'H(0-7)', "hour 'H(0-7)' is a hash of Jenkins: use the option jitterMs"],
    [MINUTE, '0~59', "minute '0~59' is a random value: use the option jitterMs"],
    [MINUTE, '~', "minute '~' is a random value: use the option jitterMs"],
    [HOUR, '24', "hour '24' must be from 0 to 23"],
    [DAY, '0', "day of the month '0' must be from 1 to 31"],
    [DAY, '32W', "day of the month '32W' must be from 1 to 31"],
    [DAY, '0W', "day of the month '0W' must be from 1 to 31"],
    [DAY, 'W', "day of the month 'W' must be from 1 to 31"],
    [DAY, 'LW,1', "day of the month 'LW' must stand alone"],
    [DAY, 'L-3,1', "day of the month 'L-3' must stand alone"],
    [DAY, 'L-3W', "day of the month 'L-3W' must be from 1 to 31"],
    [DAY, '1#2', "day of the month '1#2' must be from 1 to 31"],
    [DAY, '?,1', "day of the month '?' must be from 1 to 31"],
    [MONTH, '13', "month '13' must be from 1 to 12, or from JAN to DEC"],
    [MONTH, 'January', "month 'JANUARY' must be from 1 to 12, or from JAN to DEC"],
    [WEEKDAY, '8', "weekday '8' must be from 0 to 7, or from SUN to SAT"],
    [WEEKDAY, 'Monday', "weekday 'MONDAY' must be from 0 to 7, or from SUN to SAT"],
    [WEEKDAY, 'L', "weekday 'L' must be from 0 to 7, or from SUN to SAT"],
    [WEEKDAY, '1#6', "weekday '1#6' must be from 0 to 7, or from SUN to SAT"],
    [WEEKDAY, 'XYZ#1', "weekday 'XYZ#1' must be from 0 to 7, or from SUN to SAT"],
    [WEEKDAY, '1-5#1', "weekday '1-5#1' must be from 0 to 7, or from SUN to SAT"],
    [WEEKDAY, '+fri', "weekday '+FRI' is not supported: leave out '+', and a day must match one of the day fields"],
    [YEAR, '2031-2030', "year '2031-2030' must not end before it begins"],
    [YEAR, '0', "year '0' must be from 1 to 9999"],
    [YEAR, '10000', "year '10000' must be from 1 to 9999"],
  ])('%# is refused, with what is wrong', ([field, text, why]) => {
    expect(() => readField(field as Field, text), name(field)).toThrow(new TypeError(why));
  });
});

test('a polluted Object.prototype changes no field', () => {
  const polluted = { special: /^5$/, cycle: 7, last: 5, names: ['ABC'] };
  const target = Object.prototype as Record<string, unknown>;
  Object.assign(target, polluted);
  try {
    expect(FIELDS.map((field) => readField(field, '5'))).toEqual(Array(7).fill('5'));
    expect(() => readField(MINUTE as Field, 'ABC')).toThrow('must be from 0 to 59');
  } finally {
    for (const name of Object.keys(polluted)) delete target[name];
  }
});
