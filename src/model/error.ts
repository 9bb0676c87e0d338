// The errors that are thrown: by bodies, and by calls that refuse. How a task ended is data (outcome.ts).

import { brand } from './error-brand.ts';

export const STOP_CAUSES = [
  'caller',
  'replace',
  'slot',
  'signal',
  'deadline',
  'shutdown',
  'leaseLost',
  'task',
] as const;

/**
 * Why a task was stopped. `caller`: `cancel` or `restart`. `replace`: a replacement, here or in another process. `slot`: `slot.cancel`.
 * `signal`: the spec's signal. `deadline`: `deadlineMs`. `shutdown`. `leaseLost`: the slot's lease. `task`: the body threw a CanceledError.
 */
export type StopCause = (typeof STOP_CAUSES)[number];

/** Thrown by a body to end its task for good, under any restart policy. The outcome is `fatal`. */
export class FatalError extends Error {
  override readonly name: string = 'FatalError';
  static {
    brand(FatalError, 'FatalError');
  }
  /** For callers that exit with the code of the failed task. The library itself never exits. */
  readonly exitCode: number | undefined;
  constructor(message: string, options?: { cause?: unknown; exitCode?: number | undefined }) {
    super(message, options);
    this.exitCode = options?.exitCode;
  }
}

/** Thrown by a body to choose the delay of its next retry: `afterMs` replaces the backoff once. */
export class RetryError extends Error {
  override readonly name: string = 'RetryError';
  static {
    brand(RetryError, 'RetryError');
  }
  readonly afterMs: number | undefined;
  constructor(message: string, options?: { cause?: unknown; afterMs?: number | undefined }) {
    super(message, options);
    this.afterMs = options?.afterMs;
  }
}

/**
 * The reason of every stop request: `ctx.signal.reason`, the argument of `onCancel` listeners, the rejection of `ctx.sleep`.
 * A body that throws a CanceledError of its own ends its task on purpose: the outcome is `canceled`, by `task`.
 */
export class CanceledError extends Error {
  override readonly name: string = 'CanceledError';
  static {
    brand(CanceledError, 'CanceledError');
  }
  /** Why the task was stopped. Errors that the library makes have no stack: `by` and `reason` say where they come from. */
  readonly by: StopCause = 'task';
  /** The reason that the caller gave: the same object. */
  readonly reason: unknown;
  constructor(message = 'canceled', options?: { reason?: unknown }) {
    super(message);
    this.reason = options?.reason;
  }
}

/**
 * The stop reason of an attempt that exceeded its `timeoutMs` or `stallMs`. `by` is `deadline`.
 * A TimeoutError that a body makes and throws itself is an ordinary failure.
 */
export class TimeoutError extends CanceledError {
  override readonly name: string = 'TimeoutError';
  static {
    brand(TimeoutError, 'TimeoutError');
  }
}

/** A stop reason made by the library: only these have a `by` other than `task`. */
export function stopReason(by: StopCause, message: string, reason?: unknown): CanceledError {
  return withoutStack(() => Object.assign(new CanceledError(message, { reason }), { by }));
}

export function timeoutReason(message: string): TimeoutError {
  return withoutStack(() => Object.assign(new TimeoutError(message), { by: 'deadline' as const }));
}

// A stop request is not a failure. The stack would show only the library's frames, and costs eight times the rest (measured: 2,000 ns to 250).
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

/**
 * Thrown for an invalid option. The message is `field`, the rule, and the value got. The call had no effect.
 * `shown` is the text for the value. Default: the value, in at most 60 characters.
 */
export class OptionError extends TypeError {
  override readonly name: string = 'OptionError';
  static {
    brand(OptionError, 'OptionError');
  }
  /** The option, as a path: `backoff.firstMs`. */
  readonly field: string;
  /** The value that was refused. */
  readonly got: unknown;
  constructor(field: string, rule: string, got: unknown, shown = show(got)) {
    super(`${field} ${rule}, got ${shown}`);
    this.field = field;
    this.got = got;
  }
}

function show(value: unknown): string {
  try {
    if (typeof value === 'string') return JSON.stringify(brief(value));
    if (typeof value === 'bigint') return brief(`${value}n`);
    if (typeof value === 'function') return 'a function';
    if (Array.isArray(value)) return 'an array';
    if (typeof value === 'object' && value !== null) return 'an object';
    return Object.is(value, -0) ? '-0' : brief(String(value));
  } catch {
    return 'a value that cannot be described'; // a revoked proxy throws in `Array.isArray`
  }
}

function brief(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Thrown by `submit`, `submitAll` and `run` once a shutdown has begun. */
export class ClosedError extends Error {
  override readonly name: string = 'ClosedError';
  static {
    brand(ClosedError, 'ClosedError');
  }
  constructor(message = 'the supervisor is shutting down and accepts nothing more') {
    super(message);
  }
}

/** Thrown by a body whose worker or process exited without a value. The failure's kind is `exited`, with the exit code or the signal. */
export class ExitError extends Error {
  override readonly name: string = 'ExitError';
  static {
    brand(ExitError, 'ExitError');
  }
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** The name of the signal. Null when it exited by itself. */
  readonly signal: string | null;
  constructor(
    message: string,
    options: { exitCode: number | null; signal?: string | null | undefined; cause?: unknown },
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.exitCode = options.exitCode;
    this.signal = options.signal ?? null;
  }
}
