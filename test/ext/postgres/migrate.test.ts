// The tables: how they are made, by whom, and what is said where they are missing.

import pg from 'pg';
import { Supervisor } from 'slotvisor';
import { assertOwned, migrate, postgresClaims, postgresLeases } from 'slotvisor/postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SCHEMA_VERSION } from '../../../src/ext/postgres/schema.ts';
import { freshSchema } from '../../support/postgres.ts';
import { World } from './world.ts';

const drop = (pool: pg.Pool, schema: string) =>
  onTestFinished(async () => {
    await pool.query(`drop schema if exists ${pg.escapeIdentifier(schema)} cascade`);
  });

describe('migrate', () => {
  test('makes the tables, and changes nothing where they are there', async () => {
    const world = await World.start();
    const session = await world.session();
    const fence = await session.take('s');
    await migrate(world.pool, { schema: world.schema });
    expect([await session.holds('s'), await world.sql('select * from %.version')]).toEqual([
      fence,
      [{ version: SCHEMA_VERSION }],
    ]);
  });

  test('may run in many processes at once', async () => {
    const { pool, schema } = await freshSchema();
    await Promise.all(Array.from({ length: 8 }, () => migrate(pool, { schema })));
    expect((await pool.query(`select * from ${schema}.version`)).rows).toEqual([{ version: SCHEMA_VERSION }]);
  });

  test('uses a schema that is there', async () => {
    const { pool, schema } = await freshSchema();
    await pool.query(`create schema ${schema}`);
    await migrate(pool, { schema });
    expect((await pool.query(`select * from ${schema}.clock`)).rows.length).toBe(1);
  });

  test('refuses a schema of a newer version by name, and changes nothing', async () => {
    const world = await World.start();
    await world.sql('update %.version set version = 7');
    await expect(migrate(world.pool, { schema: world.schema })).rejects.toThrow(
      `the schema "${world.schema}" has version 7, and this slotvisor knows version ${SCHEMA_VERSION}: install`,
    );
    expect(await world.sql('select * from %.version')).toEqual([{ version: 7 }]);
  });

  test('refuses a schema that has other tables with these names, and changes nothing', async () => {
    const { pool, schema } = await freshSchema();
    await pool.query(`create schema ${schema}; create table ${schema}.session (user_id int)`);
    await expect(migrate(pool, { schema })).rejects.toThrow(
      `the schema "${schema}" has tables with the names of those of slotvisor: give slotvisor a schema of its own`,
    );
    expect((await pool.query(`select to_regclass('${schema}.slot') as slot`)).rows).toEqual([{ slot: null }]);
  });

  test.each([
    ['with quotes', `it's "a" $f$ \\ name`],
    ['a keyword', 'select'],
    ['with capitals, spaces and dots', 'App Slots.v1'],
    ['of 63 bytes', `${'é'.repeat(31)}x`],
  ])('takes any name of a schema: %s', async (_, schema) => {
    const { pool } = await freshSchema();
    drop(pool, schema);
    await migrate(pool, { schema });
    const supervisor = new Supervisor({ leases: postgresLeases(pool, { schema, ttlMs: 5_000 }) });
    const first = supervisor.submit({ slot: 's', run: (ctx) => pool.query('select 1').then(() => ctx.fence) });
    expect(await first.value()).toBeGreaterThan(0n);
    expect(await postgresClaims(pool, { schema }).claim('x', new Date())).toBe(true);
    await supervisor.shutdown();
  });

  test('works whatever the settings of the database are', async () => {
    const { schema, url } = await freshSchema();
    const options =
      '-c standard_conforming_strings=off -c search_path=nowhere -c default_transaction_isolation=serializable -c TimeZone=Asia/Kolkata -c DateStyle=German -c synchronous_commit=off';
    const pool = new pg.Pool({ connectionString: url, options });
    onTestFinished(() => pool.end());
    const world = new World({ pool, schema, url });
    await migrate(pool, { schema: `${schema}` });
    const [a, b] = [await world.session(), await world.session()];
    const fence = await a.take('s');
    await b.ask('s');
    await a.release('s', fence);
    expect(await b.holds('s')).toBeGreaterThan(fence);
    expect((await b.beat())?.held).toBe(1);
    await a.store.close();
    await b.store.close();
  });
});

