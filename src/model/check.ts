// Checks of values from outside. Each refusal is a SpecError that names the field, the rule and the value got.

import leven from 'leven';
import { SpecError } from './error.ts';
import { describe } from './failure.ts';

/** Longest slot or task name, in UTF-16 units. */
export const LONGEST_NAME = 1_024;

export function refuse(field: string, rule: string, got: unknown): never {
  throw new SpecError(field, rule, got, show(got));
}

function show(value: unknown): string {
  try {
    return shown(value);
  } catch {
    return 'a value that cannot be described'; // a revoked proxy cannot even be asked whether it is an array
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return Object.is(value, -0) ? '-0' : describe(value);
}

/** Reads a value from outside: a getter or a proxy trap that throws is a bad value too. */
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

/** The own fields of an options object, each read once. Own ones only: a polluted prototype is not an option. */
export function fieldsOf(field: string, value: unknown): [key: string, value: unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(field, 'must be an object', value);
  return Object.entries(value);
}

export function refuseUnknown(owner: string, key: string, value: unknown, known: readonly string[]): never {
  const nearest = known.map((name) => ({ name, far: leven(name, key) })).sort((a, b) => a.far - b.far)[0];
  const hint =
    nearest !== undefined && nearest.far <= 3 ? `did you mean ${nearest.name}?` : `known: ${known.join(', ')}`;
  return refuse(`${owner}${key}`, `is not an option (${hint})`, value);
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
  const fits =
    typeof value === 'object' &&
    typeof shape?.aborted === 'boolean' &&
    typeof shape.addEventListener === 'function' &&
    typeof shape.removeEventListener === 'function';
  return fits ? (value as AbortSignal) : refuse(field, 'must be an AbortSignal', value);
}
