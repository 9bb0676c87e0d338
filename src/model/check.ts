// Checks of values from outside. Each refusal is a SpecError that names the field, the rule and the value got.

import leven from 'leven';
import { SpecError } from './error.ts';
import { describe } from './failure.ts';

/** Longest slot or task name, in UTF-16 units. */
export const LONGEST_NAME = 1_024;

/**
 * Throws a {@link SpecError}: "`field` `rule`, got" and the value. For packages that take options in this library's way: the doors do.
 *
 * Promised: whatever the value is, it can be shown: objects, arrays and functions by their kind, everything else in at most 60 characters.
 * Not promised: secrecy. A text is shown as it is.
 *
 * @param rule what would have been right, from the verb on: `must be a string`.
 * @throws SpecError always.
 */
export function refuse(field: string, rule: string, got: unknown): never {
  throw new SpecError(field, rule, got);
}

/**
 * Looks into a value from outside, where a getter or a proxy trap that throws makes a bad value. For packages that take options in this
 * library's way: the doors do.
 *
 * Promised: what `read` returns is handed on, and so is a SpecError that it throws. Not promised: anything of a promise that it returns: a
 * later rejection is no refusal.
 *
 * @param read is called once, before this returns.
 * @throws SpecError with `field` and `value` for whatever else `read` throws.
 */
export function reading<T>(field: string, value: unknown, read: () => T): T {
  try {
    return read();
  } catch (error) {
    return unreadable(field, value, error);
  }
}

export function unreadable(field: string, value: unknown, error: unknown): never {
  if (error instanceof SpecError) throw error;
  throw new SpecError(field, 'must be readable', value, `a value that throws when it is read: ${describe(error)}`);
}

/**
 * The own fields of an options object, each read once, so that what was checked is what is used. For packages that take options in this
 * library's way: the doors do.
 *
 * Promised: an option given as `undefined` is absent, and so is what the object inherits; what comes back is new, and inherits nothing
 * itself. Not promised: anything of the values. They are neither checked nor copied.
 *
 * @param field what the object is called in a refusal. The fields of `options` go by their own names, those of any other by a path.
 * @param known the names there are. Default: any.
 * @throws SpecError for what is no object, for an unknown name (with the nearest known one), and for what throws when it is read.
 */
export function readOptions<K extends string>(
  field: string,
  value: unknown,
  known?: readonly K[],
): { [name in K]?: unknown } {
  const options = { __proto__: null } as { [name in K]?: unknown }; // a polluted Object.prototype is no option either
  let at: K | undefined;
  try {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(field, 'must be an object', value);
    for (at of Object.keys(value as object) as K[]) {
      const got = (value as typeof options)[at];
      if (known !== undefined && !known.includes(at)) refuseUnknown(pathOf(field, at), at, got, known);
      if (got !== undefined) options[at] = got;
    }
  } catch (error) {
    unreadable(at === undefined ? field : pathOf(field, at), value, error);
  }
  return options;
}

/** What a field is called in a refusal. */
export function pathOf(field: string, key: string): string {
  return field === 'options' ? key : `${field}.${key}`;
}

export function refuseUnknown(path: string, key: string, value: unknown, known: readonly string[]): never {
  const nearest = known.map((name) => ({ name, far: leven(name, key) })).sort((a, b) => a.far - b.far)[0];
  const hint =
    nearest !== undefined && nearest.far <= 3 && nearest.far < key.length
      ? `did you mean ${nearest.name}?`
      : `known: ${known.join(', ')}`;
  return refuse(path, `is not an option (${hint})`, value);
}

/** A duration in ms: a number, not NaN, at least `least`. `Infinity` says "none" or "until stopped", as the field documents. */
export function durationMs(field: string, value: unknown, least: 'zero' | 'aboveZero' = 'zero'): number {
  if (typeof value !== 'number' || !(value >= 0)) return refuse(field, 'must be a number of ms, 0 or more', value);
  if (least === 'aboveZero' && value === 0) return refuse(field, 'must be more than 0 ms (Infinity says none)', value);
  return value + 0; // -0 becomes 0
}

export function finiteMs(field: string, value: unknown): number {
  const ms = durationMs(field, value);
  return ms === Infinity ? refuse(field, 'must be finite', value) : ms;
}

/** A whole number, at least `least`; `Infinity` is allowed and says "no limit". */
export function count(field: string, value: unknown, least: 0 | 1): number {
  const whole = typeof value === 'number' && (value === Infinity || Number.isSafeInteger(value)) && value >= least;
  return whole
    ? (value as number) + 0
    : refuse(field, `must be a whole number, ${least} or more (Infinity says no limit)`, value);
}

export function finiteNumber(field: string, value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : refuse(field, 'must be a finite number', value);
}

export function oneOf<T extends string>(field: string, value: unknown, words: readonly T[]): T {
  if (typeof value === 'string' && (words as readonly string[]).includes(value)) return value as T;
  return refuse(field, `must be one of ${words.map((word) => `'${word}'`).join(', ')}`, value);
}

export function anObject(field: string, value: unknown): object {
  return typeof value === 'object' && value !== null ? value : refuse(field, 'must be an object', value);
}

// The caller's type is asserted, not proved: a signature cannot be looked at.
export function aFunction<F>(field: string, value: unknown): F {
  return typeof value === 'function' ? (value as F) : refuse(field, 'must be a function', value);
}

/** Every string is a legal name but the empty one and those past 1,024 units. */
export function nameText(field: string, value: unknown): string {
  if (typeof value !== 'string') return refuse(field, 'must be a string', value);
  if (value.length === 0) return refuse(field, 'must not be empty', value);
  if (value.length > LONGEST_NAME) return refuse(field, `must be at most ${LONGEST_NAME} characters`, value);
  return value;
}

export function abortSignal(field: string, value: unknown): AbortSignal {
  const shape = value as AbortSignal | null | undefined;
  const fits = reading(
    field,
    value,
    () =>
      typeof value === 'object' &&
      typeof shape?.aborted === 'boolean' &&
      typeof shape.addEventListener === 'function' &&
      typeof shape.removeEventListener === 'function',
  );
  return fits ? (value as AbortSignal) : refuse(field, 'must be an AbortSignal', value);
}
