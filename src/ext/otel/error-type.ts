// The words for what went wrong: the attribute `error.type`, and the exception of a span.

import type { Exception } from '@opentelemetry/api';
import type { AttemptReport, Failure } from '../../index.ts';
import { field, isError } from '../../kit.ts';

/** For an error without a name of its own, and for any further one where names are bounded. */
export const OTHER_TYPE = '_OTHER';

/** The longest name of an error, in UTF-16 units. */
const MAX_NAME = 60;

/** The longest stack of an error, in UTF-16 units. */
const MAX_STACK = 10_000;

/** Undefined for an attempt without an error. */
export function errorType({ end, failure }: AttemptReport): string | undefined {
  if (end === 'succeeded' || end === 'canceled') return undefined;
  return failure === undefined ? 'overrun' : typeOf(failure); // only a body that overran its grace has none
}

function typeOf(failure: Failure): string {
  switch (failure.kind) {
    case 'timedOut':
      return 'timeout';
    case 'stalled':
      return 'stall';
    case 'exited':
      return (
        failure.signal?.slice(0, MAX_NAME) || (failure.exitCode === null ? OTHER_TYPE : `exit_${failure.exitCode}`)
      );
    case 'thrown':
      return codeOf(failure.error) ?? nameOf(failure.error) ?? OTHER_TYPE;
  }
}

function codeOf(error: unknown): string | undefined {
  const code = field(error, 'code');
  return typeof code === 'string' && /^[A-Z0-9_]{2,40}$/.test(code) ? code : undefined;
}

function nameOf(error: unknown): string | undefined {
  const name = field(error, 'name');
  return typeof name === 'string' && name !== '' ? name.slice(0, MAX_NAME) : undefined;
}

/**
 * What `recordException` gets: texts only, because a getter of the user's error may throw.
 * Undefined if no Error was thrown.
 */
export function exceptionOf(failure: Failure | undefined): Exception | undefined {
  if (failure?.kind !== 'thrown' || !isError(failure.error)) return undefined;
  const { error, message } = failure;
  const stack = field(error, 'stack');
  return {
    name: nameOf(error) ?? 'Error',
    message,
    ...(typeof stack === 'string' && { stack: stack.slice(0, MAX_STACK) }),
  };
}
