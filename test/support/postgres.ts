// The PostgreSQL of the test run, for one test: a schema and a pool of its own.

import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';

export interface FreshSchema {
  readonly pool: pg.Pool;
  /** The name of a schema that does not exist yet. It is dropped after the test. */
  readonly schema: string;
  /** For more pools of the test. Their connections are broken off after the test. */
  readonly url: string;
}

export async function freshSchema(): Promise<FreshSchema> {
  const schema = `slotvisor_${randomBytes(6).toString('hex')}`;
  const named = new URL(postgresUrl());
  named.searchParams.set('application_name', schema);
  const url = named.href;
  const pool = new pg.Pool({ connectionString: url });
  pool.on('error', () => {}); // an idle connection broke; the pool makes another one
  onTestFinished(async () => {
    pool.end().catch(() => {}); // not awaited, as it waits for clients that a failed test still has
    const admin = new pg.Client(postgresUrl());
    await admin.connect();
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [schema]);
    await admin.query(`drop schema if exists ${schema} cascade`);
    await admin.end();
  });
  return { pool, schema, url };
}

export function postgresUrl(): string {
  const url = inject('postgresUrl');
  if (url === undefined) throw new Error('this run has no PostgreSQL: add the test file to those in test/servers.ts');
  return url;
}
