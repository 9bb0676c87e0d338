// The body that a caller submits, and the context that it gets.

import type { CanceledError } from './error.ts';
import type { TaskId } from './id.ts';

/**
 * A body: the function that does the work of a task, sync or async. Whatever it throws or rejects
 * with becomes a failure of the attempt.
 *
 * Two errors cannot be caught, and Node reports them as uncaught: the rejection of a promise that
 * the body started and dropped, and a throw in a listener that the body itself added to
 * `ctx.signal`. Errors of `ctx.onCancel` listeners are caught.
 */
export type TaskBody<T = unknown, S = unknown> = (ctx: TaskContext<S>) => T | PromiseLike<T>;

/**
 * A body that can be ended from outside, such as a worker thread or a process. {@link killable}
 * makes one. `Further` has the types of the arguments that its `run` takes after the context. A
 * supervisor gives none. slotvisor/cron gives one: the date of the run.
 */
export interface KillableTask<T = unknown, S = unknown, Further extends readonly unknown[] = []> {
  /** The body. Called once for each attempt, as a method. */
  run: (ctx: TaskContext<S>, ...further: Further) => T | PromiseLike<T>;
  /**
   * Ends the body of this attempt. Called when the body has overrun its grace. If it returns, or
   * its promise resolves, the body counts as dead, and the slot goes on. If it throws or rejects,
   * the body counts as alive and keeps the slot, and `kill` is called again: after 1,000 ms, then
   * after twice as long each time, at most 30,000 ms, until the body is proved dead. The end of a
   * shutdown's grace calls it once more at once. So it may be called more than once for an attempt,
   * but never while an earlier call is pending. A call that never settles is not repeated.
   */
  kill(ctx: TaskContext<S>): void | PromiseLike<void>;
}

export type Run = TaskBody;

export type Kill = KillableTask['kill'];

/**
 * One attempt, as its body sees it. It may be destructured. A function that takes a `TaskContext`
 * can be called by every body, whatever its `state` is.
 */
export interface TaskContext<S = unknown> {
  /** The id of the submission. */
  readonly id: TaskId;
  /** The name of its slot. */
  readonly slot: string;
  /** The label of the task: the spec's `name`, or else its slot. */
  readonly name: string;
  /** 1 for the first attempt of the submission. */
  readonly attempt: number;
  /**
   * Aborted when the attempt is asked to stop. The reason is a {@link CanceledError}. Each attempt
   * has its own signal. It is made on first use.
   */
  readonly signal: AbortSignal;
  /**
   * True from the stop request on. `signal` is aborted and `onCancel` listeners are called one turn
   * later. It asks the slot's lease too: if that is lost, the attempt is asked to stop at once.
   */
  readonly canceled: boolean;
  /** What the spec's `state` returned for this attempt. Undefined without `state`. */
  readonly state: S;
  /** The spec's `meta`. */
  readonly meta: unknown;
  /**
   * The fencing token of the lease under which this attempt began. It is greater for every later
   * lease of the slot. `0n` where leases are local.
   */
  readonly fence: bigint;
  /**
   * Calls the listener once, when the attempt is asked to stop. If that has happened already, calls
   * it on a later turn. After the end of the attempt it is never called. Returns a function that
   * removes the listener.
   *
   * @throws OptionError if the listener is not a function.
   */
  onCancel(listener: (reason: CanceledError) => void): () => void;
  /** Throws the stop reason if the attempt was asked to stop. */
  throwIfCanceled(): void;
  /**
   * Resolves after `ms`. Rejects with the stop reason if the attempt is asked to stop.
   * `sleep(Infinity)` waits for the stop request.
   *
   * @throws OptionError if `ms` is not a number, 0 or more.
   */
  sleep(ms: number): Promise<void>;
  /**
   * Settles as `work` does, or rejects with the stop reason, whichever comes first. It does not
   * stop the work.
   */
  untilCanceled<R>(work: PromiseLike<R>): Promise<R>;
  /**
   * Asks the lease store whether this process still has the slot. Rejects with the stop reason if
   * not, or if the attempt is asked to stop meanwhile; with the store's error if it cannot answer.
   * Where leases are local it resolves. Call it right before an effect on the outside. Not
   * promised: that the lease holds for the time after the answer. Only a check of the `fence` where
   * the effect takes place can exclude that.
   */
  ensureOwned(): Promise<void>;
  /** Restarts the time that `stallMs` measures. Without `stallMs` it does nothing. */
  heartbeat(): void;
}

/** The attempt that `aroundAttempt` wraps. */
export interface AttemptInfo {
  /** The id of the submission. */
  readonly id: TaskId;
  /** The name of its slot. */
  readonly slot: string;
  /** The label of the task: the spec's `name`, or else its slot. */
  readonly name: string;
  /** 1 for the first attempt of the submission. */
  readonly attempt: number;
  /** The spec's `meta`. */
  readonly meta: unknown;
}
