// What went wrong in one attempt, as data.

import { ExitError, FatalError } from './error.ts';
import { describe, field } from './foreign.ts';
import { record, recordClass } from './record.ts';

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
      /** For people: the message of the error. */
      readonly message: string;
      /** It is a `FatalError`. */
      readonly fatal: boolean;
    }
  | {
      readonly kind: 'timedOut';
      /** The task's `timeoutMs`. */
      readonly afterMs: number;
      /** For people. */
      readonly message: string;
      /** False: it is no `FatalError`. */
      readonly fatal: false;
    }
  | {
      readonly kind: 'stalled';
      /** The task's `stallMs`. */
      readonly silentMs: number;
      /** For people. */
      readonly message: string;
      /** False: it is no `FatalError`. */
      readonly fatal: false;
    }
  | {
      readonly kind: 'exited';
      /** Null when a signal ended it. */
      readonly exitCode: number | null;
      /** The name of the signal. Null when it exited by itself. */
      readonly signal: string | null;
      /** For people: the message of the error. */
      readonly message: string;
      /** False: it is no `FatalError`. */
      readonly fatal: boolean;
    };

const ThrownFailure = recordClass<[unknown], Extract<Failure, { kind: 'thrown' }>>(function (error) {
  this.kind = 'thrown';
  this.error = error;
  this.message = describe(error);
  this.fatal = error instanceof FatalError;
});

export function thrownFailure(error: unknown): Failure {
  return error instanceof ExitError ? exitedFailure(error) : new ThrownFailure(error);
}

export function timedOutFailure(afterMs: number): Failure {
  return record({ kind: 'timedOut', afterMs, message: `timed out after ${afterMs} ms`, fatal: false });
}

export function stalledFailure(silentMs: number): Failure {
  return record({ kind: 'stalled', silentMs, message: `no heartbeat for ${silentMs} ms`, fatal: false });
}

// The error may come from another copy of this package, so its fields are checked.
function exitedFailure(error: ExitError): Failure {
  const code = field(error, 'exitCode');
  const signal = field(error, 'signal');
  return record({
    kind: 'exited',
    exitCode: typeof code === 'number' ? code : null,
    signal: typeof signal === 'string' ? signal : null,
    message: describe(error),
    fatal: false,
  });
}
