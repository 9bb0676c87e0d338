// Slots over a fleet, on private PostgreSQL and Redis servers of this machine: beside bare
// statements, and beside other locks. Times of one call depend on the machine's scheduler more than
// on its work: look at the ratios.

import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redlock } from '@sesamecare-oss/redlock';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { Mutex } from 'redis-semaphore';
import type { Lease, LeaseAnswer } from 'slotvisor';
import type { FleetLeases, FleetOptions } from 'slotvisor/fleet';
import { migrate, postgresLeases } from 'slotvisor/postgres';
import { redisLeases } from 'slotvisor/redis';
import { PostgresServer } from '../support/postgres-server.ts';
import { isRedisHere, RedisServer } from '../support/redis-server.ts';
import type { Contestant, Scenario } from './harness.ts';
import { collectGarbage, inMs, lazily, type Measured, once as measured } from './measure.ts';
import { StagedClock } from './staged-clock.ts';

const TTL_MS = 15_000;
const HELD = 10_000;
/** Longer than a run: the servers have clocks of their own. */
const LONG_TTL_MS = 1_800_000;
const BEAT_MS = LONG_TTL_MS / 6;
const BEATS = 20;
const CYCLES = 300;
const HANDOVERS = 100;
/** A waiting owner is in line before the slot is handed over. */
const IN_LINE_MS = 3;

type FleetTimes = Pick<FleetOptions, 'ttlMs' | 'clock'>;

const postgres = lazily(() => PostgresServer.start({ flags: ['-c', 'fsync=off'] }));
const redis = lazily(() => RedisServer.start());

async function poolOf(max: number): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString: (await postgres()).url(), max });
  await migrate(pool);
  await pool.query('create table if not exists bare (name text primary key, fence bigint)');
  await pool.query('create sequence if not exists bare_fence');
  return pool;
}

const redisClient = async (): Promise<Redis> => new Redis((await redis()).url(), { maxRetriesPerRequest: null });

const postgresFleet = async (times: FleetTimes = { ttlMs: TTL_MS }): Promise<FleetLeases> =>
  postgresLeases(await poolOf(10), times);
const redisFleet = async (times: FleetTimes = { ttlMs: TTL_MS }): Promise<FleetLeases> =>
  redisLeases(await redisClient(), { ...times, quarantine: false });

const never = (): AbortSignal => new AbortController().signal;

function acquire(leases: FleetLeases, slot: string): LeaseAnswer | Promise<LeaseAnswer> {
  return leases.acquire({ slot, owner: 'bench' as never, policy: 'queue', signal: never(), urgent: never() });
}

async function held(leases: FleetLeases, slot: string): Promise<Lease> {
  const answer = await acquire(leases, slot);
  if (answer === null || answer === 'superseded') throw new Error(`${slot} was not granted`);
  return answer;
}

const cycleOf = (leases: FleetLeases) => async (slot: string) => {
  await (await held(leases, slot)).release();
};

type Cycle = (slot: string) => Promise<unknown>;

/** Takes and gives back one slot after the other, so many at a time. In ns a slot. */
function cycling(name: string, inFlight: number, cycle: Cycle, lacks?: string): Contestant {
  const measure = async () => {
    let taken = 0;
    const lane = async () => {
      while (taken < CYCLES) {
        taken += 1;
        await cycle(`cycle:${taken}`);
      }
    };
    collectGarbage();
    const began = performance.now();
    await Promise.all(Array.from({ length: inFlight }, lane));
    return { figure: ((performance.now() - began) * 1e6) / CYCLES };
  };
  return { name, ...(lacks && { lacks }), measure };
}

/** The median time from giving a slot up to its next owner, in ns. */
function handing(name: string, handOver: () => Promise<number>, lacks?: string): Contestant {
  const measure = async () => {
    const times: number[] = [];
    for (let n = 0; n < HANDOVERS; n += 1) times.push(await handOver());
    return { figure: (times.sort((a, b) => a - b)[HANDOVERS >> 1] as number) * 1e6 };
  };
  return { name, ...(lacks && { lacks }), measure };
}

/** A slot that goes to and fro between two processes. */
async function between(one: FleetLeases, other: FleetLeases): Promise<() => Promise<number>> {
  let owner = await held(one, 'hot');
  let [next, last] = [other, one];
  return async () => {
    const coming = held(next, 'hot');
    await sleep(IN_LINE_MS);
    const began = performance.now();
    const released = owner.release();
    owner = await coming;
    const ms = performance.now() - began;
    await released;
    [next, last] = [last, next];
    return ms;
  };
}

