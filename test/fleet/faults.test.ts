// Faults of processes, networks and servers, one at a time, over a real PostgreSQL. Each wait is
// for what must come. Nothing is measured.

import pg from 'pg';
import { type Submission, Supervisor } from 'slotvisor';
import type { FleetLeases } from 'slotvisor/fleet';
import { migrate, postgresLeases } from 'slotvisor/postgres';
import { describe, expect, it, onTestFinished } from 'vitest';
import { start } from '../process/child.ts';
import { RESOURCE, WRITE } from '../soak/fleet/order.ts';
import { freshSchema } from '../support/postgres.ts';
import { PostgresServer } from '../support/postgres-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const TTL_MS = 4_000;

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A process of a fleet, within this one. */
class Process {
  readonly pool: pg.Pool;
  readonly leases: FleetLeases;
  readonly supervisor: Supervisor;
  /** The fences of the bodies that began in the slot `s`. */
  readonly fences: bigint[] = [];
  /** How many of them have ended. */
  ended = 0;

  constructor(url: string, schema: string) {
    this.pool = new pg.Pool({ connectionString: url, max: 4 });
    this.pool.on('error', () => {});
    this.leases = postgresLeases(this.pool, { schema, ttlMs: TTL_MS });
    this.supervisor = new Supervisor({ leases: this.leases, graceMs: 500 });
    onTestFinished(async () => {
      await this.supervisor.shutdown();
      await this.pool.end();
    });
  }

  /** Works in the slot `s` for as long as it may. */
  work(): Submission {
    return this.supervisor.submit({
      slot: 's',
      restart: 'always',
      run: async (ctx) => {
        this.fences.push(ctx.fence);
        try {
          await ctx.untilCanceled(new Promise(() => {}));
        } finally {
          this.ended += 1;
        }
      },
    });
  }

  /** Works, and has begun. */
  async working(): Promise<Submission> {
    const submission = this.work();
    await until(() => this.fences.length > 0);
    return submission;
  }

  /** Waits until so many beats more have been answered. */
  async beats(count: number): Promise<void> {
    const goal = this.leases.stats().beats + count;
    await until(() => this.leases.stats().beats >= goal);
  }
}

async function fleet() {
  const { pool, schema, url } = await freshSchema();
  await migrate(pool, { schema });
  return { pool, schema, url, join: (by = url) => new Process(by, schema) };
}

async function behindProxy(url: string): Promise<TcpProxy> {
  const proxy = await TcpProxy.start(url);
  onTestFinished(() => proxy.close());
  return proxy;
}

async function holderOf(url: string, schema: string) {
  const holder = await start('fleet/holder.ts', { args: [url, schema, `${TTL_MS}`] });
  onTestFinished(async () => {
    holder.signal('SIGKILL');
    await holder.ended;
  });
  await holder.printed('holds');
  return holder;
}

describe('the process of an owner', () => {
  it('that is killed hands its slot over when its session has expired', async () => {
    const { schema, url, join } = await fleet();
    const holder = await holderOf(url, schema);
    const next = join();
    next.work();
    await until(() => next.leases.stats().asking === 1 && next.leases.stats().beats > 0);
    expect(next.fences).toEqual([]);
    holder.signal('SIGKILL');
    await until(() => next.fences.length === 1);
    const { lines } = await holder.ended;
    expect(next.fences[0]).toBeGreaterThan(BigInt((lines[0] as string).replace('holds ', '')));
  });

  it('that is frozen for longer than its lease takes no step afterwards, and no guard lets it write', async () => {
    const { pool, schema, url, join } = await fleet();
    await pool.query(`set search_path = ${schema}; ${RESOURCE}; insert into resource (slot) values ('s')`);
    const holder = await holderOf(url, schema);
    const next = join();
    next.work();
    await next.beats(1);
    holder.signal('SIGSTOP');
    await until(() => next.fences.length === 1);
    const client = await next.pool.connect();
    await client.query(`set search_path = ${schema}`);
    expect((await client.query(WRITE, ['s', `${next.fences[0]}`])).rowCount).toBe(1);
    client.release(true);
    holder.signal('SIGCONT');
    await holder.printed('done');
    holder.signal('SIGKILL');
    const { lines } = await holder.ended;
    expect(lines.filter((line) => line !== 'step').slice(1)).toEqual([
      'may not',
      'writes 0',
      'is refused with SV001',
      'done',
    ]);
    expect(next.fences).toHaveLength(1);
  });

  it('that is shut down hands its slot over at once, and leaves nothing behind', async () => {
    const { pool, schema, join } = await fleet();
    const [owner, next] = [join(), join()];
    await owner.working();
    next.work();
    await next.beats(1);
    await owner.supervisor.shutdown();
    await until(() => next.fences.length === 1);
    expect(next.fences[0]).toBeGreaterThan(owner.fences[0] as bigint);
    await next.supervisor.shutdown();
    for (const table of ['session', 'slot', 'waiter'])
      expect((await pool.query(`select from ${schema}.${table}`)).rowCount).toBe(0);
  });
});

