import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from 'slotvisor/postgres';
import { type LeaseWorld, leaseConformance } from 'slotvisor/testing';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { PostgresStore } from '../../../src/ext/postgres/store.ts';
import { postgresUrl } from '../../support/postgres.ts';

const ttlMs = 3_000;
let pool: pg.Pool;

beforeAll(() => {
  pool = new pg.Pool({ connectionString: postgresUrl(), max: 60 });
  pool.on('error', () => {});
});
afterAll(() => pool.end());

async function open(listen: boolean): Promise<LeaseWorld> {
  const schema = `slotvisor_${randomBytes(6).toString('hex')}`;
  await migrate(pool, { schema });
  const rows = ['session', 'slot', 'waiter'].map((table) => `(select count(*) from ${schema}.${table})`);
  return {
    // A beat may take a sixth of this: a busy machine needs more than half a second.
    store: () => new PostgresStore(pool, { schema, listen, ttlMs: 10 * ttlMs, clock: undefined }),
    isEmpty: async () => (await pool.query(`select ${rows.join(' + ')} = 0 as empty`)).rows[0].empty,
    close: async () => {
      await pool.query(`drop schema ${schema} cascade`);
    },
  };
}

describe.concurrent.each([true, false])('over PostgreSQL, with `listen: %s`', (listens) => {
  for (const { rule, name, run } of leaseConformance({ open: () => open(listens), listens, ttlMs }))
    test(`${rule}: ${name}`, run);
});
