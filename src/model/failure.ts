// What went wrong in one attempt, as data. Whatever a body throws is described here without ever throwing itself.

import { ExitError, FatalError } from './error.ts';
import { field } from './foreign.ts';

/** Why an attempt failed. `message` is for people; programs look at `kind` and at `error`, the thrown object itself. */
export type Failure =
  | { readonly kind: 'thrown'; readonly error: unknown; readonly message: string; readonly fatal: boolean }
  | { readonly kind: 'timedOut'; readonly afterMs: number; readonly message: string; readonly fatal: false }
  | { readonly kind: 'stalled'; readonly silentMs: number; readonly message: string; readonly fatal: false }
  | {
      readonly kind: 'exited';
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly message: string;
      readonly fatal: boolean;
    };

const MAX_MESSAGE_LENGTH = 1_000;

/** A short text for anything that can be thrown: throwing getters, revoked proxies and huge strings included. */
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

// Told by its brand, it may be of another copy of the package: its fields are looked at, not trusted.
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
