// The clock of the server is set, or no session beats for a while. The stored times move the other
// way, which is the same to PostgreSQL.

import { beforeEach, describe, expect, test } from 'vitest';
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

/** Lets time pass in which only this session beats. */
async function beatAlone(session: Session, ttls: number): Promise<void> {
  for (let i = 0; i < 6 * ttls; i++) {
    await world.stepClock(TTL_MS / 6);
    await session.beat();
  }
}

describe.each([TTL_MS / 2, 3_600_000])('after %d ms back', (stepMs) => {
  test('no session is removed for one ttl', async () => {
    await a.take('s');
    await world.stepClock(-stepMs);
    await b.beat();
    await beatAlone(b, 5 / 6);
    expect((await a.beat())?.held).toBe(1);
  });

  test('a session that does not beat is removed one ttl later', async () => {
    await a.take('s');
    await world.stepClock(-stepMs);
    await b.beat();
    await beatAlone(b, 8 / 6);
    expect(await a.beat()).toBeNull();
  });

  test('and forward again no session is removed for one ttl', async () => {
    await a.take('s');
    await world.stepClock(-stepMs);
    await b.beat();
    await world.stepClock(stepMs);
    await b.beat();
    await beatAlone(b, 5 / 6);
    expect((await a.beat())?.held).toBe(1);
  });
});

test('processes that live for less than a ttl do not keep the slots of a dead one', async () => {
  await a.take('s');
  const states: string[] = [];
  for (let i = 0; i < 6; i++) {
    await world.stepClock(2 * TTL_MS);
    const c = await world.session(a.store);
    states.push((await c.ask('s', 'try')).state);
    await a.store.end(c.id);
  }
  expect(states).toEqual(['busy', 'busy', 'busy', 'busy', 'granted', 'granted']);
});

test('a step that is long for one session is noticed by those with a longer ttl', async () => {
  const short = await world.session(a.store, TTL_MS / 20);
  await world.stepClock(TTL_MS / 10);
  await b.beat();
  expect(await short.beat()).not.toBeNull();
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

test('a session that has not beaten since the clock jumped is behind those that have', async () => {
  const c = await world.session(a.store);
  const fence = await a.take('s');
  await b.ask('s');
  await c.ask('s');
  await world.stepClock(3_600_000);
  await a.beat();
  await c.beat();
  await a.release('s', fence, true);
  expect([await b.holds('s'), await c.holds('s')]).toEqual([undefined, expect.any(BigInt)]);
});
