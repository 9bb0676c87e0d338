// Records: what the library hands out as data, such as events, outcomes, failures and views. They
// are plain objects whose prototype has `toJSON` and nothing else. So `JSON.stringify` writes what
// JSON itself cannot (bigint, errors), and what user code put into them cannot make it throw.

import { firstLine, show } from './error.ts';
import { describe, field } from './foreign.ts';
import { cut } from './printable.ts';

class DataRecord {
  toJSON(): Record<string, unknown> {
    return plainOf(this);
  }
}
// An object whose constructor is `Object` counts as a plain one, for `console.log` and in tests.
Reflect.deleteProperty(DataRecord.prototype, 'constructor');

/** A record with these fields. */
export function record<Fields extends object>(fields: Fields): Fields {
  return Object.assign(new DataRecord(), fields);
}

type Draft<Fields> = { -readonly [Key in keyof Fields]: Fields[Key] };

/**
 * A class of records that are made often: a literal that is copied into a record costs 100 ns more
 * (measured). To give the prototype to a literal costs 200 ns, and 600 where it is frozen then.
 */
export function recordClass<Given extends unknown[], Fields extends object>(
  fill: (this: Draft<Fields>, ...given: Given) => void,
): new (
  ...given: Given
) => Draft<Fields> {
  fill.prototype = DataRecord.prototype;
  return fill as unknown as new (
    ...given: Given
  ) => Draft<Fields>;
}

/**
 * A copy of the fields, as JSON can hold them. Fields that are undefined are left out. Never
 * throws.
 *
 * @param except this one is left out. To take it out before, with `...rest`, cost more than all
 *   else of an event (measured: 1,000 ns against 420).
 */
export function plainOf(fields: object, except?: string): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields))
    if (value !== undefined && key !== except) plain[key] = plainPart(value);
  return plain;
}

/** How many causes of an error are shown. */
const MAX_CAUSES = 4;

/** The longest text of an error, in UTF-16 units. */
const MAX_ERROR_TEXT = 10_000;

/**
 * The longest JSON text of one part. A record has at most three parts from user code, and the
 * platform's longest string holds four of this length.
 */
const MAX_PART = 2 ** 27;

/** A longer bigint takes too long to write. */
const MAX_BIGINT_BITS = 2 ** 16;

/**
 * What JSON can hold of a value: bigint as decimal text, an error by its main fields. A value that
 * cannot be written is the text `[not JSON: <why>]`. Never throws, whatever the value is.
 */
export function plainPart(value: unknown, causes = MAX_CAUSES): unknown {
  if (isPlain(value)) return value;
  if (typeof value === 'bigint') return replaced(value, causes); // JSON took 600 ns (measured)
  if (isError(value)) return plainError(value, causes);
  try {
    const text = JSON.stringify(value, (_, part: unknown) => replaced(part, causes));
    if (text === undefined) return notJson(show(value));
    return text.length > MAX_PART ? notJson(`${text.length} characters`) : JSON.parse(text);
  } catch (error) {
    return notJson(describe(error));
  }
}

/** JSON changes nothing of these, and would cost two thirds of a record (measured). */
function isPlain(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= MAX_ERROR_TEXT;
  return typeof value === 'boolean' || (Number.isFinite(value) && !Object.is(value, -0));
}

/** With the first line of why. */
export const notJson = (why: string): string => `[not JSON: ${firstLine(why)}]`;

function replaced(part: unknown, causes: number): unknown {
  if (typeof part === 'bigint') return BigInt.asIntN(MAX_BIGINT_BITS, part) === part ? `${part}` : notJson(show(part));
  return isError(part) ? plainError(part, causes) : part;
}

/** Also of another realm, and of another class that calls itself an error. */
export function isError(value: unknown): value is object {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
  } catch {
    return false; // a proxy whose trap throws
  }
}

/**
 * Errors within a cause that is no error are shown without causes: each of many could have many.
 */
function plainError(error: object, causes: number): Record<string, unknown> {
  const [name, message, code, stack] = ['name', 'message', 'code', 'stack'].map((key) => shortText(field(error, key)));
  const cause = causes === 0 ? undefined : field(error, 'cause');
  return {
    name: name ?? 'Error',
    message: message ?? '',
    ...(code !== undefined && { code }),
    ...(stack !== undefined && { stack }),
    ...(cause !== undefined && { cause: isError(cause) ? plainError(cause, causes - 1) : plainPart(cause, 0) }),
  };
}

function shortText(value: unknown): string | number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  return cut(value, MAX_ERROR_TEXT);
}

const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** Makes `JSON.stringify` and `console.log` show an object of this class by what `plain` gives. */
export function showAs<Self extends object>(shown: { readonly prototype: Self }, plain: (self: Self) => object): void {
  for (const key of ['toJSON', INSPECT])
    Object.defineProperty(shown.prototype, key, {
      configurable: true,
      writable: true,
      value(this: Self) {
        return plain(this);
      },
    });
}
