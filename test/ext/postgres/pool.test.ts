import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { type PgPool, runOn } from '../../../src/ext/postgres/pool.ts';
import { FakePool, gate } from './fake-pool.ts';

const never = () => new Promise<never>(() => {});

function world() {
  const clock = new VirtualClock();
  const pool = new FakePool();
  return { clock, pool, run: () => runOn(pool, clock, 1_000, { text: 'select 1' }) };
}

describe('a statement on a client of the pool', () => {
  test('has its rows, and the client goes back whole, without a listener', async () => {
    const { clock, pool, run } = world();
    expect(await run()).toEqual([{ one: 1 }]);
    expect([pool.client(0).released, pool.client(0).listenerCount('error'), clock.timers]).toEqual([['whole'], 0, 0]);
  });

  test('that fails has its error, and the client is not used again', async () => {
    const { clock, pool, run } = world();
    const error = new Error('no such table');
    pool.answer = () => Promise.reject(error);
    await expect(run()).rejects.toBe(error);
    expect([pool.client(0).released, clock.timers]).toEqual([['destroyed'], 0]);
  });

  test('on a connection that breaks in the turn in which it comes fails, and does not end the process', async () => {
    const { pool } = world();
    const breaking: PgPool = {
      connect: (callback) =>
        pool.connect((error, client) => {
          callback(error, client);
          pool.client(0).emit('error', new Error('terminated by an administrator'));
        }),
    };
    pool.answer = () => Promise.reject(new Error('not queryable'));
    await expect(runOn(breaking, new VirtualClock(), 1_000, { text: 'select 1' })).rejects.toThrow('not queryable');
  });

  test('that is not answered in time fails, and the client is not used again', async () => {
    const { clock, pool, run } = world();
    pool.answer = never;
    const running = expect(run()).rejects.toThrow('PostgreSQL, or the pool, has not answered within 1000 ms');
    await clock.advance(1_000);
    await running;
    expect([pool.client(0).released, clock.timers]).toEqual([['destroyed'], 0]);
  });

  test('fails in time where the pool has no client, and one that comes later goes back whole', async () => {
    const { clock, pool, run } = world();
    const { pass, open } = gate();
    pool.dial = pass;
    const running = expect(run()).rejects.toThrow('has not answered within 1000 ms');
    await clock.advance(1_000);
    await running;
    open();
    await clock.advance(0);
    expect(pool.client(0).released).toEqual(['whole']);
  });

  test('has one limit for the client and the answer together', async () => {
    const { clock, pool, run } = world();
    const { pass, open } = gate();
    pool.dial = pass;
    pool.answer = never;
    const running = expect(run()).rejects.toThrow('has not answered');
    await clock.advance(600);
    open();
    await clock.advance(400);
    await running;
    expect(pool.client(0).released).toEqual(['destroyed']);
  });

  test('hears an error of its client, which would end the process otherwise', async () => {
    const { pool, run, clock } = world();
    pool.answer = never;
    const running = expect(run()).rejects.toThrow();
    await clock.advance(0);
    pool.client(0).emit('error', new Error('broken'));
    await clock.advance(1_000);
    await running;
  });

  test.each([
    [
      'has no client',
      { connect: (callback: (error: undefined, client: undefined) => void) => callback(undefined, undefined) },
    ],
    ['answers with a promise', { connect: () => Promise.resolve({}) }],
  ])('is refused where the pool %s, as with a client in its place', async (_, pool) => {
    const { clock } = world();
    await expect(runOn(pool as PgPool, clock, 1_000, { text: 'select 1' })).rejects.toThrow(
      /^pool must be a Pool of pg, whose connect gives a client to a callback, got an object/,
    );
    expect(clock.timers).toBe(0);
  });

  test('fails with what the pool throws', async () => {
    const { run, pool, clock } = world();
    pool.dial = () => Promise.reject(new Error('ended'));
    await expect(run()).rejects.toThrow('ended');
    expect(clock.timers).toBe(0);
  });
});
