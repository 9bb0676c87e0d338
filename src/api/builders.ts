// Builders for the three common specs. They return a plain spec. A `restart` or an `intervalMs` in
// `rest` is ignored.

import { finiteMs } from '../model/check.ts';
import type { TaskSpec } from '../model/spec.ts';

type Rest<T, S> = Omit<TaskSpec<T, S>, 'run' | 'restart' | 'intervalMs'>;

/** One attempt, without a restart. */
export function once<T, S = undefined>(run: TaskSpec<T, S>['run'], rest?: Rest<T, S>): TaskSpec<T, S> {
  return { ...rest, run, restart: 'never' };
}

/** Restarted after every failure, until the body returns. */
export function restartable<T, S = undefined>(run: TaskSpec<T, S>['run'], rest?: Rest<T, S>): TaskSpec<T, S> {
  return { ...rest, run, restart: 'onFailure' };
}

/**
 * Run again `everyMs` after the end of each success. A failure is retried with backoff.
 *
 * @throws OptionError for an invalid `everyMs`.
 */
export function periodic<T, S = undefined>(
  everyMs: number,
  run: TaskSpec<T, S>['run'],
  rest?: Rest<T, S>,
): TaskSpec<T, S> {
  return { ...rest, run, restart: 'always', intervalMs: finiteMs('everyMs', everyMs) };
}
