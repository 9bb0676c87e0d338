// How what was thrown in the worker is made again here. The worker's half, which packs it, is in bootstrap.ts.

import { CanceledError, ExitError, FatalError, RetryError, TimeoutError } from '../../index.ts';

/** Something thrown, as data: an error with its name, or any other value. */
export type PackedError = PackedValue | PackedFields;
interface PackedValue {
  readonly value: unknown;
}
interface PackedFields {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** Which of the library's classes it is an instance of, subclasses included. */
  readonly brand?: 'FatalError' | 'RetryError' | 'TimeoutError' | 'CanceledError' | 'ExitError';
  /** Own enumerable fields, as far as they could be cloned. */
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

/** Of the same class where the class is known on both sides; else an Error that bears the name. */
export function unpackError(packed: PackedError): unknown {
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
      return new ExitError(message, { exitCode: null });
    default: {
      if (errors !== undefined) return new AggregateError(errors.map(unpackError), message);
      const known = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
      return known === undefined ? new Error(message) : new known(message);
    }
  }
}
