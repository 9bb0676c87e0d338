// Makes a killable task from whatever can be started, stopped and killed: a worker thread, a
// process, a container.

import { eventLoopTurn } from '../kernel/event-loop.ts';
import { aFunction } from '../model/check.ts';
import { type CanceledError, fromCaller } from '../model/error.ts';
import { field } from '../model/foreign.ts';
import type { KillableTask, TaskContext } from '../model/task.ts';

/** A started body that lives outside of this call. */
export interface KillableBody<T> {
  /** Settles when the body has ended, with its value or its error. The slot is busy until then. */
  readonly ended: PromiseLike<T>;
  /**
   * Passes a stop request on. What it throws is the outcome's `failure` if the body then rejects
   * with the stop reason.
   */
  stop(reason: CanceledError): void;
  /**
   * Ends the body. Resolves when it is dead, and rejects when it may be alive: then it is called
   * again. Let it wait for `ended`, so that code around the task's `run` goes on before the next
   * owner begins.
   */
  kill(): void | PromiseLike<void>;
}

/**
 * Makes a task from a function that starts a body. The function is called once for each attempt. It
 * returns the running body at once; what it throws fails the attempt. Arguments that `run` gets
 * after the context are passed on to it: from slotvisor/cron, the date of the run.
 *
 * Promised: a body that was stopped before it began is not started; `stop` is called at most once
 * for each body, `kill` only after the grace, and again as for any {@link KillableTask} while it
 * fails. The task's `kill` resolves on a turn of the event loop of its own, after yours: code that
 * awaits a `run` that has settled goes on first. Not promised: that the body ends. Your `ended` and
 * `kill` are the only proof that it has.
 *
 * @example
 * ```ts
 * import { killable, Supervisor } from 'slotvisor';
 *
 * declare function startContainer(): {
 *   exited: Promise<number>;
 *   send(signal: 'TERM' | 'KILL'): Promise<void>;
 * };
 *
 * const task = killable(() => {
 *   const container = startContainer();
 *   return {
 *     ended: container.exited,
 *     stop: () => void container.send('TERM'),
 *     kill: async () => {
 *       await container.send('KILL');
 *       await container.exited;
 *     },
 *   };
 * });
 * new Supervisor().submit({ slot: 'container', run: task });
 * ```
 */
export function killable<T, S = unknown, Further extends readonly unknown[] = []>(
  start: (ctx: TaskContext<S>, ...further: Further) => KillableBody<T>,
): KillableTask<T, S, Further> {
  fromCaller(killable, () => aFunction('start', start));
  const live = new Map<string, KillableBody<T>>();
  const keyOf = ({ id, attempt }: TaskContext<S>): string => `${id} ${attempt}`;
  return {
    run: async (ctx, ...further) => {
      ctx.throwIfCanceled();
      const body = start(ctx, ...further);
      if (typeof field(body?.ended, 'then') !== 'function')
        throw new TypeError('start must return a running body, whose ended is a promise');
      const key = keyOf(ctx);
      live.set(key, body);
      const unsubscribe = ctx.onCancel((reason) => body.stop(reason));
      try {
        return await body.ended;
      } finally {
        unsubscribe();
        live.delete(key);
      }
    },
    kill: async (ctx) => {
      const key = keyOf(ctx);
      await live.get(key)?.kill(); // none: the body has ended, or was never started
      live.delete(key); // `ended` may never settle, also after the kill
      // What awaited `run` goes on first, such as a `finally` around it.
      await eventLoopTurn();
    },
  };
}
