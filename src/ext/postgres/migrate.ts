// Makes the tables of a schema, or brings them up to date.

import { fromCaller } from '../../kit.ts';
import { forPeople } from './errors.ts';
import { checkPool, parseSchemaOptions, type SchemaOptions } from './options.ts';
import { connect, giveBack, type PgClient, type PgPool } from './pool.ts';
import { ddl, identifier, SCHEMA_VERSION } from './schema.ts';

const LEAST_SERVER = 13;

/**
 * Makes the schema with its tables and functions. It changes nothing where they are there, so every
 * process may call it at its start, also at once. It grants nothing: all is owned by the role of
 * the pool. It waits for as long as PostgreSQL lets it.
 *
 * @throws Error if the schema is of a newer version of slotvisor, if it has other tables with these
 *   names, or if the role may not create them. Then nothing has changed.
 * @throws OptionError for an invalid option.
 */
export function migrate(pool: PgPool, options: SchemaOptions = {}): Promise<void> {
  const { schema } = fromCaller(migrate, () => {
    checkPool(pool);
    return parseSchemaOptions(options);
  });
  return inTransaction(pool, schema);
}

async function inTransaction(pool: PgPool, schema: string): Promise<void> {
  let client: PgClient | undefined;
  let isSound = false;
  try {
    client = await connect(pool);
    await client.query({ text: 'begin isolation level read committed read write' });
    await bringUp(client, schema);
    await client.query({ text: 'commit' });
    isSound = true;
  } catch (error) {
    throw forPeople(error, schema, 'run migrate with a role that may make the schema and its tables');
  } finally {
    if (client !== undefined) giveBack(client, !isSound); // ending the connection rolls back
  }
}

async function bringUp(client: PgClient, schema: string): Promise<void> {
  const lock = 'select pg_advisory_xact_lock(hashtextextended($1, 0))';
  await client.query({ text: lock, values: [`slotvisor.migrate.${schema}`] });
  const { server, has_schema: hasSchema, version } = await look(client, schema);
  if (server < LEAST_SERVER * 10_000)
    throw new Error(`slotvisor needs PostgreSQL ${LEAST_SERVER} or newer, and this is ${Math.floor(server / 10_000)}`);
  if (version > SCHEMA_VERSION)
    throw new Error(
      `the schema ${JSON.stringify(schema)} has version ${version}, and this slotvisor knows version ${SCHEMA_VERSION}: install the slotvisor that made it, or a newer one`,
    );
  if (version === SCHEMA_VERSION) return;
  if (!hasSchema) await client.query({ text: `create schema ${identifier(schema)}` });
  await client.query({ text: ddl(schema) });
}

interface Found {
  readonly server: number;
  readonly has_schema: boolean;
  /** 0: there are no tables. */
  readonly version: number;
}

async function look(client: PgClient, schema: string): Promise<Found> {
  const table = `${identifier(schema)}.version`;
  const text = `select current_setting('server_version_num')::int as server, to_regnamespace($1) is not null as has_schema,
    to_regclass($2) is not null as has_version`;
  const { rows } = await client.query({ text, values: [identifier(schema), table] });
  const [found] = rows;
  if (!found.has_version) return { ...found, version: 0 };
  const versions = await client.query({ text: `select max(version)::int as version from ${table}` });
  return { ...found, version: versions.rows[0].version ?? 0 };
}
