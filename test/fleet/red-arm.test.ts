// Faults in the client and in the stores, each provoked until the judge of the histories names what
// it breaks. The same provocation without the fault breaks nothing.

import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { Supervisor, type TaskContext } from 'slotvisor';
import { type AskAnswer, type FleetLeases, fleetLeases, type LeaseStore } from 'slotvisor/fleet';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, it } from 'vitest';
import { ddl } from '../../src/ext/postgres/schema.ts';
import { PostgresStore } from '../../src/ext/postgres/store.ts';
import { stepPostgres } from '../soak/fleet/backend.ts';
import { type HistoryLine, judge, RULES, type Rule } from '../soak/fleet/history.ts';
import { faultyClient, faultySchema, MUTANTS, type MutantName } from '../soak/fleet/mutants.ts';
import { MemoryFleet, type MemoryStore } from '../support/memory-store.ts';
import { freshSchema } from '../support/postgres.ts';

const rulesBroken = (lines: readonly HistoryLine[], ttlMs: number): Rule[] => {
  const { counts } = judge(lines, { ttlMs, busy: ['s'] });
  return RULES.filter((rule) => counts[rule] > 0);
};

/** Each provocation, with and without its mutant. */
function provoke(name: MutantName, broken: readonly Rule[], provocation: (isFaulty: boolean) => Promise<Rule[]>): void {
  it(`${name}: ${MUTANTS[name].name}`, async () => {
    expect(await provocation(true)).toEqual(broken);
    expect(await provocation(false)).toEqual([]);
  });
}

describe('a fault in the client is found in virtual time:', () => {
  const TTL_MS = 6_000;
  const BEAT_MS = TTL_MS / 6;

  /** Its bodies take a step every 100 ms, and ask before each. */
  class Process {
    readonly store: MemoryStore;
    readonly leases: FleetLeases;
    readonly #supervisor: Supervisor;
    readonly #lines: HistoryLine[];
    readonly #clock: VirtualClock;
    readonly #pid: number;

    constructor(pid: number, { lines, clock, fleet }: World, make: typeof fleetLeases) {
      this.#pid = pid;
      this.#lines = lines;
      this.#clock = clock;
      this.store = fleet.store();
      this.leases = make(this.store, { ttlMs: TTL_MS, clock });
      this.#supervisor = new Supervisor({ clock, leases: this.leases, warnings: false });
    }

    work(slot: string, ms = Infinity): void {
      this.#supervisor.submit({ slot, run: (ctx) => this.#steps(ctx, ms) });
    }

    async #steps(ctx: TaskContext, ms: number): Promise<void> {
      this.#say('begin', ctx);
      for (let left = ms; !ctx.canceled && left > 0; left -= 100) {
        this.#say('step', ctx);
        await ctx.sleep(100).catch(() => {});
      }
      this.#say('end', ctx);
    }

    #say(is: 'begin' | 'step' | 'end', { slot, fence }: TaskContext): void {
      this.#lines.push({ is, at: this.#clock.now(), pid: this.#pid, slot, fence: `${fence}` });
    }
  }

  class World {
    readonly clock = new VirtualClock();
    readonly fleet = new MemoryFleet(this.clock);
    readonly lines: HistoryLine[] = [];
    readonly a: Process;
    readonly b: Process;

    constructor(make: typeof fleetLeases) {
      this.a = new Process(1, this, make);
      this.b = new Process(2, this, make);
    }
  }

  function inWorld(name: MutantName, broken: readonly Rule[], provocation: (world: World) => Promise<void>): void {
    provoke(name, broken, async (isFaulty) => {
      const world = new World(isFaulty ? faultyClient(MUTANTS[name]) : fleetLeases);
      world.b.work('keeps the store in use');
      await world.clock.advance(100);
      await provocation(world);
      return rulesBroken(world.lines, TTL_MS);
    });
  }

  inWorld('validity not kept', ['stale step', 'overlap'], async ({ a, b, clock }) => {
    a.work('s');
    await clock.advance(100);
    b.work('s');
    await clock.advance(BEAT_MS);
    a.store.cut(true);
    await clock.advance(2 * TTL_MS);
  });

  inWorld('validity counted from the answer', ['stale step', 'overlap'], async ({ a, b, clock }) => {
    await clock.advance(600); // from now on each beat of b comes 400 ms after that of a
    a.store.plan('open', 'hangAfter');
    a.work('s');
    await clock.advance(TTL_MS - 150);
    a.store.letGo();
    await clock.advance(50);
    b.work('s');
    await clock.advance(2 * TTL_MS);
  });

  inWorld('no repair', ['stale step', 'overlap'], async ({ a, b, clock, fleet }) => {
    a.work('s');
    await clock.advance(100);
    const session = a.leases.stats().session as string;
    const fence = fleet.engine.holdings(session, 's').get('s') as bigint;
    fleet.engine.release(session, { slot: 's', fence, contended: false }); // the store has lost the grant
    await clock.advance(2 * BEAT_MS);
    b.work('s');
    await clock.advance(2 * BEAT_MS);
  });
});

