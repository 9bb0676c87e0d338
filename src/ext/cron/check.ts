// Checks of numbers and the like at this door. It decides nothing about dates.

import { refuse } from '../../index.ts';

/** The longest time that a JavaScript date can hold, in ms from the epoch, either way. */
export const FURTHEST_MS = 8.64e15;

/** Parsers quote what they were given, however long it is, and say before or after it what is wrong. */
const LONGEST_PART = 80;

/** What a parser threw, in one line for people: of a long text the beginning and the end. */
export function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text.length <= 2 * LONGEST_PART) return text;
  return `${text.slice(0, LONGEST_PART)} … ${text.slice(-LONGEST_PART)}`;
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
