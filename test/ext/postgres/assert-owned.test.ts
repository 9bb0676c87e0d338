import type pg from 'pg';
import { assertOwned } from 'slotvisor/postgres';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { until } from './until.ts';
import { type Session, World } from './world.ts';

let world: World;
let a: Session;
let b: Session;

beforeEach(async () => {
  world = await World.start();
  const store = world.store();
  [a, b] = [await world.session(store), await world.session(store)];
});

/** A client with an open transaction. */
async function transaction(begin = 'begin'): Promise<pg.PoolClient> {
  const client = await world.pool.connect();
  onTestFinished(() => client.release(true));
  await client.query(begin);
  return client;
}

const assert = (client: pg.PoolClient, slot: string, fence: bigint) =>
  assertOwned(client, { slot, fence }, { schema: world.schema });

describe('assertOwned', () => {
  test('resolves for the present owner, whose transaction commits', async () => {
    const client = await transaction();
    await assert(client, 's', await a.take('s'));
    await client.query('commit');
  });

  test('is refused with another fence, for a free slot, and for the fence of a local lease', async () => {
    const fence = await a.take('s');
    for (const owned of [
      { slot: 's', fence: fence - 1n },
      { slot: 't', fence },
      { slot: 's', fence: 0n },
    ]) {
      const client = await transaction();
      const error = await assert(client, owned.slot, owned.fence).catch((thrown) => thrown);
      expect([error.code, error.message]).toEqual([
        'SV001',
        `slot "${owned.slot}" is not owned with fence ${owned.fence} any more: another owner may have it`,
      ]);
      expect((await client.query('commit')).command).toBe('ROLLBACK');
    }
  });

  test.each(['begin', 'begin isolation level repeatable read', 'begin isolation level serializable'])(
    'after `%s` keeps the slot from the next owner until the commit',
    async (begin) => {
      const fence = await a.take('s');
      const client = await transaction(begin);
      await assert(client, 's', fence);
      expect(await b.ask('s')).toEqual({ state: 'waiting', fence });
      await world.expire(a);
      expect((await b.beat('s'))?.news).toEqual([{ kind: 'orphan', slot: 's' }]);
      expect(await b.ask('s')).toEqual({ state: 'waiting', fence }); // at once, and not granted
      expect((await b.beat('s'))?.news).toEqual([{ kind: 'orphan', slot: 's' }]);
      await client.query('commit');
      expect(await b.ask('s')).toMatchObject({ state: 'granted' });
      await expect(assert(await transaction(begin), 's', fence)).rejects.toThrow('not owned');
    },
  );

  test('is refused when the slot has another owner, also in a transaction that began before that', async () => {
    const fence = await a.take('s');
    const clients = [await transaction(), await transaction('begin isolation level repeatable read')];
    for (const client of clients) await client.query('select 1 from pg_class limit 1');
    await b.ask('s');
    await a.release('s', fence, true);
    const codes = await Promise.all(
      clients.map((client) =>
        assert(client, 's', fence).then(
          () => 'owned',
          ({ code }) => code,
        ),
      ),
    );
    expect(codes).toEqual(['SV001', '40001']);
  });

  test('waits for a take-over that is under way, and is refused after it', async () => {
    const fence = await a.take('s');
    const taking = await transaction();
    await taking.query(`select ${world.schema}.release($1, $2, $3, false, 0)`, [a.id, ['s'], [String(fence)]]);
    let settled = false;
    const asserted = assert(await transaction(), 's', fence).catch((error) => error);
    void asserted.then(() => {
      settled = true;
    });
    await until(
      async () =>
        (
          await world.sql(`select 1 from pg_stat_activity where wait_event_type = 'Lock' and application_name = $1`, [
            world.schema,
          ])
        ).length > 0,
    );
    expect(settled).toBe(false);
    await taking.query('commit');
    expect((await asserted).code).toBe('SV001');
  });

  test('does not keep others from asking, nor from leaving the line', async () => {
    const fence = await a.take('s');
    const client = await transaction();
    await assert(client, 's', fence);
    expect(await b.ask('s', 'urgent')).toEqual({ state: 'waiting', fence });
    expect((await a.beat())?.news).toEqual([{ kind: 'revoked', slot: 's', fence }]);
    await b.store.withdraw(b.id, 's');
    expect((await a.beat())?.news).toEqual([]);
    await client.query('commit');
  });

  test('makes a release wait for the commit, and the slot goes on then', async () => {
    const fence = await a.take('s');
    await b.ask('s');
    const client = await transaction();
    await assert(client, 's', fence);
    const released = a.release('s', fence, true);
    await until(
      async () =>
        (
          await world.sql(`select 1 from pg_stat_activity where wait_event_type = 'Lock' and application_name = $1`, [
            world.schema,
          ])
        ).length > 0,
    );
    expect(await a.holds('s')).toBe(fence);
    await client.query('commit');
    await released;
    expect(await b.holds('s')).toBeGreaterThan(fence);
  });

  test('says so outside of a transaction, where it guards nothing', async () => {
    const fence = await a.take('s');
    const client = await transaction('select 1');
    await expect(assert(client, 's', fence)).rejects.toThrow('assertOwned must be called within a transaction');
  });

  test('may be sent along with the `begin` before it', async () => {
    const client = await world.pool.connect();
    onTestFinished(() => client.release(true));
    const begun = client.query('begin');
    await assert(client, 's', await a.take('s'));
    await begun;
  });

  test('refuses a pool, and what is no slot with a fence', async () => {
    const client = await transaction();
    expect(() => assertOwned(world.pool, { slot: 's', fence: 1n })).toThrow(/^client must be the client of an open/);
    expect(() => assertOwned({} as never, { slot: 's', fence: 1n })).toThrow(/^client must be a client of pg/);
    expect(() => assertOwned(client, { slot: 's', fence: 1 } as never)).toThrow(/^owned.fence must be a bigint/);
    expect(() => assertOwned(client, undefined as never)).toThrow(/^owned.fence must be a bigint/);
    expect(() => assertOwned(client, { slot: '', fence: 1n })).toThrow(/^owned.slot must not be empty/);
    expect(() => assertOwned(client, { slot: 's', fence: 1n }, { schema: '' })).toThrow(/^schema must not be empty/);
  });

  test('names a schema without tables', async () => {
    const client = await transaction();
    await expect(assertOwned(client, { slot: 's', fence: 1n }, { schema: 'nowhere' })).rejects.toThrow(
      'the schema "nowhere" has no tables of this version of slotvisor',
    );
  });
});
