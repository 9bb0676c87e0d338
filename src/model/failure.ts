// What went wrong in one attempt, as data. Describing a thrown value never throws, whatever the
// value is.

import { ExitError, FatalError } from './error.ts';
import { field } from './foreign.ts';

/**
 * Why an attempt failed.
 *
 * - `thrown`: the body threw or rejected.
 * - `timedOut`: the attempt exceeded its `timeoutMs`.
 * - `stalled`: no heartbeat came for `stallMs`.
 * - `exited`: the worker or the process of the body exited without a value.
 *
 * `message` is for people, and has at most 1,000 characters. Programs use `kind` and the other
 * fields.
 */
export type Failure =
  | {
      readonly kind: 'thrown';
      /** The thrown object itself. */
      readonly error: unknown;
      readonly message: string;
      /** It is a `FatalError`. */
      readonly fatal: boolean;
    }
  | {
      readonly kind: 'timedOut';
      /** The task's `timeoutMs`. */
      readonly afterMs: number;
      readonly message: string;
      readonly fatal: false;
    }
  | {
      readonly kind: 'stalled';
      /** The task's `stallMs`. */
      readonly silentMs: number;
      readonly message: string;
      readonly fatal: false;
    }
  | {
      readonly kind: 'exited';
      /** Null when a signal ended it. */
      readonly exitCode: number | null;
      /** The name of the signal. Null when it exited by itself. */
      readonly signal: string | null;
      readonly message: string;
      readonly fatal: boolean;
    };

const MAX_MESSAGE_LENGTH = 1_000;

/**
 * A short text for any thrown value. Getters that throw, revoked proxies and huge strings are
 * handled too.
 */
export function describe(thrown: unknown): string {
  const text = textOf(thrown);
  return text.length > MAX_MESSAGE_LENGTH ? `${text.slice(0, MAX_MESSAGE_LENGTH - 1)}…` : text;
}

function textOf(thrown: unknown): string {
  try {
    if (typeof thrown === 'string') return thrown;
    if (typeof thrown === 'object' && thrown !== null) {
      const { message } = thrown as { message?: unknown };
      if (typeof message === 'string') return message;
      return Object.prototype.toString.call(thrown);
    }
    if (typeof thrown === 'function') return '[function]';
    return String(thrown);
  } catch {
    return '[a value that cannot be described]';
  }
}

export function thrownFailure(error: unknown): Failure {
  if (error instanceof ExitError) return exitedFailure(error);
  return { kind: 'thrown', error, message: describe(error), fatal: error instanceof FatalError };
}

export function timedOutFailure(afterMs: number): Failure {
  return { kind: 'timedOut', afterMs, message: `timed out after ${afterMs} ms`, fatal: false };
}

export function stalledFailure(silentMs: number): Failure {
  return { kind: 'stalled', silentMs, message: `no heartbeat for ${silentMs} ms`, fatal: false };
}

// The error may come from another copy of this package, so its fields are checked.
function exitedFailure(error: ExitError): Failure {
  const code = field(error, 'exitCode');
  const signal = field(error, 'signal');
  return {
    kind: 'exited',
    exitCode: typeof code === 'number' ? code : null,
    signal: typeof signal === 'string' ? signal : null,
    message: describe(error),
    fatal: false,
  };
}
