// Checks of single values that callers pass in. A check returns the value, or throws an OptionError
// that names the field, the rule and the value. Every check can be the reader of an option
// (options.ts).

import { OptionError } from './error.ts';
import { field as readField } from './foreign.ts';

/** The longest slot or task name, in UTF-16 units. */
export const MAX_NAME_LENGTH = 1_024;

/**
 * Throws an {@link OptionError} with the message "`field` `rule`, got `value`". Objects, arrays and
 * functions are shown by their kind, all other values in at most 60 characters.
 *
 * @param rule what the value must be, from the verb on: `must be a string`.
 */
export function refuse(field: string, rule: string, got: unknown): never {
  throw new OptionError(field, rule, got);
}

/**
 * A duration in ms, 0 or more. The option documents what `Infinity` means: "none" or "until
 * stopped".
 */
export function durationMs(field: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0) return value + 0; // -0 becomes 0
  return refuse(field, 'must be a number of ms, 0 or more', value);
}

/** A duration in ms, more than 0. `Infinity` means "none". */
export function positiveMs(field: string, value: unknown): number {
  if (typeof value === 'number' && value > 0) return value;
  return refuse(field, 'must be a number of ms, more than 0 (Infinity means none)', value);
}

export function finiteMs(field: string, value: unknown): number {
  const ms = durationMs(field, value);
  return ms === Infinity ? refuse(field, 'must be finite', value) : ms;
}

/** A whole number, at least `min`. `Infinity` means "no limit". */
export function count(field: string, value: unknown, min: 0 | 1): number {
  if (value === Infinity || (Number.isSafeInteger(value) && (value as number) >= min)) return (value as number) + 0;
  return refuse(field, `must be a whole number, ${min} or more (Infinity means no limit)`, value);
}

export function aNumber(field: string, value: unknown): number {
  return typeof value === 'number' ? value : refuse(field, 'must be a number', value);
}

export function finiteNumber(field: string, value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : refuse(field, 'must be a finite number', value);
}

/** A whole number of any sign. */
export function wholeNumber(field: string, value: unknown): number {
  return Number.isSafeInteger(value) ? (value as number) + 0 : refuse(field, 'must be a whole number', value);
}

/** A number from `min` to `max`, both included. */
export function numberFrom(field: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  return refuse(field, `must be a number from ${min} to ${max}`, value);
}

/** A whole number from `min` to `max`, both included. */
export function wholeFrom(field: string, value: unknown, min: number, max: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  return refuse(field, `must be a whole number from ${min} to ${max}`, value);
}

export function aBoolean(field: string, value: unknown): boolean {
  return typeof value === 'boolean' ? value : refuse(field, 'must be true or false', value);
}

export function aBigInt(field: string, value: unknown): bigint {
  return typeof value === 'bigint' ? value : refuse(field, 'must be a bigint', value);
}

export function oneOf<T extends string>(field: string, value: unknown, words: readonly T[]): T {
  if (typeof value === 'string' && (words as readonly string[]).includes(value)) return value as T;
  return refuse(field, `must be one of ${words.map((word) => `'${word}'`).join(', ')}`, value);
}

export function anObject(field: string, value: unknown, rule = 'must be an object'): object {
  return typeof value === 'object' && value !== null ? value : refuse(field, rule, value);
}

/**
 * Checks only that it is a function. The type `F` is asserted, because a signature cannot be
 * checked.
 */
export function aFunction<F>(field: string, value: unknown): F {
  return typeof value === 'function' ? (value as F) : refuse(field, 'must be a function', value);
}

/** A name: any string of 1 to 1,024 characters. */
export function nameText(field: string, value: unknown): string {
  if (typeof value !== 'string') return refuse(field, 'must be a string', value);
  if (value.length === 0) return refuse(field, 'must not be empty', value);
  if (value.length > MAX_NAME_LENGTH) return refuse(field, `must be at most ${MAX_NAME_LENGTH} characters`, value);
  return value;
}

export function abortSignal(field: string, value: unknown): AbortSignal {
  return isSignal(value) ? value : refuse(field, 'must be an AbortSignal', value);
}

/** Checks the shape, because a signal may come from another realm. */
function isSignal(value: unknown): value is AbortSignal {
  return (
    typeof readField(value, 'aborted') === 'boolean' &&
    typeof readField(value, 'addEventListener') === 'function' &&
    typeof readField(value, 'removeEventListener') === 'function'
  );
}
