// A look at the fleet, by a real PostgreSQL.

import { beforeEach, describe, expect, test } from 'vitest';
import { type Session, World } from './world.ts';

let world: World;
let a: Session;
let b: Session;
let c: Session;

beforeEach(async () => {
  world = await World.start();
  const store = world.store();
  [a, b, c] = [await world.session(store), await world.session(store), await world.session(store)];
});

describe('look', () => {
  const look = (session: Session | undefined, q = '', limit = 200) =>
    a.store.look(session?.id, { q, limit, lineLimit: 20 });

  test('reads one moment, and locks nothing: it is answered while all rows are locked', async () => {
    const fence = await a.take('s');
    const blocker = await world.pool.connect();
    await blocker.query('begin');
    for (const table of ['session', 'slot', 'waiter', 'clock'])
      await blocker.query(`select from ${world.schema}.${table} for update`);
    const { slots, processes } = await look(a);
    await blocker.query('rollback');
    blocker.release();
    expect(slots).toEqual([{ slot: 's', holder: 'test', isOurs: true, fence, line: [], waiting: 0 }]);
    expect(processes.map(({ isSelf, held }) => [isSelf, held]).sort()).toEqual([
      [false, 0],
      [false, 0],
      [true, 1],
    ]);
  });

  test('takes one connection of the pool', async () => {
    let taken = 0;
    world.pool.on('acquire', () => {
      taken += 1;
    });
    await look(undefined);
    expect(taken).toBe(1);
  });

  test('counts and names no session that is gone, neither as the holder nor in line', async () => {
    const fence = await a.take('s');
    await b.ask('s');
    await c.ask('s');
    await world.sql('delete from %.session where id = any ($1)', [[a.id, b.id]]);
    expect((await look(c)).slots).toEqual([{ slot: 's', isOurs: false, fence, line: ['test'], waiting: 1 }]);
    expect((await look(a)).slots[0]?.isOurs).toBe(false);
  });

  test('shows a session that has expired with 0 ms, and leaves it there', async () => {
    await world.expire(a);
    const { processes } = await look(a);
    expect(processes.find(({ isSelf }) => isSelf)?.expiresInMs).toBe(0);
    expect(await world.count('session')).toBe(3);
  });

  test('has fences that no number can hold', async () => {
    await a.take('s');
    await world.sql(`update %.slot set fence = 9223372036854775807`);
    expect((await look(a)).slots[0]?.fence).toBe(9_223_372_036_854_775_807n);
  });

  test('of a schema without tables says what to do', async () => {
    await world.sql('drop table %.slot cascade');
    await expect(look(undefined)).rejects.toThrow(/run migrate\(pool, .* of slotvisor\/postgres once/);
  });
});
