// Reads every options object in one way: own fields only, each field read once, checked by its
// reader, then merged over the defaults. An option is declared twice: in its type and in its
// readers. check.ts has the readers for single values.

import leven from 'leven';
import { anObject, refuse } from './check.ts';
import { brief, OptionError } from './error.ts';
import { describe } from './foreign.ts';

/** How each option is read. A reader returns the value to use, or throws an OptionError. */
export type Readers<T> = { readonly [K in keyof T]-?: (field: string, value: unknown) => T[K] };

/**
 * Reads an options object and merges it over `defaults`. The result is a new object.
 *
 * @param field the name of the object in an error. Fields of `options` are named without it, all
 *   other fields by their path.
 * @throws OptionError for a value that is not an object, for an unknown option (the message names
 *   the nearest known one), for a value that its reader refuses, and for a value that throws when
 *   it is read.
 */
export function parse<T extends object>(field: string, value: unknown, readers: Readers<T>, defaults: T): T {
  return { ...defaults, ...parseGiven(field, value, readers) };
}

/**
 * As `parse`, without defaults: the result has only the options that were given, and inherits
 * nothing.
 */
export function parseGiven<T extends object>(field: string, value: unknown, readers: Readers<T>): Partial<T> {
  const given = Object.create(null) as Partial<T>;
  let path = field;
  let got = value;
  try {
    const keys = Object.keys(anOptionsObject(field, value)) as (keyof T & string)[];
    for (const key of keys)
      if (!Object.hasOwn(readers, key)) refuseUnknown(pathOf(field, key), key, (value as T)[key], Object.keys(readers));
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

/** Any object but an array. */
export function anOptionsObject(field: string, value: unknown): object {
  return Array.isArray(value) ? refuse(field, 'must be an object', value) : anObject(field, value);
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

export function unreadable(field: string, value: unknown, error: unknown): never {
  if (error instanceof OptionError) throw error;
  throw new OptionError(field, 'must be readable', value, `an error when it was read: ${brief(describe(error))}`);
}

/** The name of an option in an error. */
function pathOf(field: string, key: string): string {
  return field === 'options' ? key : `${field}.${key}`;
}

export function refuseUnknown(path: string, key: string, value: unknown, known: readonly string[]): never {
  const hint = BELONGS.get(key) ?? nearest(key, known) ?? `known: ${known.join(', ')}`;
  return refuse(path, `is not an option (${hint})`, value);
}

const OF_A_SLOT = 'a slot has it: set it in slots, in slotDefaults or with slot.configure';
const OF_A_SHUTDOWN = 'the supervisor has it, and a call of shutdown takes graceMs and finishMs';

/** Options that are often given in the wrong place, and where they belong. */
const BELONGS: ReadonlyMap<string, string> = new Map([
  ['queueLimit', OF_A_SLOT],
  ['onFull', OF_A_SLOT],
  ['shutdownGraceMs', OF_A_SHUTDOWN],
  ['finishMs', OF_A_SHUTDOWN],
]);

/** The time that a comparison takes grows with the length of the name. */
const MAX_COMPARED = 40;

function nearest(key: string, known: readonly string[]): string | undefined {
  if (key.length > MAX_COMPARED) return undefined;
  const [first] = known.map((name) => ({ name, distance: leven(name, key) })).sort((a, b) => a.distance - b.distance);
  if (first === undefined || first.distance > 3 || first.distance >= key.length) return undefined;
  return `did you mean ${first.name}?`;
}
