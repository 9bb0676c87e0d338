// Builders for the three common specs. They return a plain spec; that of `restartable` has a mark,
// because its `stableMs` depends on the supervisor. A `restart` or an `intervalMs` in `rest` is
// ignored.

import { finiteMs } from '../model/check.ts';
import { RESTARTABLE, type TaskSpec } from '../model/spec.ts';

type Rest<T, S> = Omit<TaskSpec<T, S>, 'run' | 'restart' | 'intervalMs'>;

/** One attempt, without a restart. */
export function once<T, S = undefined>(run: TaskSpec<T, S>['run'], rest?: Rest<T, S>): TaskSpec<T, S> {
  return { ...rest, run, restart: 'never' };
}

/**
 * Restarted after every failure, until the body returns. An attempt that ran for a minute before it
 * failed ends the streak of failures: `stableMs` is 60,000 where neither `rest` nor the
 * supervisor's `defaults` give `stableMs` or `maxRetries`.
 */
export function restartable<T, S = undefined>(run: TaskSpec<T, S>['run'], rest?: Rest<T, S>): TaskSpec<T, S> {
  const marked = { ...rest, run, restart: 'onFailure', [RESTARTABLE]: true } as const;
  return marked;
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
