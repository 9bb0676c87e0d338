// A body that takes one step an attempt.

import type { Failure, TaskContext } from 'slotvisor';
import { expect } from 'vitest';

/** 100, 200, 400 ... without chance, so that due times can be written down. */
export const PLAIN = { firstMs: 100, jitter: 'none' } as const;

/** Runs the given steps one attempt each; the last one again and again. */
export function script<T>(...steps: ((ctx: TaskContext) => T | PromiseLike<T>)[]): {
  run: (ctx: TaskContext) => T | PromiseLike<T>;
  starts: number[];
} {
  const starts: number[] = [];
  return {
    run: (ctx) => {
      starts.push(ctx.attempt);
      const step = steps[Math.min(ctx.attempt, steps.length) - 1];
      if (step === undefined) throw new Error('a script needs a step');
      return step(ctx);
    },
    starts,
  };
}

export const fail = (message = 'no'): never => {
  throw new Error(message);
};

/** What an attempt's failure looks like in an outcome, whoever threw. */
export const thrown = (error: unknown): Failure =>
  expect.objectContaining({ kind: 'thrown', error }) as unknown as Failure;
