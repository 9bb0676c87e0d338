// Builders for the three common specs. They return a plain spec; that of `restartable` has a mark,
// because its `stableMs` depends on the supervisor. A `restart` or an `intervalMs` in `rest` is
// ignored.

import { finiteMs } from '../model/check.ts';
import { fromCaller } from '../model/error.ts';
import { type BuilderOptions, type InferredState, RESTARTABLE, type TaskSpec } from '../model/spec.ts';
import type { KillableTask, TaskBody } from '../model/task.ts';

/** @inline */
type Body<T, S> = TaskBody<T, S> | KillableTask<T, S>;

/** Must be given where it has to have `state`. */
type Rest<S> = undefined extends S ? [rest?: BuilderOptions<S>] : [rest: BuilderOptions<S>];

/**
 * One attempt, without a restart.
 *
 * @param rest the other options. They must be given where `state` must be: see
 *   {@link BuilderOptions}.
 */
export function once<T, S = undefined>(run: Body<T, S>, ...rest: Rest<S>): TaskSpec<T, InferredState<S>> {
  return { ...rest[0], run, restart: 'never' } as TaskSpec<T, InferredState<S>>;
}

/**
 * Restarted after every failure, until the body returns. An attempt that ran for a minute before it
 * failed ends the streak of failures: `stableMs` is 60,000 where neither `rest` nor the
 * supervisor's `defaults` give `stableMs` or `maxRetries`.
 *
 * @param rest the other options. They must be given where `state` must be: see
 *   {@link BuilderOptions}.
 */
export function restartable<T, S = undefined>(run: Body<T, S>, ...rest: Rest<S>): TaskSpec<T, InferredState<S>> {
  return { ...rest[0], run, restart: 'onFailure', [RESTARTABLE]: true } as TaskSpec<T, InferredState<S>>;
}

/**
 * Run again `everyMs` after the end of each success. A failure is retried with backoff.
 *
 * @param everyMs the `intervalMs` of the spec, in ms. Finite, 0 or more.
 * @param rest the other options. They must be given where `state` must be: see
 *   {@link BuilderOptions}.
 * @throws OptionError for an invalid `everyMs`.
 */
export function periodic<T, S = undefined>(
  everyMs: number,
  run: Body<T, S>,
  ...rest: Rest<S>
): TaskSpec<T, InferredState<S>> {
  const intervalMs = fromCaller(periodic, () => finiteMs('everyMs', everyMs));
  return { ...rest[0], run, restart: 'always', intervalMs } as TaskSpec<T, InferredState<S>>;
}
