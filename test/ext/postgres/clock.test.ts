// The clock of the server is set, or no session beats for a while. The stored times move the other
// way, which is the same to PostgreSQL.

import { beforeEach, expect, test } from 'vitest';
import { type Session, TTL_MS, World } from './world.ts';

let world: World;
let a: Session;
let b: Session;

beforeEach(async () => {
  world = await World.start();
  const store = world.store();
  [a, b] = [await world.session(store), await world.session(store)];
});

test.each([TTL_MS / 2, TTL_MS, 3_600_000, 10 * 365 * 86_400_000])(
  'after %d ms in one step no session is removed for one ttl, so that the living beat first',
  async (stepMs) => {
    const fence = await a.take('s');
    await b.ask('s');
    await world.stepClock(stepMs);
    expect((await b.beat('s'))?.news).toEqual([]);
    expect((await a.beat())?.held).toBe(1);
    expect([await a.holds('s'), await b.holds('s')]).toEqual([fence, undefined]);
  },
);

test.each([TTL_MS / 2, 3_600_000])('after %d ms back no session is removed for one ttl', async (stepMs) => {
  await a.take('s');
  await world.stepClock(-stepMs);
  await b.beat();
  await world.expire(a);
  await b.beat();
  expect((await a.beat())?.held).toBe(1);
});

test('who has not beaten within that ttl is removed', async () => {
  await a.take('s');
  await world.stepClock(3_600_000);
  await b.beat();
  for (let i = 0; i < 8; i++) {
    await world.stepClock(TTL_MS / 6);
    await b.beat();
  }
  expect([await a.beat(), await world.count('slot')]).toEqual([null, 0]);
});

test('a quiet time ends with the longest ttl of all sessions', async () => {
  const long = await world.session(a.store, 4 * TTL_MS);
  await world.stepClock(3_600_000);
  await a.beat();
  for (let i = 0; i < 12; i++) {
    await world.stepClock(TTL_MS / 6);
    await a.beat();
  }
  expect(await long.beat()).not.toBeNull();
});

test('steady beats leave the clock calm, and an expired session is removed', async () => {
  await a.take('s');
  for (let i = 0; i < 7; i++) {
    await world.stepClock(TTL_MS / 6);
    await b.beat();
  }
  expect(await a.beat()).toBeNull();
});

test('a session that opens after a quiet time begins the ttl in which no session is removed', async () => {
  await a.take('s');
  await world.stepClock(3_600_000);
  const c = await world.session(a.store);
  await c.beat();
  expect((await a.beat())?.held).toBe(1);
});
