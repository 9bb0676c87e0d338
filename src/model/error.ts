// The errors that bodies throw, and that calls throw. How a task ended is a value, not an error;
// see outcome.ts. Each class has a `code`, which is the same in every copy of the package. Over 300
// lines because every member is documented here.

import { brand } from './error-brand.ts';

/**
 * Why a task was stopped.
 *
 * - `caller`: `cancel` or `restart` was called.
 * - `replace`: a replacement came, in this or in another process.
 * - `slot`: `slot.cancel` was called.
 * - `signal`: the spec's `signal` was aborted.
 * - `deadline`: `deadlineMs` passed. In a {@link TimeoutError}: `timeoutMs` or `stallMs` was
 *   exceeded.
 * - `queueTimeout`: `queueTimeoutMs` passed, and the first attempt had not begun.
 * - `shutdown`: a shutdown began.
 * - `leaseLost`: the slot's lease was lost.
 * - `task`: the body threw a {@link CanceledError} of its own.
 */
export type StopCause =
  | 'caller'
  | 'replace'
  | 'slot'
  | 'signal'
  | 'deadline'
  | 'queueTimeout'
  | 'shutdown'
  | 'leaseLost'
  | 'task';

export const STOP_CAUSES = [
  'caller',
  'replace',
  'slot',
  'signal',
  'deadline',
  'queueTimeout',
  'shutdown',
  'leaseLost',
  'task',
] as const satisfies readonly StopCause[];

/**
 * Throw it in a body to end the task without a retry, under any restart policy. The outcome is
 * `fatal`, or `canceled` if the task was asked to stop. It does not count if the attempt has timed
 * out or stalled before, or was stopped by `restart()`.
 */
export class FatalError extends Error {
  /** The name of the class. */
  override readonly name: string = 'FatalError';
  /** For programs. It is the same in every copy of the package. */
  readonly code: string = 'SLOTVISOR_FATAL';
  static {
    brand(FatalError, 'FatalError');
  }
  /** The exit code that the process should end with. For your own use: the library ignores it. */
  readonly exitCode: number | undefined;
  /** @param options `cause` is what it comes from. */
  constructor(message: string, options?: { cause?: unknown; exitCode?: number | undefined }) {
    super(message, options);
    this.exitCode = options?.exitCode;
  }
}

/**
 * Throw it in a body to choose the delay of the next retry. It counts as a failure, like any other
 * error.
 */
export class RetryError extends Error {
  /** The name of the class. */
  override readonly name: string = 'RetryError';
  /** For programs. It is the same in every copy of the package. */
  readonly code: string = 'SLOTVISOR_RETRY';
  static {
    brand(RetryError, 'RetryError');
  }
  /**
   * The delay, in ms, in place of the backoff, for this retry only. Finite, 0 or more. The backoff
   * applies if it is undefined, negative, infinite or not a number.
   */
  readonly afterMs: number | undefined;
  /** @param options `cause` is what it comes from. `afterMs` is not checked here. */
  constructor(message: string, options?: { cause?: unknown; afterMs?: number | undefined }) {
    super(message, options);
    this.afterMs = options?.afterMs;
  }
}

/**
 * The reason of every stop request. It is `ctx.signal.reason`, the argument of `ctx.onCancel`
 * listeners, and what `ctx.sleep`, `ctx.untilCanceled` and `ctx.throwIfCanceled` throw.
 *
 * Throw one of your own in a body to end the task on purpose: the outcome is `canceled`, by `task`.
 */
export class CanceledError extends Error {
  /** The name of the class. */
  override readonly name: string = 'CanceledError';
  /** For programs. It is the same in every copy of the package. */
  readonly code: string = 'SLOTVISOR_CANCELED';
  static {
    brand(CanceledError, 'CanceledError');
  }
  /**
   * Why the task was stopped. `task` in an error of your own. Stop reasons that the library makes
   * have no stack; `by` and `reason` say where they come from.
   */
  readonly by: StopCause = 'task';
  /** The reason that the caller passed, unchanged. Undefined where none was passed. */
  readonly reason: unknown;
  /** @param options `reason` is a value of your own, which the outcome has. */
  constructor(message = 'canceled', options?: { reason?: unknown }) {
    super(message);
    this.reason = options?.reason;
  }
}

/**
 * The stop reason of an attempt that exceeded its `timeoutMs` or `stallMs`. Its `by` is `deadline`.
 * If a body throws a TimeoutError of its own, that is an ordinary failure.
 */
export class TimeoutError extends CanceledError {
  override readonly name: string = 'TimeoutError';
  override readonly code: string = 'SLOTVISOR_TIMEOUT';
  static {
    brand(TimeoutError, 'TimeoutError');
  }
}

/** A stop reason of the library. Only these have a `by` other than `task`. */
export function stopReason(by: StopCause, message: string, reason?: unknown): CanceledError {
  return withoutStack(() => Object.assign(new CanceledError(message, { reason }), { by }));
}

export function timeoutReason(message: string): TimeoutError {
  return withoutStack(() => Object.assign(new TimeoutError(message), { by: 'deadline' as const }));
}