const INSERT = {
  name: 'bare insert',
  text: `insert into bare values ($1, nextval('bare_fence')) on conflict do nothing returning fence`,
};
const DELETE = { name: 'bare delete', text: 'delete from bare where name = $1' };

async function postgresCycles(inFlight: number): Promise<Contestant[]> {
  const pool = await poolOf(10);
  const withClient = async (run: (client: pg.PoolClient) => Promise<unknown>): Promise<void> => {
    const client = await pool.connect();
    await run(client).finally(() => client.release());
  };
  return [
    cycling('bare statements', inFlight, async (slot) => {
      await pool.query({ ...INSERT, values: [slot] });
      await pool.query({ ...DELETE, values: [slot] });
    }),
    cycling('slotvisor', inFlight, cycleOf(await postgresFleet())),
    cycling(
      'advisory lock',
      inFlight,
      (slot) =>
        withClient(async (client) => {
          const values = [slot];
          await client.query({ name: 'lock', text: 'select pg_try_advisory_lock(hashtextextended($1, 0))', values });
          await client.query({ name: 'unlock', text: 'select pg_advisory_unlock(hashtextextended($1, 0))', values });
        }),
      'fence, notice of a loss, replace; a connection for each lock that is waited for',
    ),
  ];
}

async function postgresHandovers(): Promise<Contestant[]> {
  const pool = await poolOf(10);
  const hearer = await pool.connect();
  await hearer.query('listen bare_news');
  await pool.query(`insert into bare values ('hot', 0) on conflict do nothing`);
  const notify = {
    name: 'bare notify',
    text: `with moved as (update bare set fence = nextval('bare_fence') where name = 'hot' returning fence)
      select pg_notify('bare_news', fence::text) from moved`,
  };
  const locks = [await pool.connect(), await pool.connect()];
  let turn = 0;
  await locks[0]?.query('select pg_advisory_lock(1)');
  return [
    handing('bare update and NOTIFY', async () => {
      const heard = once(hearer, 'notification');
      await sleep(IN_LINE_MS);
      const began = performance.now();
      const done = pool.query(notify);
      await heard;
      const ms = performance.now() - began;
      await done;
      return ms;
    }),
    handing('slotvisor', await between(await postgresFleet(), await postgresFleet())),
    handing(
      'advisory lock',
      async () => {
        const [mine, theirs] = [locks[turn % 2] as pg.PoolClient, locks[(turn + 1) % 2] as pg.PoolClient];
        turn += 1;
        const coming = theirs.query('select pg_advisory_lock(1)');
        await sleep(IN_LINE_MS);
        const began = performance.now();
        const done = mine.query('select pg_advisory_unlock(1)');
        await coming;
        const ms = performance.now() - began;
        await done;
        return ms;
      },
      'fence, notice of a loss, replace',
    ),
  ];
}

const TAKE = `local fence = redis.call('INCR', KEYS[2])
  if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', 15000) then return fence end return 0`;
const GIVE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

type BareRedis = Redis & {
  take(slot: string, fence: string, owner: string): Promise<number>;
  give(slot: string, owner: string): Promise<number>;
};

async function redisCycles(inFlight: number): Promise<Contestant[]> {
  const bare = (await redisClient()) as BareRedis;
  bare.defineCommand('take', { numberOfKeys: 2, lua: TAKE });
  bare.defineCommand('give', { numberOfKeys: 1, lua: GIVE });
  const client = await redisClient();
  const redlock = new Redlock([client], { retryCount: 0 });
  return [
    cycling('bare scripts', inFlight, async (slot) => {
      await bare.take(slot, 'bare fence', 'me');
      await bare.give(slot, 'me');
    }),
    cycling('slotvisor', inFlight, cycleOf(await redisFleet())),
    cycling(
      'redis-semaphore',
      inFlight,
      async (slot) => {
        const mutex = new Mutex(client, slot, { lockTimeout: TTL_MS });
        await mutex.acquire();
        await mutex.release();
      },
      'fence, order, replace',
    ),
    cycling(
      'redlock',
      inFlight,
      async (slot) => {
        const lock = await redlock.acquire([`redlock:${slot}`], TTL_MS);
        await lock.release();
      },
      'fence, order, replace',
    ),
  ];
}

