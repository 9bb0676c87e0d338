// The few errors that are thrown: by bodies, and for refusals at the door. Endings are data (outcome.ts).

import { brand } from './brand.ts';

/** Why an owner was told to stop. */
export type StopCause = 'caller' | 'replace' | 'slot' | 'signal' | 'deadline' | 'shutdown' | 'leaseLost' | 'task';

/** Thrown by a body that must not be tried again, whatever its restart policy says. The outcome is `fatal`. */
export class FatalError extends Error {
  override readonly name: string = 'FatalError';
  static {
    brand(FatalError, 'FatalError');
  }
  /** For callers that end a process with the code of what failed; the library itself never exits. */
  readonly exitCode: number | undefined;
  constructor(message: string, options?: { cause?: unknown; exitCode?: number | undefined }) {
    super(message, options);
    this.exitCode = options?.exitCode;
  }
}

/** Thrown by a body that knows when the next attempt makes sense: `afterMs` takes the backoff's place for that retry. */
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
 * The reason of every stop request: `ctx.signal.reason`, the argument of `onCancel` listeners, what `ctx.sleep` rejects with.
 * `by` says who asked. Made and thrown by a body itself it means "I end here, on purpose": outcome `canceled`, by `task`.
 */
export class CanceledError extends Error {
  override readonly name: string = 'CanceledError';
  static {
    brand(CanceledError, 'CanceledError');
  }
  /** Who asked for the stop. What the library makes has no stack: `by` and `reason` say where it comes from. */
  readonly by: StopCause = 'task';
  /** What the caller gave as reason, the same object. */
  readonly reason: unknown;
  constructor(message = 'canceled', options?: { reason?: unknown }) {
    super(message);
    this.reason = options?.reason;
  }
}

/**
 * The stop reason of an attempt past its `timeoutMs`, or silent for longer than its `stallMs`; `by` is `deadline`.
 * Thrown by a body of its own accord it is an ordinary failure.
 */
export class TimeoutError extends CanceledError {
  override readonly name: string = 'TimeoutError';
  static {
    brand(TimeoutError, 'TimeoutError');
  }
}

/** Why the library itself tells a body to stop: only these have another `by` than `task`. */
export function stopReason(by: StopCause, message: string, reason?: unknown): CanceledError {
  return withoutStack(() => Object.assign(new CanceledError(message, { reason }), { by }));
}

export function timeoutReason(message: string): TimeoutError {
  return withoutStack(() => Object.assign(new TimeoutError(message), { by: 'deadline' as const }));
}

// A stop is a request and no failure: the frames would be the library's own, and cost eight times the rest (measured: 2,000 ns to 250).
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
 * An option that cannot be meant: names the field, the rule and the value got. Nothing was kept of the call.
 * `shown` is how the message shows that value. Default: in brief, whatever it is.
 */
export class SpecError extends TypeError {
  override readonly name: string = 'SpecError';
  static {
    brand(SpecError, 'SpecError');
  }
  readonly field: string;
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
    return 'a value that cannot be described'; // a revoked proxy cannot even be asked whether it is an array
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
  constructor(message = 'the supervisor is shutting down: nothing more is accepted') {
    super(message);
  }
}

/**
 * Thrown by a body whose worker or process ended by itself and left no value. The failure is `exited`, and carries the code or the signal.
 * `exitCode` is null when a signal ended it, `signal` when it exited.
 */
export class ExitError extends Error {
  override readonly name: string = 'ExitError';
  static {
    brand(ExitError, 'ExitError');
  }
  readonly exitCode: number | null;
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