describe('the network of an owner', () => {
  for (const how of ['cut', 'stall'] as const) {
    it(`may be ${how === 'cut' ? 'cut' : 'stalled'} for a moment: its body does not notice`, async () => {
      const { url, join } = await fleet();
      const proxy = await behindProxy(url);
      const owner = join(proxy.url);
      await owner.working();
      proxy[how](true);
      await new Promise((resolve) => setImmediate(resolve));
      proxy[how](false);
      await owner.beats(3);
      expect({ begun: owner.fences.length, ended: owner.ended, lost: owner.leases.stats().lost }).toEqual({
        begun: 1,
        ended: 0,
        lost: 0,
      });
    });

    it(`that is ${how === 'cut' ? 'cut' : 'stalled'} for longer than its lease costs the lease: it waits, and runs again`, async () => {
      const { url, join } = await fleet();
      const proxy = await behindProxy(url);
      const [owner, next] = [join(proxy.url), join()];
      const submission = await owner.working();
      next.work();
      await next.beats(1);
      proxy[how](true);
      await until(() => next.fences.length === 1);
      expect({ ended: owner.ended, status: submission.status }).toEqual({ ended: 1, status: 'suspended' });
      proxy[how](false);
      await next.supervisor.shutdown();
      await until(() => owner.fences.length === 2);
      expect(owner.fences[1]).toBeGreaterThan(next.fences[0] as bigint);
    });
  }
});

describe('PostgreSQL', () => {
  it('may end the connections of an owner again and again: its body does not notice', async () => {
    const { pool, url, join } = await fleet();
    const other = new URL(url);
    other.searchParams.set('application_name', `${other.searchParams.get('application_name')}_owner`);
    const [owner, next] = [join(other.href), join()];
    await owner.working();
    for (let times = 0; times < 5; times += 1) {
      await pool.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [
        other.searchParams.get('application_name'),
      ]);
      await owner.beats(1);
    }
    expect({ begun: owner.fences.length, lost: owner.leases.stats().lost }).toEqual({ begun: 1, lost: 0 });
    const replacement = next.supervisor.submit({ slot: 's', admission: 'replace', restart: 'never', run: () => 7 });
    expect(await replacement.outcome).toMatchObject({ kind: 'completed', value: 7 });
  });

  it('may be away for long, and crash: the owner waits, and runs again under a greater fence', async () => {
    const server = await PostgresServer.start();
    onTestFinished(() => server.remove());
    const admin = new pg.Pool({ connectionString: server.url() });
    admin.on('error', () => {});
    onTestFinished(() => admin.end());
    await migrate(admin);
    const owner = new Process(server.url(), 'slotvisor');
    const submission = await owner.working();
    await server.stop('immediate');
    await until(() => submission.status === 'suspended' && owner.ended === 1);
    await server.start();
    await until(() => owner.fences.length === 2);
    expect(owner.fences[1]).toBeGreaterThan(owner.fences[0] as bigint);
  });
});

describe('a pool that is used up', () => {
  it('stops no beat of an owner, and a new slot is granted once it has room', async () => {
    const { join } = await fleet();
    const owner = join();
    await owner.working();
    const hogs = await Promise.all([1, 2, 3].map(() => owner.pool.connect()));
    const other = owner.supervisor.submit({ slot: 't', restart: 'never', run: () => 7 });
    await owner.beats(6);
    expect({ begun: owner.fences.length, ended: owner.ended, status: other.status }).toEqual({
      begun: 1,
      ended: 0,
      status: 'queued',
    });
    for (const hog of hogs) hog.release();
    expect(await other.outcome).toMatchObject({ kind: 'completed', value: 7 });
  });
});

describe('a standby that is promoted', () => {
  it('grants greater fences than its primary did, also where it lost the last writes, and the slot has one owner', async () => {
    const primary = await PostgresServer.start();
    onTestFinished(() => primary.remove());
    const proxy = await behindProxy(primary.url());
    const pool = new pg.Pool({ connectionString: primary.url() });
    pool.on('error', () => {}); // the server may end its connection first
    await migrate(pool);
    await pool.end();
    await primary.stop('fast');
    const standby = await PostgresServer.standbyOf(primary);
    onTestFinished(() => standby.remove());
    await primary.start();
    await standby.start();

    const owner = new Process(proxy.url, 'slotvisor');
    await owner.working();
    await primary.stop('immediate');
    proxy.moveTo(standby.url());
    const admin = new pg.Client(standby.url());
    await admin.connect();
    await admin.query('select pg_promote()');
    await admin.query('update slotvisor.session set id = gen_random_uuid()'); // as if it had not arrived
    await admin.end();
    await until(() => owner.fences.length === 2);
    expect(owner.ended).toBe(1);
    expect((owner.fences[1] as bigint) >> 40n).toBe(((owner.fences[0] as bigint) >> 40n) + 1n);
  });
});
