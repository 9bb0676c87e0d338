/**
 * slotvisor/worker: bodies that run in a thread of their own, and can therefore be ended from outside.
 *
 * Owns the {@link workerTask} factory. It knows of slots, restarts and graces nothing: the core calls `run` and, after the grace, `kill`.
 *
 * @module
 */

import { type KillableTask, killable } from '../../index.ts';
import { parseModule, parseWorkerOptions, type WorkerTaskOptions } from './options.ts';
import { Thread } from './thread.ts';

export type { WorkerResourceLimits, WorkerTaskOptions } from './options.ts';
export type { WorkerContext, WorkerFunction } from './worker-context.ts';

/**
 * A task whose body is an exported function of a module, called in a fresh `node:worker_threads` Worker for every attempt.
 *
 * Promised: the attempt ends, and the slot is free, when the thread has ended (its `exit`), whatever its function does: `while (true)` included.
 * A stop request aborts the function's {@link WorkerContext.signal}; after `graceMs` the thread is terminated, and the outcome is `killed`.
 * The value comes back by structured clone. A thrown error keeps its name, message, stack, cause and the own fields that can be cloned;
 * `FatalError`, `RetryError` and `CanceledError` mean what they mean in any body. An attempt that ends in another way has failed, and the
 * restart policy decides: a module that is missing or throws, no such export, a value that cannot be cloned, memory over
 * `resourceLimits` (code `ERR_WORKER_OUT_OF_MEMORY`), an error that nobody caught, `process.exit()` (failure `exited`).
 *
 * Not promised: an end while the thread is inside native code that does not return (`execSync`): the slot stays closed until it does. Processes
 * that the function starts are its own to end.
 *
 * @param module where the function is: a `file:` or `data:` URL (`new URL('./job.js', import.meta.url)`), or an absolute path.
 * @throws OptionError for a bad module or option.
 */
export function workerTask<T = unknown, D = unknown>(
  module: URL | string,
  options: WorkerTaskOptions<D> = {},
): KillableTask<T, unknown> {
  const task = { module: parseModule(module), ...parseWorkerOptions(options) };
  return killable<T, unknown>((ctx) => new Thread<T>(task, ctx));
}
