// What a caller gives to be run, and the context that it gets.

import type { CanceledError } from './error.ts';
import type { TaskId } from './id.ts';

/**
 * A body: the function that does a task's work, sync or async. Everything that it throws or rejects with is captured.
 * Two things cannot be captured, and Node reports them as uncaught: the rejection of a promise that the body started and dropped, and the
 * throw of a listener that the body itself put on `ctx.signal`. `ctx.onCancel` listeners are guarded.
 */
export type TaskBody<T = unknown, S = undefined> = (ctx: TaskContext<S>) => T | PromiseLike<T>;

/** A body that can be ended from outside, such as a worker thread or a process. See {@link killable} for a way to make one. */
export interface KillableTask<T = unknown, S = undefined> {
  /** The body. Called once for each attempt. */
  run: TaskBody<T, S>;
  /**
   * Ends the body of this attempt. Called when the body overran its grace. When it returns, or its promise resolves, the body counts as
   * dead and the slot is free. When it throws or rejects, the body counts as alive.
   */
  kill(ctx: TaskContext<S>): void | PromiseLike<void>;
}

export type Run = TaskBody<unknown, unknown>;

export type Kill = KillableTask<unknown, unknown>['kill'];

/** One attempt, as its body sees it. */
export interface TaskContext<S = undefined> {
  readonly id: TaskId;
  readonly slot: string;
  readonly name: string;
  /** 1 for the first attempt of the submission. */
  readonly attempt: number;
  /** Aborted when the attempt is told to stop; the reason is a {@link CanceledError}. Each attempt has its own signal, made on first use. */
  readonly signal: AbortSignal;
  /** True from the stop request on. `signal` and `onCancel` follow one turn later. */
  readonly canceled: boolean;
  /** What the spec's `state()` returned for this attempt. */
  readonly state: S;
  /** The spec's `meta`. */
  readonly meta: unknown;
  /** The fencing token of the slot's lease: greater for every later lease of the slot. `0n` where leases are local. */
  readonly fence: bigint;
  /** Calls the listener once, on the stop request. After the request, it is called on a later turn. Returns the removal. */
  onCancel(listener: (reason: CanceledError) => void): () => void;
  /** Throws the stop reason if the attempt was told to stop. */
  throwIfCanceled(): void;
  /** Resolves after `ms`. Rejects with the stop reason on a stop request. `sleep(Infinity)` waits for the stop request. */
  sleep(ms: number): Promise<void>;
  /** Settles as the work does, or rejects with the stop reason, whichever comes first. It does not stop the work. */
  untilCanceled<R>(work: PromiseLike<R>): Promise<R>;
  /** Resets the time that `stallMs` measures. */
  heartbeat(): void;
}

/** The attempt that `aroundAttempt` wraps. */
export interface AttemptInfo {
  readonly id: TaskId;
  readonly slot: string;
  readonly name: string;
  readonly attempt: number;
  readonly meta: unknown;
}
