// Spec builders for the three common shapes. What they return is a plain spec.

import { durationMs } from './check.ts';
import type { TaskSpec } from './spec.ts';

type Rest<T, S> = Omit<TaskSpec<T, S>, 'run' | 'restart' | 'intervalMs'>;

/** One attempt, no restart. */
export function once<T, S = undefined>(run: TaskSpec<T, S>['run'], rest?: Rest<T, S>): TaskSpec<T, S> {
  return { ...rest, run, restart: 'never' };
}

/** Tried again after every failure, until it returns a value. */
export function restartable<T, S = undefined>(run: TaskSpec<T, S>['run'], rest?: Rest<T, S>): TaskSpec<T, S> {
  return { ...rest, run, restart: 'onFailure' };
}

/** Run again and again, `everyMs` after each success; a failure is retried with backoff. */
export function periodic<T, S = undefined>(
  everyMs: number,
  run: TaskSpec<T, S>['run'],
  rest?: Rest<T, S>,
): TaskSpec<T, S> {
  return { ...rest, run, restart: 'always', intervalMs: durationMs('everyMs', everyMs) };
}
