// One locked row delays no other slot.

import type pg from 'pg';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Session, World } from './world.ts';

let world: World;
let a: Session;
let b: Session;

beforeEach(async () => {
  world = await World.start();
  const store = world.store({ ttlMs: 30_000 }); // a statement waits 2 s for a lock
  [a, b] = [await world.session(store), await world.session(store)];
});

/** A transaction that runs a statement, and then freezes. */
async function freeze(text: string, values: unknown[] = []): Promise<pg.PoolClient> {
  const client = await world.pool.connect();
  onTestFinished(() => client.release(true));
  await client.query('begin');
  await client.query(text.replaceAll('%', world.schema), values);
  return client;
}

const lock = (slot: string, strength = 'update') =>
  freeze(`select from %.slot where name = $1 for ${strength}`, [slot]);

/** The order in which calls are answered. */
function inOrder(calls: Record<string, Promise<unknown>>): Promise<string[]> {
  const order: string[] = [];
  const settle = (name: string, call: Promise<unknown>) =>
    call.then(
      () => void order.push(name),
      (error) => void order.push(`${name}: ${error.message}`),
    );
  return Promise.all(Object.entries(calls).map(([name, call]) => settle(name, call))).then(() => order);
}

const LOCKED = 'a transaction of another client keeps rows of the schema ".*" locked';

describe('while another transaction has locked a slot', () => {
  test.each(['update', 'no key update', 'share'])(
    '`for %s`, others of the same statement are answered first',
    async (strength) => {
      await a.take('locked');
      await lock('locked', strength);
      const startMs = performance.now();
      let freeMs = Infinity;
      const order = await inOrder({
        locked: b.ask('locked'),
        free: b.ask('free').finally(() => {
          freeMs = performance.now() - startMs;
        }),
        alsoFree: b.ask('alsoFree', 'try'),
      });
      expect(freeMs).toBeLessThan(1_800); // it did not wait for the lock
      expect(order.slice(0, 2).sort()).toEqual(['alsoFree', 'free']);
      expect(order[2]).toMatch(new RegExp(`^locked: ${LOCKED}`));
    },
  );

  test('it is answered as soon as the lock is gone', async () => {
    const fence = await a.take('locked');
    const client = await lock('locked');
    const asked = b.ask('locked');
    await b.ask('free');
    await client.query('commit');
    expect(await asked).toEqual({ state: 'waiting', fence });
  });

  test('other slots are given back, and it is given back once the lock is gone', async () => {
    const [locked, free] = [await a.take('locked'), await a.take('free')];
    const client = await lock('locked');
    const both = [a.release('locked', locked), a.release('free', free)] as const;
    await both[1];
    expect([...(await a.store.holdings(a.id)).keys()]).toEqual(['locked']);
    await client.query('commit');
    await both[0];
    expect(await world.count('slot')).toBe(0);
  });

  test('the end of its session gives back all others, and the next one takes it over later', async () => {
    await a.take('locked');
    await a.take('free');
    const client = await lock('locked');
    await a.store.end(a.id);
    expect([await world.count('session'), await world.count('slot')]).toEqual([1, 1]);
    await client.query('commit');
    expect(await b.ask('locked')).toMatchObject({ state: 'granted' });
  });

  test('beats go on, also those that remove its session', async () => {
    await a.take('locked');
    await lock('locked');
    expect((await a.beat())?.held).toBe(1);
    await world.expire(a);
    expect((await b.beat())?.held).toBe(0);
    expect(await a.beat()).toBeNull();
  });

  test('two of them hold up no third one', async () => {
    for (const slot of ['l1', 'l2', 'l3']) {
      await a.take(slot);
      await lock(slot);
    }
    const locked = ['l1', 'l2', 'l3'].map((slot) => b.ask(slot).catch(() => 'locked'));
    for (let i = 0; i < 20; i++) expect(await b.ask(`free${i}`)).toMatchObject({ state: 'granted' });
    expect(await Promise.all(locked)).toEqual(['locked', 'locked', 'locked']);
  });
});

test('a free slot that another transaction inserts delays others only for the time of a lock', async () => {
  await freeze(`insert into %.slot (name, session, fence) values ('taken', gen_random_uuid(), 1)`);
  const order = await inOrder({ taken: b.ask('taken'), free: b.ask('free') });
  expect(order).toEqual(['free', expect.stringMatching(LOCKED)]);
});

test('a session that is locked delays its own beat alone, which is an error', async () => {
  await freeze(`select from %.session where id = '${a.id}' for update`);
  expect((await world.store().beat(b.id, []))?.held).toBe(0);
  await expect(a.beat()).rejects.toThrow(/keeps rows of the schema ".*" locked/);
});
