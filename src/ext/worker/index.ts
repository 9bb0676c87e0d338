/**
 * slotvisor/worker: tasks whose body runs in a worker thread, so that it can be terminated.
 *
 * Exports the {@link workerTask} factory. Slots, restarts and graces are decided by the core. The
 * core calls the task's `run`, and its `kill` after the grace.
 *
 * @module slotvisor/worker
 * @document README.md
 */

import { type KillableTask, killable } from '../../index.ts';
import { fromCaller } from '../../kit.ts';
import { parseModule, parseWorkerOptions, type WorkerTaskOptions } from './options.ts';
import { Thread } from './thread.ts';

export type { WorkerResourceLimits, WorkerTaskOptions } from './options.ts';
export type { WorkerContext, WorkerFunction } from './worker-context.ts';

/**
 * Makes a task that calls an exported function of a module. Each attempt gets a fresh
 * `node:worker_threads` Worker.
 *
 * Promised: the attempt ends, and the slot is free, when the thread has ended (its `exit` event). A
 * stop request aborts the function's {@link WorkerContext.signal}. After `graceMs` the thread is
 * terminated, even in a `while (true)`, and the outcome is `killed`. The task's `kill` resolves
 * after its `run` has settled, so code around `run` goes on before the next owner begins. The value
 * comes back by structured clone. A thrown error keeps its name, message, stack, cause and the own
 * fields that can be cloned. `FatalError`, `RetryError` and `CanceledError` mean what they mean in
 * any body. On a schedule of slotvisor/cron the function has the date of its run, as `ctx.due`.
 *
 * The attempt fails, and the restart policy decides, when
 * - the module is missing or throws while it loads, or it has no such export;
 * - the function throws, or its value cannot be cloned;
 * - the heap exceeds `resourceLimits` (code `ERR_WORKER_OUT_OF_MEMORY`);
 * - an error in the thread is not caught, or the thread calls `process.exit()` (failure `exited`),
 *   before the function has ended.
 *
 * Not promised: that a thread inside native code ends before that code returns (`execSync`). The
 * slot stays busy until then. Processes that the function starts are not ended with it.
 *
 * @example
 * ```ts
 * import { Supervisor } from 'slotvisor';
 * import { workerTask } from 'slotvisor/worker';
 *
 * const hash = workerTask<string>(new URL('./hash.js', import.meta.url));
 * const submission = new Supervisor().submit({ slot: 'hash', graceMs: 1_000, run: hash });
 * console.log(await submission.value());
 * ```
 *
 * @param module where the function is: a `file:` or `data:` URL (`new URL('./job.js',
 * import.meta.url)`), or an absolute path. It is loaded in the worker, not here.
 * @throws OptionError for an invalid module or option.
 */
export function workerTask<T = unknown, D = unknown>(
  module: URL | string,
  options: WorkerTaskOptions<D> = {},
): KillableTask<T, unknown, [due?: Date | undefined]> {
  const task = fromCaller(workerTask, () => ({ module: parseModule(module), ...parseWorkerOptions(options) }));
  return killable<T, unknown, [due?: Date | undefined]>((ctx, due) => new Thread<T>(task, ctx, due));
}