describe('what the role of the pool may do', () => {
  /** A role that may log in, and a pool of it. */
  async function role(schema: string, owner: pg.Pool, url: string): Promise<{ name: string; pool: pg.Pool }> {
    const name = `${schema}_role`;
    await owner.query(`create role ${name} login password 'secret'`);
    const own = new URL(url);
    own.username = name;
    own.password = 'secret';
    const pool = new pg.Pool({ connectionString: own.href });
    const database = (await owner.query('select current_database() as name')).rows[0].name;
    onTestFinished(async () => {
      await pool.end();
      const admin = new pg.Client(url);
      await admin.connect();
      await admin.query(`drop schema if exists ${schema} cascade; drop owned by ${name}; drop role ${name}`);
      await admin.end();
    });
    await owner.query(`revoke create on database ${pg.escapeIdentifier(database)} from public`);
    return { name, pool };
  }

  test('migrate grants nothing to others, and each call says so', async () => {
    const world = await World.start();
    const { pool } = await role(world.schema, world.pool, world.url);
    const store = world.store({ pool });
    const error = await store.open(crypto.randomUUID(), 'x', 5_000).catch((thrown) => thrown);
    expect(error.message).toMatch(/^the role of the pool may not use the schema ".*": give it the grants/);
    expect(store.isPermanent(error)).toBe(true);
    await expect(postgresClaims(pool, { schema: world.schema }).last('s')).rejects.toThrow(/^the role of the pool/);
    await expect(pool.query(`select * from ${world.schema}.session`)).rejects.toThrow('permission denied');
    await store.close();
  });

  test('the grants of the README are enough for another role', async () => {
    const world = await World.start();
    const { name, pool } = await role(world.schema, world.pool, world.url);
    await world.sql(`grant usage on schema % to ${name}`);
    await world.sql(`grant select, insert, update, delete on all tables in schema % to ${name}`);
    await world.sql(`grant usage on all sequences in schema % to ${name}`);
    const [a, b] = [await world.session(world.store({ pool })), await world.session(world.store({ pool }))];
    const fence = await a.take('s');
    await b.ask('s', 'urgent');
    await a.release('s', fence, true);
    expect((await b.beat('s'))?.held).toBe(1);
    await b.store.end(b.id);
    const client = await pool.connect();
    await client.query('begin');
    await assertOwned(client, { slot: 't', fence: await a.take('t') }, { schema: world.schema });
    await client.query('commit');
    client.release();
    expect(await postgresClaims(pool, { schema: world.schema }).claim('s', new Date())).toBe(true);
    await migrate(pool, { schema: world.schema }); // up to date: it needs no permission
    await a.store.close();
    await b.store.close();
  });

  test('a role that may not create a schema hears which role may', async () => {
    const { pool: owner, schema, url } = await freshSchema();
    const { pool } = await role(schema, owner, url);
    await expect(migrate(pool, { schema })).rejects.toThrow(
      /^the role of the pool may not use the schema ".*": run migrate with a role that may make .*permission denied/,
    );
  });
});

test('migrate refuses a client that is no pool', async () => {
  const { url } = await freshSchema();
  const client = new pg.Client(url);
  await expect(migrate(client as never)).rejects.toThrow(/^pool must be a Pool of pg, whose connect gives a client/);
  await client.end();
});

describe('a pool that cannot work makes submissions fail at once', () => {
  async function outcome(pool: pg.Pool, schema: string): Promise<unknown> {
    const supervisor = new Supervisor({ leases: postgresLeases(pool, { schema, ttlMs: 5_000 }) });
    const submission = supervisor.submit({ slot: 's', run: () => 1 });
    const ended = await submission.outcome;
    await supervisor.shutdown();
    return ended;
  }

  test('without tables', async () => {
    const { pool, schema } = await freshSchema();
    expect(await outcome(pool, schema)).toMatchObject({
      kind: 'rejected',
      reason: 'leaseUnavailable',
      error: {
        message: expect.stringContaining(`run migrate(pool, { schema: "${schema}" }) of slotvisor/postgres once`),
      },
    });
  });

  test('a client that is no pool', async () => {
    const { schema, url } = await freshSchema();
    const client = new pg.Client(url);
    expect(await outcome(client as never, schema)).toMatchObject({
      kind: 'rejected',
      reason: 'leaseUnavailable',
      error: { message: expect.stringContaining('pool must be a Pool of pg, whose connect gives a client') },
    });
    await client.end();
  });

  test('without the database', async () => {
    const { url, schema } = await freshSchema();
    const other = new URL(url);
    other.pathname = '/no_such_database';
    const pool = new pg.Pool({ connectionString: other.href });
    expect(await outcome(pool, schema)).toMatchObject({
      reason: 'leaseUnavailable',
      error: { message: expect.stringContaining('the database of the pool does not exist') },
    });
    await pool.end();
  });

  test('with a role that is not known', async () => {
    const { url, schema } = await freshSchema();
    const other = new URL(url);
    other.username = 'nobody_at_all';
    other.password = 'wrong';
    const pool = new pg.Pool({ connectionString: other.href });
    expect(await outcome(pool, schema)).toMatchObject({
      reason: 'leaseUnavailable',
      error: { message: expect.stringContaining('PostgreSQL refuses the login of the pool') },
    });
    await pool.end();
  });
});
