// The servers that the tests of a fleet use. Real processes and real time: each wait is for an
// event or an answer.

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import pg from 'pg';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { start } from '../../process/child.ts';
import type { LocalServer } from '../../support/local-server.ts';
import { freshSchema, postgresUrl } from '../../support/postgres.ts';
import { PostgresServer } from '../../support/postgres-server.ts';
import { freshPrefix, ioredisClient, nodeRedisClient, redisUrl, withRedis } from '../../support/redis.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

const HOW_TO_STOP = ['fast', 'immediate'] as const;

async function removedAfterTest<S extends LocalServer>(starting: Promise<S>): Promise<S> {
  const server = await starting;
  onTestFinished(() => server.remove());
  return server;
}

async function proxyTo(url: string): Promise<TcpProxy> {
  const proxy = await TcpProxy.start(url);
  onTestFinished(() => proxy.close());
  return proxy;
}

/** A connected client, ended after the test. That its connection broke is heard by its calls. */
async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  onTestFinished(() => client.end());
  await client.connect();
  return client;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const opened = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return opened;
}

async function expectGone({ dir, port }: Pick<LocalServer, 'dir' | 'port'>): Promise<void> {
  expect({ folder: existsSync(dir), answers: await answers(port) }).toEqual({ folder: false, answers: false });
}