// A stop request is not a failure. Its stack would show only frames of the library, and would cost
// eight times the rest (measured: 2,000 ns to 250).
function withoutStack<E>(make: () => E): E {
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 0;
  } catch {
    return make(); // under --frozen-intrinsics
  }
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** How much of a text of the caller a message shows, in UTF-16 units. */
const MAX_SHOWN = 60;

/**
 * Thrown for an invalid option. The message names the field, the rule and the value. The call had
 * no effect.
 */
export class OptionError extends TypeError {
  /** The name of the class. */
  override readonly name: string = 'OptionError';
  /** For programs. It is the same in every copy of the package. */
  readonly code: string = 'SLOTVISOR_OPTION';
  static {
    brand(OptionError, 'OptionError');
  }
  /** The path of the option, such as `backoff.firstMs`. A long one is cut to 60 characters. */
  readonly field: string;
  /** The invalid value. */
  readonly got: unknown;
  /**
   * @param rule what the value must be, from the verb on.
   * @param shown the text for the value. Default: the value in at most 60 characters, an object by
   *   its kind.
   */
  constructor(field: string, rule: string, got: unknown, shown = show(got)) {
    const path = briefPath(field);
    super(`${path} ${rule}, got ${shown}`);
    this.field = path;
    this.got = got;
  }
}

/** A value of the caller in a message: in at most 60 characters, an object by its kind. */
export function show(value: unknown): string {
  try {
    if (typeof value === 'string') return JSON.stringify(brief(value));
    if (typeof value === 'bigint') return isHuge(value) ? 'a huge bigint' : brief(`${value}n`);
    if (typeof value === 'function') return 'a function';
    if (Array.isArray(value)) return 'an array';
    if (typeof value === 'object' && value !== null)
      return Symbol.iterator in value ? 'an iterable object' : 'an object';
    return Object.is(value, -0) ? '-0' : brief(String(value));
  } catch {
    return 'a value that cannot be described'; // a revoked proxy throws in `Array.isArray`
  }
}

/** Its digits would take long to compute. */
const isHuge = (value: bigint): boolean => BigInt.asIntN(1_024, value) !== value;

/** A text of the caller in a message: at most 60 characters, then a mark. */
export function brief(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** In a message that is one line. */
export function firstLine(text: string): string {
  return text.split(/[\r\n]/, 1)[0] as string;
}

/**
 * Cut in its middle: the names of the library's own options are at the ends of a path, and the name
 * of a file is at its end.
 */
export function briefPath(path: string): string {
  return path.length > MAX_SHOWN ? `${path.slice(0, MAX_SHOWN - 20)}…${path.slice(-19)}` : path;
}

/** Thrown by `submit`, `submitAll`, `check` and `run` once a shutdown has begun. */
export class ClosedError extends Error {
  /** The name of the class. */
  override readonly name: string = 'ClosedError';
  /** For programs. It is the same in every copy of the package. */
  readonly code: string = 'SLOTVISOR_CLOSED';
  static {
    brand(ClosedError, 'ClosedError');
  }
  /** @param message a text for people. */
  constructor(message = 'the supervisor is shutting down or closed, and accepts nothing more') {
    super(message);
  }
}

/**
 * Runs `call`, the work of the public function or class `called`. The stack of a refusal then
 * begins where `called` was called. The frames of the library would hide that line.
 */
export function fromCaller<T>(called: object, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw seenFromCaller(called, error);
  }
}

/**
 * The same for one error, where a closure for each call would cost too much: 7 % of a submission
 * that is turned away (measured).
 */
export function seenFromCaller(called: object, error: unknown): unknown {
  if (error instanceof OptionError || error instanceof ClosedError) cutStack(error, called);
  return error;
}

/** Removes the frame of `called` and all above it from the stack. */
export function cutStack(error: Error, called: object): void {
  try {
    Error.captureStackTrace(error, called as () => unknown);
  } catch {
    // the error is frozen: a getter of the caller has thrown it
  }
}

/**
 * Runs `call`, which reads the spec at `path`. A refusal then names its field from there, such as
 * `specs[2].maxRetries`.
 */
export function specAt<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    const { field, got, message } = error;
    const moved = new OptionError(field === 'spec' ? path : `${path}.${field}`, '', got);
    moved.message = moved.field + message.slice(field.length);
    throw moved;
  }
}

/**
 * Thrown by a body whose worker or process exited without a value. The failure has the kind
 * `exited`, with the exit code or the signal.
 */
export class ExitError extends Error {
  /** The name of the class. */
  override readonly name: string = 'ExitError';
  /** For programs. It is the same in every copy of the package. */
  readonly code: string = 'SLOTVISOR_EXIT';
  static {
    brand(ExitError, 'ExitError');
  }
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** The name of the signal. Null when it exited by itself. */
  readonly signal: string | null;
  /** @param options `cause` is what it comes from. Without `signal`, it exited by itself. */
  constructor(
    message: string,
    options: { exitCode: number | null; signal?: string | null | undefined; cause?: unknown },
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.exitCode = options.exitCode;
    this.signal = options.signal ?? null;
  }
}
