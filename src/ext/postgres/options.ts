// The options of this entry point, and how they are read.

import { aBoolean, anObjectWith, nameText, parse, type Readers, reading, refuse } from '../../kit.ts';
import { FLEET_DEFAULTS, FLEET_READERS, type FleetOptions } from '../fleet/index.ts';
import type { PgPool } from './pool.ts';

/** Which schema is meant. */
export interface SchemaOptions {
  /**
   * The schema with the tables of slotvisor. Any name that PostgreSQL can keep: 1 to 63 bytes of
   * UTF-8, without NUL, and not beginning with `pg_`. Default `'slotvisor'`.
   */
  readonly schema?: string | undefined;
}

/** The options of `postgresLeases`. An option given as `undefined` counts as absent. */
export interface PostgresOptions extends FleetOptions, SchemaOptions {
  /**
   * `false` behind a pooler that gives each transaction another connection, such as PgBouncer in
   * transaction mode: no `LISTEN`, and no prepared statements. A hand-over to a process that waits
   * is then noticed with its next beat, up to `ttlMs / 6` later. Default `true`.
   */
  readonly listen?: boolean | undefined;
}

type SchemaSettings = { readonly schema: string };

const SCHEMA_READERS: Readers<SchemaSettings> = { schema: readSchema };
const SCHEMA_DEFAULTS: SchemaSettings = { schema: 'slotvisor' };

const READERS = { ...FLEET_READERS, ...SCHEMA_READERS, listen: aBoolean };
const DEFAULTS = { ...FLEET_DEFAULTS, ...SCHEMA_DEFAULTS, listen: true };

export const parsePostgresOptions = (options: unknown): typeof DEFAULTS =>
  parse('options', options as typeof DEFAULTS, READERS, DEFAULTS);

export const parseSchemaOptions = (options: unknown): SchemaSettings =>
  parse('options', options as SchemaSettings, SCHEMA_READERS, SCHEMA_DEFAULTS);

const MAX_BYTES = 63;

function readSchema(field: string, value: unknown): string {
  const name = nameText(field, value);
  if (name.includes('\0') || /\p{Surrogate}/u.test(name))
    return refuse(field, 'must be well-formed Unicode without NUL', value);
  if (Buffer.byteLength(name) > MAX_BYTES) return refuse(field, `must be at most ${MAX_BYTES} bytes of UTF-8`, value);
  if (/^pg_/.test(name)) return refuse(field, "must not begin with 'pg_', which PostgreSQL keeps for itself", value);
  return name;
}

export function checkPool(value: unknown): PgPool {
  anObjectWith('connect', 'pool', 'must be a Pool of pg', value);
  return value as PgPool;
}

/** One connection is kept for the beats. With no other one nothing would ever be granted. */
export function checkRoom(pool: PgPool): void {
  const max = reading('pool', pool, () => (pool as { options?: { max?: unknown } }).options?.max);
  if (typeof max === 'number' && max < 2)
    refuse('pool', 'must have a max of 2 or more: one connection is kept for the beats', `a max of ${max}`);
}