async function redisHandovers(): Promise<Contestant[]> {
  const bare = (await redisClient()) as Redis & { pass(key: string, channel: string): Promise<unknown> };
  bare.defineCommand('pass', {
    numberOfKeys: 1,
    lua: `local fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
      redis.call('HSET', KEYS[1], 'owner', ARGV[1]) return redis.call('PUBLISH', ARGV[1], fence)`,
  });
  const hearer = await redisClient();
  await hearer.subscribe('bare news');
  const clients = [await redisClient(), await redisClient()] as const;
  const semaphore = (n: number): Mutex =>
    new Mutex(clients[n % 2] as Redis, 'hot', { lockTimeout: TTL_MS, acquireTimeout: 60_000 });
  let owner = semaphore(0);
  await owner.acquire();
  let turn = 0;
  return [
    handing('bare script and PUBLISH', async () => {
      const heard = once(hearer, 'message');
      await sleep(IN_LINE_MS);
      const began = performance.now();
      const done = bare.pass('bare hot', 'bare news');
      await heard;
      const ms = performance.now() - began;
      await done;
      return ms;
    }),
    handing('slotvisor', await between(await redisFleet(), await redisFleet())),
    handing(
      'redis-semaphore',
      async () => {
        turn += 1;
        const next = semaphore(turn);
        const coming = next.acquire();
        await sleep(IN_LINE_MS);
        const began = performance.now();
        const released = owner.release();
        await coming;
        const ms = performance.now() - began;
        await released;
        owner = next;
        return ms;
      },
      'fence, order, replace; it polls',
    ),
    { name: 'BullMQ', lacks: 'fence, replace; the next job of a queue with concurrency 1', measure: bullHandover },
  ];
}

async function bullHandover(): Promise<Measured> {
  const connection = { url: (await redis()).url(), maxRetriesPerRequest: null };
  const queue = new Queue(`hot-${performance.now()}`, { connection });
  await queue.setGlobalConcurrency(1);
  const times: number[] = [];
  let endedAt = Number.NaN;
  const done = new EventEmitter();
  const over = once(done, 'over');
  const run = async (): Promise<void> => {
    if (endedAt > 0) times.push(performance.now() - endedAt);
    await sleep(IN_LINE_MS);
    endedAt = performance.now();
    if (times.length === HANDOVERS - 1) done.emit('over');
  };
  const workers = [1, 2].map(() => new Worker(queue.name, run, { connection }));
  await queue.addBulk(Array.from({ length: HANDOVERS }, (_, n) => ({ name: 'job', data: { n } })));
  await over;
  for (const worker of workers) await worker.close(true);
  await queue.obliterate({ force: true });
  await queue.close();
  return { figure: (times.sort((a, b) => a - b)[times.length >> 1] as number) * 1e6 };
}

/** A process with 10,000 slots. */
async function holding(leases: FleetLeases, name = 'held'): Promise<{ readonly heap: number }> {
  await held(leases, `${name} first`); // opens the session
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const all = await Promise.all(Array.from({ length: HELD }, (_, n) => held(leases, `${name}:${n}`)));
  collectGarbage();
  return { heap: (process.memoryUsage().heapUsed - before) / all.length };
}

/** CPU of this process a beat. The clock skips the waits, so they follow each other. */
function beating(name: string, make: (times: FleetTimes) => Promise<FleetLeases>): Contestant {
  const made = lazily(async () => {
    const clock = new StagedClock(Date.now());
    const leases = await make({ ttlMs: LONG_TTL_MS, clock });
    await holding(leases, 'beat');
    return { clock, leases };
  });
  const measure = async () => {
    const { clock, leases } = await made();
    collectGarbage();
    return inMs(
      await measured(BEATS, async () => {
        for (let n = 0; n < BEATS; n += 1) await beat(leases, clock);
      }),
    );
  };
  return { name, measure };
}

async function beat(leases: FleetLeases, clock: StagedClock): Promise<void> {
  const { beats } = leases.stats();
  clock.skip(BEAT_MS);
  clock.fireDue();
  while (leases.stats().beats === beats) await clock.nextTimer(); // set when a beat was answered
  if (leases.stats().errors > 0) throw new Error('a beat failed');
}

async function heapOfSlot(): Promise<Measured> {
  const leases = await postgresFleet();
  const { heap } = await holding(leases);
  await leases.close();
  return { figure: heap };
}

