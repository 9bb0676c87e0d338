// Reads every options object in one way: own fields only, each field read once, checked by its
// reader, then merged over the defaults. An option is declared twice: in its type and in its
// readers. check.ts has the readers for single values.

import { refuse } from './check.ts';
import { brief, OptionError } from './error.ts';
import { describe } from './foreign.ts';
import { hintFor } from './hint.ts';

/** How each option is read. A reader returns the value to use, or throws an OptionError. */
export type Readers<T> = { readonly [K in keyof T]-?: (field: string, value: unknown) => T[K] };

/**
 * Reads an options object and merges it over `defaults`. The result is a new object.
 *
 * @param field the name of the object in an error. Fields of `options` are named without it, all
 *   other fields by their path.
 * @param inner the paths of options of these options, for the hint about an unknown one.
 * @throws OptionError for a value that is not an object, for an unknown option (the message names
 *   the nearest known one), for a value that its reader refuses, and for a value that throws when
 *   it is read.
 */
export function parse<T extends object>(
  field: string,
  value: unknown,
  readers: Readers<T>,
  defaults: T,
  inner: readonly string[] = [],
): T {
  return { ...defaults, ...parseGiven(field, value, readers, inner) };
}

/**
 * As `parse`, without defaults: the result has only the options that were given, and inherits
 * nothing.
 */
export function parseGiven<T extends object>(
  field: string,
  value: unknown,
  readers: Readers<T>,
  inner: readonly string[] = [],
): Partial<T> {
  const given = Object.create(null) as Partial<T>;
  let path = field;
  let got = value;
  try {
    const keys = Object.keys(anOptionsObject(field, value)) as (keyof T & string)[];
    for (const key of keys)
      if (!Object.hasOwn(readers, key))
        refuseUnknown(pathOf(field, key), key, (value as T)[key], Object.keys(readers), inner);
    for (const key of keys) {
      path = pathOf(field, key);
      got = value; // if the getter throws
      got = (value as T)[key];
      if (got !== undefined) given[key] = readers[key](path, got);
    }
  } catch (error) {
    unreadable(path, got, error);
  }
  return given;
}

/**
 * As `parseGiven`, where every option must be given.
 *
 * @throws OptionError as `parse` does, and for an option that is absent.
 */
export function parseAll<T extends object>(field: string, value: unknown, readers: Readers<T>): T {
  const given = parseGiven(field, value, readers);
  for (const key of Object.keys(readers) as (keyof T & string)[])
    if (given[key] === undefined) refuse(pathOf(field, key), 'must be given', undefined);
  return { ...given } as T;
}

/** Any object but an array, a Map and the like: what those hold are no fields and would be lost. */
export function anOptionsObject(field: string, value: unknown, rule = 'must be an object'): object {
  return typeof value === 'object' && value !== null && !(Symbol.iterator in value)
    ? value
    : refuse(field, rule, value);
}

/**
 * The own fields of an object whose field names are free, such as environment variables. Each field
 * is read once, so that the value that is checked is the value that is used. The values are neither
 * checked nor copied. A field that is `undefined` is absent, unless `kept` has its name. The result
 * has no prototype, so a polluted `Object.prototype` adds no field.
 *
 * @throws OptionError for a value that is not an object, and for a field that throws when it is
 *   read.
 */
export function readFields(field: string, value: unknown, kept: readonly string[] = []): { [name: string]: unknown } {
  const fields = Object.create(null) as { [name: string]: unknown };
  let path = field;
  try {
    for (const key of Object.keys(anOptionsObject(field, value))) {
      path = pathOf(field, key);
      const got = (value as typeof fields)[key];
      if (got !== undefined || kept.includes(key)) fields[key] = got;
    }
  } catch (error) {
    unreadable(path, value, error);
  }
  return fields;
}

/**
 * Calls `read`, which reads fields of a value of the caller. If a getter or a proxy trap throws,
 * the result is an OptionError about `field`. An OptionError that `read` throws is thrown
 * unchanged.
 */
export function reading<T>(field: string, value: unknown, read: () => T): T {
  try {
    return read();
  } catch (error) {
    return unreadable(field, value, error);
  }
}

/** For an object of the library: `name` is a method that it must have. */
export function anObjectWith(name: string, field: string, rule: string, value: unknown): void {
  const method = reading(
    field,
    value,
    () => (value as { readonly [name: string]: unknown } | null | undefined)?.[name],
  );
  if (typeof method !== 'function') refuse(field, rule, value);
}

/** Of any copy of this package. */
export function checkSupervisor(value: unknown): void {
  anObjectWith('check', 'supervisor', 'must be a Supervisor', value);
}

export function unreadable(field: string, value: unknown, error: unknown): never {
  if (error instanceof OptionError) throw error;
  throw new OptionError(field, 'must be readable', value, `an error when it was read: ${brief(describe(error))}`);
}

/** The name of an option in an error. */
function pathOf(field: string, key: string): string {
  return field === 'options' ? key : `${field}.${key}`;
}

/** `known` and `inner` as in `hintFor`. */
export function refuseUnknown(
  path: string,
  key: string,
  value: unknown,
  known: readonly string[],
  inner: readonly string[],
): never {
  return refuse(path, `is not an option (${hintFor(key, known, inner)})`, value);
}

/** The paths of the options of an option. */
export function pathsIn(name: string, readers: object): string[] {
  return Object.keys(readers).map((key) => `${name}.${key}`);
}
