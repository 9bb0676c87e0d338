// A store's server under chaos: how it is broken, and what is left in it.

import { Redis } from 'ioredis';
import pg from 'pg';
import { migrate } from 'slotvisor/postgres';
import type { HowToStop, LocalServer } from '../../support/local-server.ts';
import { PostgresServer } from '../../support/postgres-server.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { passInRedis } from '../../support/redis-time.ts';
import { faultySchema, type Mutant } from './mutants.ts';

export interface Backend {
  readonly url: string;
  restart(how: HowToStop): Promise<void>;
  /** Breaks the connections of all clients. */
  breakConnections(): Promise<void>;
  /** Sets the clock of the store, as far as it can see: the times that it keeps are moved. */
  stepClock(ms: number): Promise<void>;
  /** How many rows or keys there are, by kind. */
  left(): Promise<Readonly<Record<string, number>> & { readonly sessions: number }>;
  remove(): Promise<void>;
}

export async function postgresBackend(mutant?: Mutant): Promise<Backend> {
  const server = await PostgresServer.start();
  const admin = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client(server.url());
    client.on('error', () => {});
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  if (mutant?.of === 'postgres')
    await admin((client) =>
      client.query(`begin; create schema slotvisor; ${faultySchema(mutant)('slotvisor')}; commit`),
    );
  else await migrateWith(server.url());
  return {
    url: server.url(),
    restart: (how) => restart(server, how),
    breakConnections: () =>
      admin(async (client) => {
        await client.query('select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()');
      }),
    stepClock: (ms) => admin((client) => stepPostgres(client, 'slotvisor', ms)),
    left: () =>
      admin(async (client) => {
        const text = `select (select count(*) from slotvisor.session)::int as sessions,
          (select count(*) from slotvisor.slot)::int as slots, (select count(*) from slotvisor.waiter)::int as waiters`;
        return (await client.query(text)).rows[0];
      }),
    remove: () => server.remove(),
  };
}

/** A look at the clock waits for the end of this: no call sees a part of the step. */
export async function stepPostgres(
  client: Pick<pg.Pool, 'query'> | pg.Client,
  schema: string,
  ms: number,
): Promise<void> {
  await client.query(`begin;
    lock table ${schema}.clock in access exclusive mode;
    update ${schema}.clock set seen_at = seen_at - ${ms} * interval '1 ms';
    update ${schema}.session set expires_at = expires_at - ${ms} * interval '1 ms';
    commit`);
}

export async function redisBackend(): Promise<Backend> {
  const server = await RedisServer.start();
  const admin = async <T>(work: (client: Redis) => Promise<T>): Promise<T> => {
    const client = new Redis(server.url());
    client.on('error', () => {});
    try {
      return await work(client);
    } finally {
      client.disconnect();
    }
  };
  return {
    url: server.url(),
    restart: (how) => restart(server, how),
    breakConnections: () =>
      admin(async (client) => {
        await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
        await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      }),
    stepClock: (ms) => admin((client) => passInRedis(client, 'slotvisor', ms)),
    left: () =>
      admin(async (client) => {
        const names = (await client.keys('{slotvisor}:*')).map((key) => key.split(':')[1] as string);
        const others = names.filter((name) => !['clock', 'fence', 'seq', 'sessions', 'names'].includes(name));
        const counts: Record<string, number> = {};
        for (const name of others) counts[name] = (counts[name] ?? 0) + 1;
        return { sessions: await client.zcard('{slotvisor}:sessions'), ...counts };
      }),
    remove: () => server.remove(),
  };
}

async function restart(server: LocalServer, how: HowToStop): Promise<void> {
  await server.stop(how);
  await server.start();
}

async function migrateWith(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url });
  await migrate(pool);
  await pool.end();
}
