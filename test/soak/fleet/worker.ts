// One process of a fleet under chaos. It works on slots, asks before each step whether it may, and
// prints what it does, one line of JSON each. SIGTERM shuts it down.

import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { createClient } from 'redis';
import { ClosedError, Supervisor, type TaskContext, type TaskSpec } from 'slotvisor';
import { fleetLeases, type LeaseStore } from 'slotvisor/fleet';
import type { RedisClient } from 'slotvisor/redis';
import { seededRandom } from 'slotvisor/testing';
import { PostgresStore } from '../../../src/ext/postgres/store.ts';
import { portOf } from '../../../src/ext/redis/client.ts';
import { RedisStore } from '../../../src/ext/redis/store.ts';
import type { MutantName } from './mutants.ts';
import { type Kind, kindOf, monotonicMs, slotOf, type WorkerOrder, WRITE } from './order.ts';
import { type Say, watched } from './watched-store.ts';

/** The event loop did not turn for so long: the process was not given a processor. */
const STOOD_MS = 500;

async function main(order: WorkerOrder): Promise<void> {
  const { ttlMs, slots } = order;
  const random = seededRandom(order.seed);
  const say: Say = (line) => sayAt(monotonicMs(), line);
  process.on('uncaughtExceptionMonitor', (error) => say({ is: 'uncaught', text: String(error.stack) }));

  const { store, end } = await openStore(order);
  const watch = { say, now: monotonicMs, ttlMs, losesNews: () => random() < order.lostNews };
  const make = order.mutant === undefined ? fleetLeases : await mutated(order.mutant);
  const leases = make(watched(store, watch), { ttlMs });
  const supervisor = new Supervisor({ leases, graceMs: 500 });
  const resource = new pg.Pool({ connectionString: order.resourceUrl, max: 3 });
  resource.on('error', () => {});
  const stopWatch = watchLoop(say);

  const workers = Array.from({ length: slots }, (_, index) => work(supervisor, resource, random, index));
  process.once('SIGTERM', async () => {
    await supervisor.shutdown({ graceMs: 1_000 });
    await Promise.all(workers);
    stopWatch();
    await Promise.all([resource.end(), end()]);
    process.stdin.destroy();
  });
  process.stdin.on('end', () => process.exit(1)).resume(); // the conductor is gone
  say({ is: 'up' });
}

function sayAt(at: number, line: object): void {
  writeSync(1, `${JSON.stringify({ at, pid: process.pid, ...line })}\n`);
}

async function openStore({ store, url, ttlMs }: WorkerOrder): Promise<{ store: LeaseStore; end(): Promise<unknown> }> {
  if (store === 'postgres') {
    const pool = new pg.Pool({ connectionString: url, max: 6 });
    pool.on('error', () => {});
    const settings = { schema: 'slotvisor', listen: true, ttlMs, clock: undefined };
    return { store: new PostgresStore(pool, settings), end: () => pool.end() };
  }
  const settings = { ttlMs, prefix: 'slotvisor', quarantine: true, allowEviction: false };
  const open = (client: RedisClient) => new RedisStore(portOf(client), settings);
  if (store === 'ioredis') {
    const client = new Redis(url);
    client.on('error', () => {});
    return { store: open(client), end: async () => client.disconnect() };
  }
  const client = createClient({ url });
  client.on('error', () => {});
  await client.connect();
  return { store: open(client), end: async () => client.destroy() };
}

async function mutated(name: MutantName): Promise<typeof fleetLeases> {
  const { faultyClient, MUTANTS } = await import('./mutants.ts');
  return MUTANTS[name].of === 'client' ? faultyClient(MUTANTS[name]) : fleetLeases;
}

/** Says when the process did not run. */
function watchLoop(say: Say): () => void {
  let last = monotonicMs();
  const timer = setInterval(() => {
    const now = monotonicMs();
    if (now - last > STOOD_MS) say({ is: 'stood', since: last });
    last = now;
  }, 50);
  return () => clearInterval(timer);
}

/** Submits to one slot until the supervisor is closed. */
async function work(supervisor: Supervisor, resource: pg.Pool, random: () => number, index: number): Promise<void> {
  const slot = slotOf(index);
  const body = (ms: number) => (ctx: TaskContext) => steps(ctx, resource, random, ms);
  const specs: Record<Kind, () => TaskSpec> = {
    resident: () => ({ slot, restart: 'always', run: body(Infinity) }),
    job: () => ({ slot, restart: 'onFailure', run: body(50 + random() * 100) }),
    rival: () => ({
      slot,
      restart: 'never',
      admission: random() < 0.3 ? 'replace' : 'dropIfRunning',
      run: body(300 + random() * 700),
    }),
  };
  while (supervisor.phase === 'open') {
    try {
      await supervisor.submit(specs[kindOf(index)]()).outcome;
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
    }
    if (kindOf(index) === 'rival') await sleep(random() * 1_500);
  }
}

/** The moment of a step is taken before the question: a freeze between both makes it no later. */
async function steps(ctx: TaskContext, resource: pg.Pool, random: () => number, ms: number): Promise<void> {
  const { slot } = ctx;
  const fence = `${ctx.fence}`;
  const until = monotonicMs() + ms;
  let hasBegun = false;
  try {
    for (;;) {
      const at = monotonicMs();
      if (ctx.canceled || at > until) break;
      if (!hasBegun) sayAt(at, { is: 'begin', slot, fence });
      hasBegun = true;
      sayAt(at, { is: 'step', slot, fence });
      if (random() < 0.15) await write(ctx, resource);
      await ctx.sleep(20 + random() * 40);
    }
  } finally {
    if (hasBegun) sayAt(monotonicMs(), { is: 'end', slot, fence });
  }
}

async function write(ctx: TaskContext, resource: pg.Pool): Promise<void> {
  const { slot } = ctx;
  const fence = `${ctx.fence}`;
  const { rowCount } = await ctx.untilCanceled(resource.query(WRITE, [slot, fence]));
  if (rowCount === 0) sayAt(monotonicMs(), { is: 'refused', slot, fence });
}

await main(JSON.parse(process.argv[2] as string));
