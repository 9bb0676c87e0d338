// The types of the worker's side: what a worker module exports, and the context that it gets.
// Types only. The context object is made inside the worker, by the program text in bootstrap.ts.

import type { TaskContext } from '../../index.ts';

/**
 * One attempt, as the function in the worker sees it. `id`, `slot`, `name`, `attempt`, `meta` and
 * `fence` are those of the task's context. `meta` and `workerData` are clones, made for this
 * attempt.
 */
export interface WorkerContext<D = unknown>
  extends Pick<TaskContext, 'id' | 'slot' | 'name' | 'attempt' | 'meta' | 'fence'> {
  /**
   * The `workerData` option. A fresh clone for each attempt; a `SharedArrayBuffer` in it is shared.
   */
  readonly workerData: D;
  /**
   * The date of the run, in a task that slotvisor/cron runs. Each attempt of the run has the same
   * date, and the run may be late. In a run by `trigger` it is the moment of that call. Undefined
   * without a schedule.
   */
  readonly due: Date | undefined;
  /**
   * Aborted on a stop request, on the next turn of the worker's event loop. The abort reason is a
   * `CanceledError` with `by`, and with `reason` if the reason can be cloned. Node does not warn of
   * many listeners.
   */
  readonly signal: AbortSignal;
  /**
   * True from the stop request on, also in a loop that never yields to the event loop. The value
   * changes: read it from the context each time.
   */
  readonly canceled: boolean;
  /**
   * Throws the stop reason if a stop was requested. It also works in a loop that never yields.
   * @throws CanceledError the stop reason.
   */
  throwIfCanceled(): void;
  /**
   * Resets the time that `stallMs` measures. It can be called in a tight loop: at most one
   * heartbeat message is on its way at a time.
   */
  heartbeat(): void;
}

/**
 * The function that a worker module exports. It returns the value, or a promise of it. Check a
 * module with `satisfies WorkerFunction<Result, Data>`.
 */
export type WorkerFunction<T = unknown, D = unknown> = (ctx: WorkerContext<D>) => T | PromiseLike<T>;
