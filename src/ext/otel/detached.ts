// `detached`: a body in which no span is active.

import { context, trace } from '@opentelemetry/api';
import type { KillableTask, TaskContext } from '../../index.ts';
import { aFunction, fromCaller, reading, refuse } from '../../kit.ts';

/**
 * The same body, in which no span is active: what it starts are traces of its own. It does for one
 * task what `spans: 'detached'` does for all. Baggage and other context values stay. It needs no
 * `otel`. A killable task becomes a killable task: its `run` is detached, and its `kill` is called
 * as before.
 *
 * @throws OptionError for a value that is neither a function nor an object with `run` and `kill`.
 */
export function detached<T, S = unknown, Further extends readonly unknown[] = []>(
  body: (ctx: TaskContext<S>, ...further: Further) => T,
): (ctx: TaskContext<S>, ...further: Further) => T;
export function detached<T, S = unknown, Further extends readonly unknown[] = []>(
  body: KillableTask<T, S, Further>,
): KillableTask<T, S, Further>;
export function detached(body: Body | KillableTask): Body | KillableTask {
  return fromCaller(detached, () => (typeof body === 'function' ? within(body) : detachedTask(body)));
}

type Body = (...given: never[]) => unknown;

function detachedTask(task: KillableTask): KillableTask {
  return reading('body', task, () => {
    if (typeof task !== 'object' || task === null)
      refuse('body', 'must be a function, or an object with run and kill', task);
    const run = aFunction<KillableTask['run']>('body.run', task.run).bind(task);
    const kill = aFunction<KillableTask['kill']>('body.kill', task.kill).bind(task);
    return { run: within(run), kill };
  });
}

function within<Given extends unknown[], T>(body: (...given: Given) => T): (...given: Given) => T {
  return (...given) => context.with(trace.deleteSpan(context.active()), () => body(...given));
}
