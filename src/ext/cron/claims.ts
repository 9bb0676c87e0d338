// Asks a store of claims, which may be slow, away, or answer nonsense. Its code is called here
// only.

import { types } from 'node:util';
import type { Clock } from '../../index.ts';
import { after, anObjectWith } from '../../kit.ts';

/**
 * Where the processes of a fleet agree on who runs a date. Both methods may be called at any time,
 * and again after an error.
 */
export interface DateClaims {
  /**
   * Claims a date. Resolves to true for one caller of all processes, once, and to false for all
   * others.
   */
  claim(schedule: string, due: Date): Promise<boolean>;
  /** The latest date of this schedule that any process has claimed; `undefined` if none was. */
  last(schedule: string): Promise<Date | undefined>;
}

/** The store, with its answers checked. */
export function readClaims(field: string, got: unknown): DateClaims {
  for (const method of ['claim', 'last']) anObjectWith(method, field, 'must have the methods claim and last', got);
  const claims = got as DateClaims;
  return {
    async claim(schedule, due) {
      const isOurs: unknown = await claims.claim(schedule, due);
      if (typeof isOurs === 'boolean') return isOurs;
      throw new TypeError(`claims.claim must resolve to true or false, got ${typeof isOurs}`);
    },
    async last(schedule) {
      const date: unknown = await claims.last(schedule);
      if (date === undefined || (types.isDate(date) && !Number.isNaN(date.getTime()))) return date;
      throw new TypeError(`claims.last must resolve to a valid Date or undefined, got ${typeof date}`);
    },
  };
}

/** The delay before a failed call is repeated: doubled from the first to the longest. */
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;

export interface Question<A> {
  call(): PromiseLike<A>;
  /** For how long a failed call is repeated, in ms. A call that was made is waited for. */
  readonly patienceMs: number;
  /** Called once, with the answer. */
  answered(answer: A): void;
  /** Called once instead, with the last error, when the patience is over. */
  failed(error: unknown): void;
}

/**
 * Calls the store until it answers. Returns the function that takes the question back: no answer is
 * passed on then.
 */
export function ask<A>(clock: Clock, { call, patienceMs, answered, failed }: Question<A>): () => void {
  const untilMs = clock.now() + patienceMs;
  let isOpen = true;
  let stopDelay: () => void = () => {};
  async function attempt(delayMs: number): Promise<void> {
    let answer: A;
    try {
      answer = await call();
    } catch (error) {
      if (!isOpen) return;
      const leftMs = untilMs - clock.now();
      // The last call comes when the patience ends, not up to a delay earlier.
      const waitMs = Math.min(delayMs, Math.ceil(leftMs));
      if (leftMs <= 0) failed(error);
      else stopDelay = after(clock, waitMs, () => void attempt(Math.min(2 * delayMs, MAX_DELAY_MS)));
      return;
    }
    if (isOpen) answered(answer);
  }
  // On a later turn: user code runs only when the caller can take the question back.
  void Promise.resolve().then(() => (isOpen ? attempt(FIRST_DELAY_MS) : undefined));
  return () => {
    isOpen = false;
    stopDelay();
  };
}
