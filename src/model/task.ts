// What the caller gives to be run, and what is handed to it.

import type { CanceledError } from './error.ts';
import type { TaskId } from './id.ts';

/**
 * A body. It may be sync or async; whatever it throws or rejects with is captured.
 * Not captured, because no library can: a promise that the body starts and drops, and a listener that the body itself
 * put on `ctx.signal` and that throws. `ctx.onCancel` listeners are guarded.
 */
export type TaskBody<T = unknown, S = undefined> = (ctx: TaskContext<S>) => T | PromiseLike<T>;

/** A body that can really be ended from outside (a worker thread, a subprocess). `kill` resolves when it is dead. */
export interface KillableTask<T = unknown, S = undefined> {
  run: TaskBody<T, S>;
  kill(ctx: TaskContext<S>): void | PromiseLike<void>;
}

/** One attempt, seen from inside the body. */
export interface TaskContext<S = undefined> {
  readonly id: TaskId;
  readonly slot: string;
  readonly name: string;
  /** Counts from 1 over the whole life of the submission. */
  readonly attempt: number;
  /** This attempt's own signal, made when first looked at. Its reason is a {@link CanceledError}. */
  readonly signal: AbortSignal;
  /** True at once; `signal` and `onCancel` hear of it a turn later. */
  readonly canceled: boolean;
  /** What the spec's `state()` made for this attempt. */
  readonly state: S;
  readonly meta: unknown;
  /** Grows with every ownership of the slot; `0n` where leases are local only. */
  readonly fence: bigint;
  /** Calls the listener once, when the attempt is told to stop (soon, if that has happened already). Returns its removal. */
  onCancel(listener: (reason: CanceledError) => void): () => void;
  /** Throws the stop's reason if the attempt has been told to stop. */
  throwIfCanceled(): void;
  /** Waits; rejects with the stop's reason as soon as the attempt is told to stop. `Infinity` waits for that alone. */
  sleep(ms: number): Promise<void>;
  /** Waits for the work, or rejects with the stop's reason, whichever comes first. The work itself is not stopped. */
  untilCanceled<R>(work: PromiseLike<R>): Promise<R>;
  /** Says "still alive" to `stallMs`. */
  heartbeat(): void;
}

/** Which attempt an `aroundAttempt` interceptor is wrapped around. */
export interface AttemptInfo {
  readonly id: TaskId;
  readonly slot: string;
  readonly name: string;
  readonly attempt: number;
  readonly meta: unknown;
}
