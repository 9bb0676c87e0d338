// The calls that a look at the fleet makes, by a Redis that answers as a test says.

import { VirtualClock } from 'slotvisor/testing';
import { expect, test } from 'vitest';
import type { Port } from '../../../src/ext/redis/client.ts';
import { RedisStore } from '../../../src/ext/redis/store.ts';

const ALL = { q: '', limit: 200, lineLimit: 20 };

/** A store, and the calls that it makes: each one waits until it is answered. */
function storeOver(clock = new VirtualClock()) {
  const calls: { readonly call: string; readonly answer: (reply: unknown) => void }[] = [];
  const port: Port = {
    send: (command, args) =>
      new Promise((answer) =>
        calls.push({ call: (command === 'EVALSHA' ? args.slice(4) : [command, ...args]).join(' '), answer }),
      ),
    dial: () => expect.unreachable('a look needs no connection of its own'),
  };
  const settings = { ttlMs: 6_000, prefix: 'p', quarantine: false, allowEviction: false, clock };
  /** Answers the call that waits, which must be this one. */
  const answer = async (call: string, reply: unknown): Promise<void> => {
    await clock.settle();
    const next = calls.shift();
    expect(next?.call).toBe(call);
    next?.answer(reply);
  };
  return { store: new RedisStore(port, settings), calls, clock, answer };
}

const session = (id: string, held: number) => [id, 'other', 'host:1', held, 0, '9'];

async function answerSessions(answer: ReturnType<typeof storeOver>['answer'], ids: readonly string[], held: number) {
  await answer('ZRANGE {p}:sessions 0 -1', ids);
  await answer('SMEMBERS {p}:dead', []);
  await answer(
    `sessions  ${ids.join(' ')}`,
    ids.map((id) => session(id, held)),
  );
}

test('a look reads the sessions, scans those that hold slots page by page, and then the slots that it shows', async () => {
  const { store, answer } = storeOver();
  const looking = store.look('me', { q: 'a[*]?\\b', limit: 1, lineLimit: 20 });
  const scan = (at: number) => `SSCAN {p}:owns:x ${at} MATCH *a\\[\\*]\\?\\\\b* COUNT 500`;
  await answer('ZRANGE {p}:sessions 0 -1', ['x', 'idle']);
  await answer('SMEMBERS {p}:dead', ['gone', 'x']);
  await answer('sessions me x idle gone', [session('x', 2), session('idle', 0), ['gone', 'dead', '', 0, 0, '0']]);
  await answer(scan(0), ['17', ['b', 'a']]);
  await answer(scan(17), ['0', ['a', Buffer.from('c')]]);
  await answer('show me 20 a', [['a', '7', 'theirs', 'host:1', 1, 'host:2']]);
  const slot = { slot: 'a', holder: 'host:1', isOurs: false, fence: 7n, line: ['host:2'], waiting: 1 };
  expect(await looking).toMatchObject({ slots: [slot], more: true, processes: [{ held: 2 }, { held: 0 }] });
});

test('a look shows 50 slots by a script, however many it shows', async () => {
  const { store, calls, answer } = storeOver();
  const names = Array.from({ length: 120 }, (_, i) => `${i + 1_000}`);
  const looking = store.look(undefined, ALL);
  await answerSessions(answer, ['x'], 120);
  await answer('SSCAN {p}:owns:x 0 MATCH ** COUNT 500', ['0', names]);
  for (const at of [0, 50, 100]) await answer(`show  20 ${names.slice(at, at + 50).join(' ')}`, []);
  await looking;
  expect(calls).toEqual([]);
});

test('a look scans 8 sessions at once, as other clients wait for all that are under way', async () => {
  const { store, calls, clock, answer } = storeOver();
  const looking = store.look(undefined, ALL);
  const ids = Array.from({ length: 12 }, (_, i) => `${i}`);
  await answerSessions(answer, ids, 1);
  await clock.settle();
  expect(calls.length).toBe(8);
  for (const one of calls.splice(0)) one.answer(['0', []]);
  await clock.settle();
  expect(calls.length).toBe(4);
  for (const one of calls.splice(0)) one.answer(['0', []]);
  await looking;
});

test('a look reads 200 sessions by a script, however many there are', async () => {
  const { store, calls, answer } = storeOver();
  const looking = store.look(undefined, ALL);
  const ids = Array.from({ length: 450 }, (_, i) => `${i}`);
  await answer('ZRANGE {p}:sessions 0 -1', ids);
  await answer('SMEMBERS {p}:dead', []);
  for (const at of [0, 200, 400]) {
    const some = ids.slice(at, at + 200);
    await answer(
      `sessions  ${some.join(' ')}`,
      some.map((id) => session(id, 0)),
    );
  }
  expect((await looking).processes).toHaveLength(450);
  expect(calls).toEqual([]);
});

test('a look has one ttl for all of its calls, and makes none after that', async () => {
  const { store, calls, clock, answer } = storeOver();
  const rejected = store.look(undefined, ALL).catch((error: Error) => error.message);
  await clock.advance(4_000);
  await answerSessions(answer, ['x'], 2);
  await clock.advance(2_000);
  expect(await rejected).toBe('Redis has not answered within 6000 ms (look)');
  await answer('SSCAN {p}:owns:x 0 MATCH ** COUNT 500', ['17', []]);
  await clock.settle();
  expect([calls, clock.timers]).toEqual([[], 0]);
});