describe('a fault in the schema is found in PostgreSQL:', () => {
  /** Long: only what a test does to the clock of the store makes a session expire. */
  const TTL_MS = 600_000;

  /** A session, whose body begins with each grant. */
  class Session {
    readonly id = randomUUID();
    readonly #world: World;
    readonly #pid: number;

    constructor(world: World, pid: number) {
      this.#world = world;
      this.#pid = pid;
    }

    async acquire(): Promise<AskAnswer> {
      const { store } = this.#world;
      this.#say('asks');
      const answer = await store.acquire(this.id, { slot: 's', mode: 'wait' });
      if (answer.state === 'waiting') this.#say('waits');
      if (answer.state === 'granted') this.says('begin', answer.fence);
      return answer;
    }
    async take(): Promise<bigint> {
      const answer = await this.acquire();
      if (answer.state !== 'granted') throw new Error(`not granted, but ${answer.state}`);
      return answer.fence;
    }
    async release(fence: bigint): Promise<void> {
      this.says('end', fence);
      await this.#world.store.release(this.id, { slot: 's', fence, contended: true });
    }
    says(is: 'begin' | 'end', fence: bigint): void {
      this.#world.note({ is, at: 0, pid: this.#pid, slot: 's', fence: `${fence}` });
    }
    #say(is: 'asks' | 'waits'): void {
      this.#world.note({ is, at: 0, pid: this.#pid, slot: 's', mode: 'wait' });
    }
  }

  class World {
    readonly pool: pg.Pool;
    readonly schema: string;
    readonly store: LeaseStore;
    readonly lines: HistoryLine[] = [];
    readonly a = new Session(this, 1);
    readonly b = new Session(this, 2);
    readonly c = new Session(this, 3);

    static async open(make: typeof ddl): Promise<World> {
      const { pool, schema } = await freshSchema();
      await pool.query(`begin; create schema ${schema}; ${make(schema)}; commit`);
      const world = new World(pool, schema);
      for (const { id } of [world.a, world.b, world.c]) await world.store.open(id, 'a name', TTL_MS);
      return world;
    }

    constructor(pool: pg.Pool, schema: string) {
      this.pool = pool;
      this.schema = schema;
      this.store = new PostgresStore(pool, { schema, listen: false, ttlMs: TTL_MS, clock: undefined });
    }

    /** Each line has a later moment than the one before. */
    note(line: HistoryLine): void {
      this.lines.push({ ...line, at: this.lines.length });
    }

    /** Within one transaction of a connection of its own. */
    async within(work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
      const client = await this.pool.connect();
      try {
        await client.query('begin');
        await work(client);
        await client.query('commit');
        client.release();
      } catch (error) {
        client.release(true);
        throw error;
      }
    }

    /** Waits until a call waits for a lock, or `call` has settled. */
    async untilStuck(call: Promise<unknown>): Promise<void> {
      let isSettled = false;
      const settled = call.finally(() => {
        isSettled = true;
      });
      settled.catch(() => {});
      const text = `select from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`;
      while (!isSettled && (await this.pool.query(text, [this.schema])).rowCount === 0);
    }
  }

  function inSchema(name: MutantName, broken: readonly Rule[], provocation: (world: World) => Promise<void>): void {
    provoke(name, broken, async (isFaulty) => {
      const world = await World.open(isFaulty ? faultySchema(MUTANTS[name]) : ddl);
      await provocation(world);
      await world.store.close();
      return rulesBroken(world.lines, TTL_MS);
    });
  }

  inSchema('no hold after a clock step', ['overlap'], async ({ a, b, pool, schema, store }) => {
    await a.take();
    await stepPostgres(pool, schema, 3_600_000);
    for (let beats = 0; beats < 2; beats += 1) await store.beat(b.id, []);
    await b.acquire();
  });

  inSchema('fence drawn before the insert', ['falling fence'], async (world) => {
    const { a, b, schema } = world;
    let asked: Promise<bigint> | undefined;
    await world.within(async (client) => {
      await client.query(`insert into ${schema}.slot (name, session, fence) values ('s', $1, 0)`, [b.id]);
      asked = a.take(); // it waits for the end of this transaction
      await world.untilStuck(asked);
      await client.query(`delete from ${schema}.slot`);
      const { rows } = await client.query(`select o_fence from ${schema}.acquire($1, '{s}', '{1}', false, 0)`, [b.id]);
      b.says('begin', BigInt(rows[0].o_fence));
      b.says('end', BigInt(rows[0].o_fence));
      await client.query(`select ${schema}.release($1, '{s}', $2, false, 0)`, [b.id, [rows[0].o_fence]]);
    });
    await asked;
  });

  inSchema('reap without the lock', ['overlap'], async (world) => {
    const { a, b, schema, store } = world;
    await a.take();
    await world.pool.query(`update ${schema}.session set expires_at = clock_timestamp() where id = $1`, [a.id]);
    let beaten: Promise<unknown> | undefined;
    await world.within(async (client) => {
      await client.query(`select ${schema}.beat($1, '{}', 0)`, [a.id]);
      beaten = store.beat(b.id, []);
      await world.untilStuck(beaten);
    });
    await beaten;
    await b.acquire();
  });

  inSchema('release without the fence', ['overlap'], async ({ a, b, store }) => {
    const fence = await a.take();
    a.says('end', fence);
    await a.take(); // again, as the answer was lost
    await store.release(a.id, { slot: 's', fence, contended: false });
    await b.acquire();
  });

  inSchema('wanted not raised', ['order'], async ({ a, b, c }) => {
    const fence = await a.take();
    await b.acquire();
    await a.release(fence);
    await c.acquire();
  });
});
