import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { TurnQueue } from '../../src/kernel/turn-queue.ts';
import { watchEscapes } from '../support/must-not-escape.ts';

const microtask = () => new Promise<void>((resolve) => queueMicrotask(resolve));

afterEach(() => {
  vi.restoreAllMocks();
});

test('no turn is taken within push, and one microtask later all turns have been taken, in order', async () => {
  const queue = new TurnQueue();
  const ran: number[] = [];
  for (let n = 0; n < 5; n += 1) queue.push({ onTurn: () => ran.push(n) });
  expect(ran).toEqual([]);
  await microtask();
  expect(ran).toEqual([0, 1, 2, 3, 4]);
});

test('a turn ends before the next one begins, and a turn taker that it pushes waits behind the others', async () => {
  const queue = new TurnQueue();
  const log: string[] = [];
  queue.push({
    onTurn: () => {
      log.push('first begins');
      queue.push({ onTurn: () => log.push('pushed by first') });
      log.push('first ends');
    },
  });
  queue.push({ onTurn: () => log.push('second') });
  await microtask();
  expect(log).toEqual(['first begins', 'first ends', 'second', 'pushed by first']);
});

test('the event loop gets a turn after every 256 turn takers', async () => {
  const queue = new TurnQueue();
  const ran: number[] = [];
  for (let n = 0; n < 600; n += 1) queue.push({ onTurn: () => ran.push(n) });
  const seen: number[] = [];
  for (let turns = 0; turns < 3; turns += 1) {
    await turn();
    seen.push(ran.length);
  }
  expect(seen).toEqual([256, 512, 600]);
  expect(ran).toEqual(Array.from({ length: 600 }, (_, n) => n));
});

test('turn takers that push each other do not block the event loop', async () => {
  const queue = new TurnQueue();
  let ran = 0;
  const taker = {
    onTurn: () => {
      ran += 1;
      if (ran < 2_000) queue.push(taker);
    },
  };
  queue.push(taker);
  let turns = 0;
  for (; ran < 2_000; turns += 1) await turn();
  expect(turns).toBeGreaterThanOrEqual(Math.floor(2_000 / 256));
  expect(ran).toBe(2_000);
});

test('a turn taker that is pushed while the event loop has its turn waits for that turn, and goes last', async () => {
  const queue = new TurnQueue();
  const ran: number[] = [];
  for (let n = 0; n < 257; n += 1) queue.push({ onTurn: () => ran.push(n) });
  await microtask();
  queue.push({ onTurn: () => ran.push(-1) });
  await microtask();
  expect(ran).toHaveLength(256);
  await turn();
  await turn();
  expect(ran.slice(256)).toEqual([256, -1]);
});

test('an error of a turn taker is an unhandled rejection, and the others take their turns', async () => {
  const watch = watchEscapes();
  const queue = new TurnQueue();
  const ran: string[] = [];
  queue.push({ onTurn: () => ran.push('before') });
  queue.push({
    onTurn: () => {
      throw new Error('boom');
    },
  });
  queue.push({ onTurn: () => ran.push('after') });
  await turn();
  expect(await watch.stop()).toEqual(['unhandledRejection']);
  expect(ran).toEqual(['before', 'after']);
});
