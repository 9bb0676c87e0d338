// Invalid values of every kind, and the checks of the errors that report them.

import { OptionError, type Supervisor } from 'slotvisor';
import { expect } from 'vitest';

/** A value and its text in an error. `unknown`, because the compiler rejects most of them. */
export type Wrong = readonly [value: unknown, shown: string];

export const WRONG_TYPES: readonly Wrong[] = [
  ['5', '"5"'],
  [null, 'null'],
  [5n, '5n'],
  [true, 'true'],
  [Symbol('five'), 'Symbol(five)'],
  [{}, 'an object'],
  [[5], 'an array'],
  [() => 5, 'a function'],
];

export const NO_NUMBERS: readonly Wrong[] = [...WRONG_TYPES, [NaN, 'NaN']];
export const NO_DURATIONS: readonly Wrong[] = [...NO_NUMBERS, [-1, '-1'], [-0.5, '-0.5'], [-Infinity, '-Infinity']];

export const NO_COUNTS: readonly Wrong[] = [...NO_DURATIONS, [1.5, '1.5'], [2 ** 53, String(2 ** 53)]];

export const ZEROS: readonly Wrong[] = [
  [0, '0'],
  [-0, '-0'],
];

export const INFINITE: readonly Wrong[] = [[Infinity, 'Infinity']];

export const NO_FUNCTIONS: readonly Wrong[] = [
  ['f', '"f"'],
  [null, 'null'],
  [5, '5'],
  [5n, '5n'],
  [{}, 'an object'],
  [[], 'an array'],
];

export const NO_OBJECTS: readonly Wrong[] = [
  ['x', '"x"'],
  [null, 'null'],
  [5, '5'],
  [5n, '5n'],
  [[], 'an array'],
  [() => ({}), 'a function'],
];

export const NO_WORDS: readonly Wrong[] = [
  ['nonsense', '"nonsense"'],
  ['', '""'],
  ['Queue', '"Queue"'],
  [null, 'null'],
  [5, '5'],
  [['queue'], 'an array'],
];

export const NO_NAMES: readonly Wrong[] = [
  ['', '""'],
  ['n'.repeat(1_025), JSON.stringify(`${'n'.repeat(60)}…`)],
  ['n'.repeat(10_000), JSON.stringify(`${'n'.repeat(60)}…`)],
  [null, 'null'],
  [5, '5'],
  [5n, '5n'],
  [{}, 'an object'],
  [['s'], 'an array'],
];

export const NO_SIGNALS: readonly Wrong[] = [
  ['abort', '"abort"'],
  [null, 'null'],
  [5, '5'],
  [{}, 'an object'],
  [{ aborted: false }, 'an object'],
  [() => {}, 'a function'],
];

export interface Row {
  readonly rule: RegExp;
  readonly field: string;
  readonly wrong: readonly Wrong[];
  /** Makes an object with the value at the path of the field. */
  readonly put: (value: unknown) => unknown;
}

export function row(field: string, rule: RegExp, ...wrong: (readonly Wrong[])[]): Row {
  return { field, rule, wrong: wrong.flat(), put: (value) => nested(field.split('.'), value) };
}

export function nested([key = '', ...rest]: string[], value: unknown): unknown {
  return { [key]: rest.length === 0 ? value : nested(rest, value) };
}

export function optionErrorOf(call: () => unknown): OptionError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError);
    return error as OptionError;
  }
  throw new Error('it was accepted');
}

export function expectOptionError(error: OptionError, field: string, rule: RegExp, [value, shown]: Wrong): void {
  expect(error.field).toBe(field);
  expect(Object.is(error.got, value)).toBe(true);
  expect(error).toBeInstanceOf(TypeError);
  expect(error.name).toBe('OptionError');
  expect(error.message.startsWith(`${field} `)).toBe(true);
  expect(error.message).toMatch(rule);
  expect(error.message.endsWith(`got ${shown}`)).toBe(true);
}

export function expectNothingAdmitted(supervisor: Supervisor): void {
  const { totals, slots, owners, queued } = supervisor.snapshot();
  expect(Object.values(totals).every((count) => count === 0)).toBe(true);
  expect({ slots, owners, queued }).toEqual({ slots: [], owners: 0, queued: 0 });
  expect(supervisor.tasks()).toEqual([]);
}

/** Adds the value as text for the test name, because some values cannot be printed. */
export const titled = (wrong: readonly Wrong[]) => wrong.map(([value, shown]) => ({ value, shown }));

export const cases = (rows: readonly Row[]) =>
  rows.flatMap(({ wrong, ...rest }) => wrong.map((one) => ({ ...rest, one, shown: one[1] })));

export const invalid = <T>(value: unknown): T => value as T;
export const DURATION = /must be a number of ms, (0 or more|more than 0)/;
export const ABOVE_ZERO = /must be a number of ms, more than 0/;
export const WHOLE = /must be a whole number/;
export const FINITE = /must be (a )?finite/;
export const FUNCTION = /must be a function/;
export const OBJECT = /must be an object/;
export const WORD = /must be one of '/;

/** An object whose getter `key` throws. */
export function throwingGetter<T extends object>(key: string, rest: object = {}): T {
  return Object.defineProperty({ ...rest }, key, {
    enumerable: true,
    get: () => {
      throw new Error('do not look');
    },
  }) as T;
}

export function revoked<T extends object>(): T {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy as T;
}
