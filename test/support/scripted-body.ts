// A body with one step for each attempt.

import type { Failure, TaskContext, TaskSpec } from 'slotvisor';
import { expect } from 'vitest';
import { PLAIN_BACKOFF } from './bodies.ts';
import { setup } from './setup.ts';

/** Runs one of the given steps in each attempt, and the last one in every further attempt. */
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

/** The failure of an attempt that threw `error`. */
export const thrown = (error: unknown): Failure =>
  expect.objectContaining({ kind: 'thrown', error }) as unknown as Failure;

/** A task that fails each attempt with `error`. */
export function failingTask(error: unknown, spec: Partial<TaskSpec> = {}) {
  const world = setup();
  const run = () => {
    throw error;
  };
  return { ...world, submission: world.supervisor.submit({ backoff: PLAIN_BACKOFF, maxRetries: 1, ...spec, run }) };
}
