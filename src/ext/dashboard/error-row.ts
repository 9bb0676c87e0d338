// A failure as it is remembered: texts that are cut, and nothing of the thrown object.

import type { Failure } from '../../index.ts';
import { cut, field, isError } from '../../kit.ts';
import { ownText } from './own-text.ts';
import type { ErrorRow } from './wire.ts';

const MAX_NAME = 100;
const MAX_MESSAGE = 1_000;
const MAX_STACK = 3_000;

/** Of each cause. */
const MAX_CAUSE_STACK = 1_000;
const MAX_CAUSES = 3;

/**
 * The error of a failure. Undefined where no error was thrown.
 *
 * @param withStack false: neither stacks nor causes are read. The platform formats a stack when it
 *   is read for the first time, and that takes longer than all else of a failure.
 */
export function errorRowOf(failure: Failure, withStack: boolean): ErrorRow | undefined {
  if (failure.kind !== 'thrown' || !isError(failure.error)) return undefined;
  const row = plainRow(failure.error);
  return withStack ? { ...row, ...stackOf(failure.error, MAX_STACK), ...causeOf(failure.error, MAX_CAUSES) } : row;
}

function plainRow(error: object): ErrorRow {
  const code = field(error, 'code');
  return {
    name: text(field(error, 'name'), MAX_NAME) ?? 'Error',
    ...((typeof code === 'string' || typeof code === 'number') && { code: ownText(cut(`${code}`, MAX_NAME)) }),
    message: text(field(error, 'message'), MAX_MESSAGE) ?? '',
  };
}

function stackOf(error: object, max: number): { readonly stack?: string } {
  const stack = text(field(error, 'stack'), max);
  return stack === undefined ? {} : { stack };
}

/** Causes that are errors. A cycle of causes ends with their number. */
function causeOf(error: object, left: number): { readonly cause?: ErrorRow } {
  const cause = field(error, 'cause');
  if (left === 0 || !isError(cause)) return {};
  return { cause: { ...plainRow(cause), ...stackOf(cause, MAX_CAUSE_STACK), ...causeOf(cause, left - 1) } };
}

const text = (value: unknown, max: number): string | undefined =>
  typeof value === 'string' ? ownText(cut(value, max)) : undefined;