async function bytesInPostgres(): Promise<Measured> {
  const pool = await poolOf(10);
  const leases = postgresLeases(pool, { ttlMs: TTL_MS });
  await pool.query('vacuum full slotvisor.slot');
  await holding(leases);
  const { rows } = await pool.query(
    `select pg_total_relation_size('slotvisor.slot') / (select count(*) from slotvisor.slot)::float8 as bytes`,
  );
  await leases.close();
  return { figure: rows[0].bytes };
}

async function bytesInRedis(): Promise<Measured> {
  const client = await redisClient();
  const used = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
  const leases = await redisFleet();
  await held(leases, 'first');
  const before = await used();
  await Promise.all(Array.from({ length: HELD }, (_, n) => held(leases, `sized:${n}`)));
  const bytes = ((await used()) - before) / HELD;
  await leases.close();
  client.disconnect();
  return { figure: bytes };
}

const onPostgres: Scenario[] = [
  {
    name: 'postgres-one',
    title: 'PostgreSQL: take a slot and give it back, one at a time',
    unit: 'ns',
    floor: 'an insert and a delete, each a statement of its own',
    reaches: [{ atMost: 3, of: 'bare statements' }],
    contestants: () => postgresCycles(1),
  },
  {
    name: 'postgres-32',
    title: 'PostgreSQL: take slots and give them back, 32 at a time',
    unit: 'ns',
    floor: 'an insert and a delete, each a statement of its own',
    reaches: [{ atMost: 0.8, of: 'bare statements' }],
    contestants: () => postgresCycles(32),
  },
  {
    name: 'postgres-handover',
    title: 'PostgreSQL: a slot goes to the next process in line',
    unit: 'ns',
    floor: 'an update, and its notification heard',
    reaches: [{ atMost: 2, of: 'bare update and NOTIFY' }],
    contestants: postgresHandovers,
  },
];

const onRedis: Scenario[] = [
  {
    name: 'redis-one',
    title: 'Redis: take a slot and give it back, one at a time',
    unit: 'ns',
    floor: 'two scripts of one or two commands',
    reaches: [{ atMost: 1.7, of: 'bare scripts' }],
    contestants: () => redisCycles(1),
  },
  {
    name: 'redis-32',
    title: 'Redis: take slots and give them back, 32 at a time',
    unit: 'ns',
    floor: 'two scripts of one or two commands',
    reaches: [{ atMost: 1.8, of: 'bare scripts' }],
    contestants: () => redisCycles(32),
  },
  {
    name: 'redis-handover',
    title: 'Redis: a slot goes to the next process in line',
    unit: 'ns',
    floor: 'a script, and its message heard',
    reaches: [{ atMost: 1.6, of: 'bare script and PUBLISH' }],
    contestants: redisHandovers,
  },
];

/** Some scenarios are of both: without Redis they are of PostgreSQL alone. */
const isHere = isRedisHere();
const both = <T>(ofPostgres: T, ofRedis: T): T[] => (isHere ? [ofPostgres, ofRedis] : [ofPostgres]);

const atRest: Scenario[] = [
  {
    name: 'beat',
    title: 'A process that holds 10,000 slots: CPU of the process for one beat',
    unit: 'ms',
    floor: 'slotvisor on PostgreSQL',
    reaches: both('postgres', 'redis').map((who) => ({ atMost: 2, who })),
    contestants: () => both(beating('postgres', postgresFleet), beating('redis', redisFleet)),
  },
  {
    name: 'held-slot',
    title: 'A held slot: memory of the process, and of the store',
    unit: 'bytes',
    rounds: 1,
    floor: 'heap of the process, on PostgreSQL',
    reaches: [
      { atMost: 1_000, who: 'heap, postgres' },
      { atMost: 300, who: 'in PostgreSQL' },
      ...(isHere ? [{ atMost: 600, who: 'in Redis' }] : []),
    ],
    contestants: () => [
      { name: 'heap, postgres', measure: heapOfSlot },
      { name: 'in PostgreSQL', measure: bytesInPostgres },
      ...(isHere ? [{ name: 'in Redis', measure: bytesInRedis }] : []),
    ],
  },
];

/** What is at rest comes first: later the peers have timers and connections of their own. */
export const fleet: readonly Scenario[] = [...atRest, ...onPostgres, ...(isHere ? onRedis : [])];
