// Refusals at this door: a SpecError with the field, the rule and the value got. It decides nothing about dates.

import { SpecError } from '../../index.ts';

/** The longest time that a JavaScript date can hold, in ms from the epoch, either way. */
export const FURTHEST_MS = 8.64e15;

export function refuse(field: string, rule: string, got: unknown): never {
  throw new SpecError(field, rule, got, shown(got));
}

/** What a parser threw, in one line for people. */
export function textOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'something that cannot be described';
  }
}

/** The own fields of an options object, each read once. A getter that throws is a bad value too. */
export function fieldsOf(field: string, value: unknown, known?: readonly string[]): Map<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(field, 'must be an object', value);
  const fields = new Map<string, unknown>();
  for (const key of Object.keys(value)) {
    if (known !== undefined && !known.includes(key)) refuse(key, `is not an option; known: ${known.join(', ')}`, key);
    const got = read(field, () => (value as Record<string, unknown>)[key]);
    if (got !== undefined) fields.set(key, got);
  }
  return fields;
}

/** Runs what reads a value from outside, so that only a SpecError comes out of it. */
export function read<T>(field: string, reading: () => T): T {
  try {
    return reading();
  } catch (error) {
    if (error instanceof SpecError) throw error;
    return refuse(field, `must be readable (${textOf(error)})`, undefined);
  }
}

/** A number from `least` to `most`, both included. */
export function numberFrom(field: string, got: unknown, least: number, most: number): number {
  if (typeof got === 'number' && got >= least && got <= most) return got;
  return refuse(field, `must be a number from ${least} to ${most}`, got);
}

/** A whole number from `least` to `most`, both included. */
export function wholeFrom(field: string, got: unknown, least: number, most: number): number {
  if (Number.isSafeInteger(got) && (got as number) >= least && (got as number) <= most) return got as number;
  return refuse(field, `must be a whole number from ${least} to ${most}`, got);
}

export function aFunction<F>(field: string, got: unknown): F {
  return typeof got === 'function' ? (got as F) : refuse(field, 'must be a function', got);
}

function shown(got: unknown): string {
  if (typeof got === 'string') return JSON.stringify(got.length > 60 ? `${got.slice(0, 60)}…` : got);
  if (typeof got === 'function') return 'a function';
  if (typeof got === 'object' && got !== null) return Array.isArray(got) ? 'an array' : 'an object';
  return String(got);
}
