// Connections that break, stall or are missing, and statements that are canceled.

import pg from 'pg';
import { Supervisor } from 'slotvisor';
import { postgresLeases } from 'slotvisor/postgres';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { until } from './until.ts';
import { World } from './world.ts';

let world: World;

beforeEach(async () => {
  world = await World.start();
});

function poolOf(options: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({ connectionString: world.url, ...options });
  onTestFinished(() => void pool.end().catch(() => {}));
  return pool;
}

const terminate = (which: string) =>
  world.sql(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid() and ${which}`,
    [world.schema],
  );

describe('the connection of the beats', () => {
  test('that is terminated is reported to the client, and the next beat listens again', async () => {
    const store = world.store({ pool: poolOf({}) }); // nothing listens to errors of this pool
    const [a, b] = [await world.session(store), await world.session(store)];
    await b.listen();
    const fence = await a.take('s');
    for (let round = 1; round <= 3; round++) {
      await terminate(`query ~ 'beat|listen|open'`);
      await until(() => b.broken === round);
      expect((await b.beat())?.held).toBe(0);
    }
    await b.ask('s');
    await a.release('s', fence, true);
    await until(() => b.news.length > 0);
    expect(b.news).toMatchObject([{ kind: 'granted' }]);
  });

  test('is another one after a beat that was canceled', async () => {
    const store = world.store();
    const a = await world.session(store);
    await a.listen();
    const blocker = await world.pool.connect();
    await blocker.query('begin');
    await blocker.query(`select from ${world.schema}.session for update`);
    const beat = a.beat().catch((error) => error);
    await until(
      async () =>
        (
          await world.sql<{ done: boolean }>(
            `select pg_cancel_backend(pid) as done from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`,
            [world.schema],
          )
        ).length > 0,
    );
    expect((await beat).message).toContain('canceling statement');
    await blocker.query('rollback');
    blocker.release();
    expect([a.broken, (await a.beat())?.held]).toEqual([1, 0]);
  });

  test('that stalls fails its beat within a sixth of the ttl, and no later beat waits for it', async () => {
    const proxy = await TcpProxy.start(world.url);
    onTestFinished(() => proxy.close());
    const store = world.store({ pool: poolOf({ connectionString: proxy.url }), ttlMs: 3_000 });
    const a = await world.session(store);
    proxy.stall(true);
    const startMs = performance.now();
    await expect(a.beat()).rejects.toThrow('PostgreSQL, or the pool, has not answered within 500 ms');
    expect(performance.now() - startMs).toBeLessThan(2_500);
    proxy.stall(false);
    await until(() =>
      a.beat().then(
        () => true,
        () => false,
      ),
    );
  });

  test('beats while the pool is used up, and what is asked for is granted later', async () => {
    const pool = poolOf({ max: 3 });
    const store = world.store({ pool, ttlMs: 3_000 });
    const a = await world.session(store);
    const clients = [await pool.connect(), await pool.connect()];
    const asked = expect(a.ask('s')).rejects.toThrow('PostgreSQL, or the pool, has not answered within 3000 ms');
    for (let i = 0; i < 5; i++) expect((await a.beat())?.held).toBe(0);
    await asked;
    for (const client of clients) client.release();
    expect(await a.ask('s')).toMatchObject({ state: 'granted' });
    await until(() => pool.idleCount === 2); // the client that came too late is back
  });
});

describe('a statement', () => {
  test('whose connection is terminated is an error that passes, and the pool goes on', async () => {
    const store = world.store({ pool: poolOf({}) });
    const a = await world.session(store);
    await a.take('s');
    const blocker = await world.pool.connect();
    await blocker.query('begin');
    await blocker.query(`select from ${world.schema}.slot for update`);
    const left = store.withdraw(a.id, 's').catch((error) => error);
    await until(async () => (await terminate(`wait_event_type = 'Lock'`)).length > 0);
    const error = await left;
    expect([error instanceof Error, store.isPermanent(error)]).toEqual([true, false]);
    await blocker.query('rollback');
    blocker.release();
    await store.withdraw(a.id, 's');
  });

  test('that does not reach PostgreSQL says so, and passes', async () => {
    const proxy = await TcpProxy.start(world.url);
    const { url } = proxy;
    await proxy.close();
    const store = world.store({ pool: poolOf({ connectionString: url }) });
    const error = await store.withdraw(crypto.randomUUID(), 's').catch((thrown) => thrown);
    expect(error.message).toMatch(/^PostgreSQL cannot be reached: check that it runs, and its address/);
    expect(store.isPermanent(error)).toBe(false);
  });

  test('of a batch that fails is one error for all of its items', async () => {
    const store = world.store({ pool: poolOf({ connectionString: 'postgres://x@127.0.0.1:1/x' }) });
    const results = await Promise.allSettled(
      ['a', 'b', 'c'].map((slot) => store.acquire(crypto.randomUUID(), { slot, mode: 'wait' })),
    );
    const same = await Promise.allSettled(
      ['a', 'b', 'c'].map((slot) => store.release('1', { slot, fence: 1n, contended: false })),
    );
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(new Set(same.map((result) => 'reason' in result && result.reason)).size).toBe(1);
  });

  test('with a name that the encoding of the database lacks fails alone', async () => {
    const name = `${world.schema}_latin1`;
    await world.pool.query(`create database ${name} encoding 'LATIN1' locale 'C' template template0`);
    const url = new URL(world.url);
    url.pathname = `/${name}`;
    const pool = new pg.Pool({ connectionString: url.href });
    onTestFinished(async () => {
      await pool.end();
      const admin = new pg.Client(world.url);
      await admin.connect();
      await admin.query(`drop database ${name}`);
      await admin.end();
    });
    const other = new World({ pool, schema: world.schema, url: url.href });
    await (await import('slotvisor/postgres')).migrate(pool, { schema: world.schema });
    const store = other.store();
    const a = await other.session(store);
    const [bad, good] = await Promise.allSettled([a.ask('☃'), a.ask('é')]);
    expect([bad.status, good]).toMatchObject(['rejected', { value: { state: 'granted' } }]);
    const error = 'reason' in bad ? bad.reason : undefined;
    expect([error.message, store.isPermanent(error)]).toEqual([
      expect.stringMatching(/^PostgreSQL cannot keep this name/),
      true,
    ]);
    await store.close();
  });
});

describe('behind a pooler, with `listen: false`', () => {
  test('no statement is prepared, and nothing is listened to', async () => {
    const pool = poolOf({ max: 4 });
    const store = world.store({ pool, listen: false });
    const a = await world.session(store);
    await a.listen();
    await a.release('s', await a.take('s'));
    await a.beat();
    const client = await pool.connect();
    expect((await client.query('select name from pg_prepared_statements')).rows).toEqual([]);
    client.release();
    expect(
      await world.sql(`select 1 from pg_stat_activity where application_name = $1 and query ~ '^listen'`, [
        world.schema,
      ]),
    ).toEqual([]);
  });
});

test('a supervisor that shuts down leaves no connection and no row', async () => {
  const pool = poolOf({});
  const supervisor = new Supervisor({ leases: postgresLeases(pool, { schema: world.schema }) });
  supervisor.submit({ slot: 's', run: (ctx) => ctx.sleep(Infinity) });
  await until(async () => (await world.count('slot')) === 1);
  await supervisor.shutdown();
  expect([await world.count('session'), await world.count('slot')]).toEqual([0, 0]);
  expect(pool.totalCount - pool.idleCount).toBe(0);
  await pool.end();
});
