// Rebuilds, in the parent, a value that was thrown in the worker. The packing half is in
// bootstrap.ts.

import { CanceledError, ExitError, FatalError, RetryError, TimeoutError } from '../../index.ts';
import { bare } from '../../kit.ts';

/** A thrown value as data: an error with its fields, or any other value. */
export type PackedError = PackedValue | PackedFields;
interface PackedValue {
  readonly value: unknown;
}
interface PackedFields {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** The class of this library that the error is an instance of, directly or through a subclass. */
  readonly brand?: 'FatalError' | 'RetryError' | 'TimeoutError' | 'CanceledError' | 'ExitError';
  /** The own enumerable fields that can be cloned. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly cause?: PackedError;
  readonly errors?: readonly PackedError[];
}

const BUILT_IN: Readonly<Record<string, new (message: string) => Error>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** Uses the same class if both sides have it, and otherwise an `Error` with the same `name`. */
export function unpackError(received: PackedError): unknown {
  const packed = bare(received); // an absent field must not be found in Object.prototype
  if ('value' in packed) return packed.value;
  const error = rebuild(packed);
  const set = (key: string, value: unknown): void => {
    Object.defineProperty(error, key, { value, writable: true, configurable: true });
  };
  if (error.name !== packed.name) set('name', packed.name);
  if (packed.stack !== undefined) set('stack', packed.stack);
  if (packed.cause !== undefined) set('cause', unpackError(packed.cause));
  for (const [key, value] of Object.entries(packed.fields ?? {}))
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: true });
  return error;
}

function rebuild({ name, message, brand, errors }: PackedFields): Error {
  switch (brand) {
    case 'FatalError':
      return new FatalError(message);
    case 'RetryError':
      return new RetryError(message);
    case 'TimeoutError':
      return new TimeoutError(message);
    case 'CanceledError':
      return new CanceledError(message);
    case 'ExitError':
      return new ExitError(message, bare({ exitCode: null }));
    default: {
      if (errors !== undefined) return new AggregateError(errors.map(unpackError), message);
      const known = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
      return known === undefined ? new Error(message) : new known(message);
    }
  }
}