describe('the PostgreSQL of the run', () => {
  it('answers', async () => {
    const { pool } = await freshSchema();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  it('forgets the schema of a test and its connections, those within a transaction too', async () => {
    let schema = '';
    onTestFinished(async () => {
      // Runs last, as it was registered first.
      const admin = await connected(postgresUrl());
      const left = await admin.query(
        `select nspname from pg_namespace where nspname = $1
         union select application_name from pg_stat_activity where application_name = $1`,
        [schema],
      );
      await admin.end();
      expect(left.rows).toEqual([]);
    });
    const fresh = await freshSchema();
    schema = fresh.schema;
    await fresh.pool.query(`create schema ${schema}`);
    const leaked = await fresh.pool.connect();
    leaked.on('error', () => {});
    await leaked.query(`begin; create table ${schema}.t (x int)`);
  });
});

describe('a PostgreSQL of its own', () => {
  for (const how of HOW_TO_STOP)
    it(`keeps its data and its port when it is stopped (${how}) and started again`, async () => {
      const server = await removedAfterTest(PostgresServer.start());
      const before = await connected(server.url());
      await before.query('create table t as select 7 as x');
      const url = server.url();
      await server.stop(how);
      expect(await answers(server.port)).toBe(false);
      await server.start();
      expect(server.url()).toBe(url);
      const after = await connected(url);
      expect((await after.query('select x from t')).rows).toEqual([{ x: 7 }]);
    });

  it('takes flags, over its own, and variables of its environment', async () => {
    const flags = ['-c', 'fsync=on', '-c', 'work_mem=5MB'];
    const server = await removedAfterTest(
      PostgresServer.start({
        flags,
        initFlags: ['--set=work_mem=6MB', '--set=max_wal_size=2GB'],
        env: { TZ: 'Asia/Tokyo' },
      }),
    );
    const client = await connected(server.url());
    const setting = async (name: string) => (await client.query(`show ${name}`)).rows[0][name];
    expect(await setting('fsync')).toBe('on');
    expect(await setting('work_mem')).toBe('5MB');
    expect(await setting('max_wal_size')).toBe('2GB');
    expect(await setting('TimeZone')).toBe('Asia/Tokyo');
  });

  it('refuses a client without the password', async () => {
    const server = await removedAfterTest(PostgresServer.start());
    const url = new URL(server.url());
    url.password = 'wrong';
    await expect(new pg.Client(url.href).connect()).rejects.toThrow('password authentication failed');
  });

  it('says why it does not start, and leaves nothing behind', async () => {
    await expect(PostgresServer.start({ flags: ['-c', 'fsync=perhaps'] })).rejects.toThrow(
      'parameter "fsync" requires a Boolean value',
    );
    await expect(PostgresServer.start({ initFlags: ['--no-such-flag'] })).rejects.toThrow('no-such-flag');
  });

  it('is removed with its folder, running or stopped, once or twice', async () => {
    const running = await PostgresServer.start();
    const stopped = await PostgresServer.start();
    await stopped.stop('fast');
    for (const server of [running, stopped]) {
      await server.remove();
      await server.remove();
      await expectGone(server);
    }
  });
});

withRedis('the Redis of the run', () => {
  it('answers clients of both kinds', async () => {
    expect(await ioredisClient().ping()).toBe('PONG');
    expect(await (await nodeRedisClient()).ping()).toBe('PONG');
  });

  it('forgets the keys under the prefix of a test, and no others', async () => {
    const other = freshPrefix();
    let prefix = '';
    onTestFinished(async () => {
      const client = ioredisClient();
      expect(await client.exists(`{${prefix}}:a`, `{${prefix}}:b`)).toBe(0);
      expect(await client.exists(other)).toBe(1);
      client.disconnect();
    });
    prefix = freshPrefix();
    await ioredisClient().mset({ [`{${prefix}}:a`]: '1', [`{${prefix}}:b`]: '2', [other]: '3' });
  });
});

withRedis('a Redis of its own', () => {
  for (const how of HOW_TO_STOP)
    it(`keeps its data and its port when it is stopped (${how}) and started again`, async () => {
      const server = await removedAfterTest(RedisServer.start());
      const client = ioredisClient(server.url());
      await client.set('x', '7');
      await server.stop(how);
      expect(await answers(server.port)).toBe(false);
      await server.start();
      expect(await (await nodeRedisClient(server.url())).get('x')).toBe('7');
    });

  it('takes flags, over its own', async () => {
    const server = await removedAfterTest(RedisServer.start({ flags: ['--appendonly', 'no'] }));
    await ioredisClient(server.url()).set('x', '7');
    await server.stop('immediate');
    await server.start();
    expect(await ioredisClient(server.url()).get('x')).toBe(null);
  });

  it('refuses a client without the password', async () => {
    const server = await removedAfterTest(RedisServer.start());
    await expect(ioredisClient(`redis://127.0.0.1:${server.port}`).ping()).rejects.toThrow('NOAUTH');
  });

  it('says why it does not start', async () => {
    await expect(RedisServer.start({ flags: ['--no-such-flag', 'x'] })).rejects.toThrow('no-such-flag');
  });

  it('is removed with its folder, running or stopped, once or twice', async () => {
    const running = await RedisServer.start();
    const stopped = await RedisServer.start();
    await stopped.stop('fast');
    for (const server of [running, stopped]) {
      await server.remove();
      await server.remove();
      await expectGone(server);
    }
  });
});

it('servers end, and their folders go, when the process that started them is killed', async () => {
  const child = await start('process/children/servers.ts', { args: inject('redisUrl') === undefined ? [] : ['redis'] });
  await child.printed('started');
  child.signal('SIGKILL');
  const { lines } = await child.ended;
  const servers: { dir: string; port: number }[] = JSON.parse((lines[0] ?? '').replace('started ', ''));
  expect(servers.length).toBe(inject('redisUrl') === undefined ? 1 : 2);
  await until(() => servers.every(({ dir }) => !existsSync(dir)));
  for (const server of servers) await expectGone(server);
});

describe('the proxy', () => {
  it('passes on what both sides say', async () => {
    const proxy = await proxyTo(postgresUrl());
    const client = await connected(proxy.url);
    const long = 'x'.repeat(1_000_000);
    expect((await client.query('select $1 as text', [long])).rows).toEqual([{ text: long }]);
  });

  it('breaks all connections while it is cut, and makes new ones afterwards', async () => {
    const proxy = await proxyTo(postgresUrl());
    const client = await connected(proxy.url);
    const sleeping = expect(client.query('select pg_sleep(3600)')).rejects.toThrow();
    proxy.cut(true);
    await sleeping;
    await expect(new pg.Client(proxy.url).connect()).rejects.toThrow();
    proxy.cut(false);
    expect((await (await connected(proxy.url)).query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  it('holds back what is said while it is stalled, and passes it on afterwards', async () => {
    const proxy = await proxyTo(postgresUrl());
    const client = await connected(proxy.url);
    const direct = await connected(postgresUrl());
    const order: string[] = [];
    proxy.stall(true);
    const stalled = client.query('select 1').then(() => order.push('stalled'));
    const late = connected(proxy.url).then(() => order.push('late'));
    for (let n = 0; n < 50; n += 1) await direct.query('select 1');
    order.push('direct');
    proxy.stall(false);
    await Promise.all([stalled, late]);
    expect(order[0]).toBe('direct');
    expect(order).toHaveLength(3);
  });

  withRedis('of Redis', () => {
    it('is found by its URL too', async () => {
      const proxy = await proxyTo(redisUrl());
      expect(await ioredisClient(proxy.url).ping()).toBe('PONG');
    });
  });
});
