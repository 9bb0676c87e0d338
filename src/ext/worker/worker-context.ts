// What the function in the worker sees of its attempt. Types only: the object is made inside the worker (bootstrap.ts).

import type { TaskContext } from '../../index.ts';

/** One attempt, seen from inside the worker. `meta` and `workerData` are clones, made for this attempt. */
export interface WorkerContext<D = unknown>
  extends Pick<TaskContext, 'id' | 'slot' | 'name' | 'attempt' | 'meta' | 'fence'> {
  readonly workerData: D;
  /** Aborted on a stop request, as soon as the worker's event loop turns. Its reason is a `CanceledError` (`by`, `reason` if it can be cloned). */
  readonly signal: AbortSignal;
  /** True from the stop request on, also in a loop that never yields. It changes: read it from the context each time. */
  readonly canceled: boolean;
  /** Throws the stop's reason if the attempt has been told to stop; it, too, works in a loop that never yields. */
  throwIfCanceled(): void;
  /** Says "still alive" to `stallMs`. Cheap: however often it is called, one message at a time is under way. */
  heartbeat(): void;
}

/** What the module exports. Type a worker module with `satisfies WorkerFunction<Result, Data>`. */
export type WorkerFunction<T = unknown, D = unknown> = (ctx: WorkerContext<D>) => T | PromiseLike<T>;
