// Failures that are the same, counted together. The problems that came last are kept.

import { cut } from '../../kit.ts';
import { Latest } from './latest.ts';
import type { ProblemRow, SlotFailure } from './wire.ts';

const MAX_TEXT = 200;
const MAX_SLOTS = 5;

const WORD = /[\p{L}\p{M}\p{N}_-]+/gu;
const DIGIT = /\p{N}/u;
/** A hash without a digit. No English word is one. */
const HEX = /^[a-f]{8,}(?:-[a-f]+)*$/i;
/** The parts of one number, time, version or address. */
const JOINED = /#(?:[.,:]#)+/g;

/**
 * The message, with `#` for each word that holds a digit or is a hexadecimal hash: a number with
 * its unit, an id, a time, an address. It is cut to 200 UTF-16 units.
 */
export function sameText(message: string): string {
  const words = message.replace(WORD, (word) => (DIGIT.test(word) || HEX.test(word) ? '#' : word));
  return cut(words.replace(JOINED, '#'), MAX_TEXT);
}

type Problem = { -readonly [Key in keyof ProblemRow]: ProblemRow[Key] } & { slots: string[] };

export class Problems {
  /** By what makes failures the same. */
  readonly #problems: Latest<Problem>;

  constructor(max: number) {
    this.#problems = new Latest(max);
  }

  add(group: string, slot: string, failure: SlotFailure): void {
    const { kind, error } = failure;
    const text = sameText(failure.message);
    const key = JSON.stringify([group, kind, error?.name, error?.code, text]);
    const problem = this.#problems.use(key, () => begin(JSON.parse(key)[0], text, failure));
    count(problem, slot, failure);
  }

  /** The problem with the latest failure is first. */
  rows(): ProblemRow[] {
    return Array.from(this.#problems.values(), (problem) => ({ ...problem, slots: [...problem.slots] }));
  }
}

function begin(group: string, text: string, failure: SlotFailure): Problem {
  const { at, kind, error } = failure;
  return {
    group,
    kind,
    ...(error && { name: error.name }),
    ...(error?.code !== undefined && { code: error.code }),
    text,
    count: 0,
    first: at,
    last: at,
    slots: [],
    latest: failure,
  };
}

function count(problem: Problem, slot: string, failure: SlotFailure): void {
  problem.count += 1;
  problem.last = failure.at;
  if (failure.error?.stack !== undefined || problem.latest.error?.stack === undefined) problem.latest = failure;
  const { slots } = problem;
  if (slots.at(-1) === slot) return;
  const known = slots.indexOf(slot);
  if (known !== -1) slots.splice(known, 1);
  slots.push(slot);
  if (slots.length > MAX_SLOTS) slots.shift();
}
