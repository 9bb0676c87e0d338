import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { TurnQueue } from '../../src/kernel/turn-queue.ts';
import { watchEscapes } from '../support/must-not-escape.ts';

const microtask = () => new Promise<void>((resolve) => queueMicrotask(resolve));

afterEach(() => {
  vi.restoreAllMocks();
});

test('nothing runs within push; a microtask later everything has run, in order', async () => {
  const pump = new TurnQueue();
  const ran: number[] = [];
  for (let n = 0; n < 5; n += 1) pump.push({ onTurn: () => ran.push(n) });
  expect(ran).toEqual([]);
  await microtask();
  expect(ran).toEqual([0, 1, 2, 3, 4]);
});

test('a job runs to its end before the next one: what it pushes goes behind what waits', async () => {
  const pump = new TurnQueue();
  const log: string[] = [];
  pump.push({
    onTurn: () => {
      log.push('first begins');
      pump.push({ onTurn: () => log.push('pushed by first') });
      log.push('first ends');
    },
  });
  pump.push({ onTurn: () => log.push('second') });
  await microtask();
  expect(log).toEqual(['first begins', 'first ends', 'second', 'pushed by first']);
});

test('the event loop gets its turn after every 256 jobs of a burst', async () => {
  const pump = new TurnQueue();
  const ran: number[] = [];
  for (let n = 0; n < 600; n += 1) pump.push({ onTurn: () => ran.push(n) });
  const seen: number[] = [];
  for (let turns = 0; turns < 3; turns += 1) {
    await turn();
    seen.push(ran.length);
  }
  expect(seen).toEqual([256, 512, 600]);
  expect(ran).toEqual(Array.from({ length: 600 }, (_, n) => n));
});

test('jobs that push the next one cannot keep the event loop for themselves', async () => {
  const pump = new TurnQueue();
  let ran = 0;
  const job = {
    onTurn: () => {
      ran += 1;
      if (ran < 2_000) pump.push(job);
    },
  };
  pump.push(job);
  let turns = 0;
  for (; ran < 2_000; turns += 1) await turn();
  expect(turns).toBeGreaterThanOrEqual(Math.floor(2_000 / 256));
  expect(ran).toBe(2_000);
});

test('a job pushed while the loop has its turn waits for it too, and goes last', async () => {
  const pump = new TurnQueue();
  const ran: number[] = [];
  for (let n = 0; n < 257; n += 1) pump.push({ onTurn: () => ran.push(n) });
  await microtask();
  pump.push({ onTurn: () => ran.push(-1) });
  await microtask();
  expect(ran).toHaveLength(256);
  await turn();
  await turn();
  expect(ran.slice(256)).toEqual([256, -1]);
});

test('a job that throws is the platform’s to report; the rest runs on a turn of its own', async () => {
  const watch = watchEscapes();
  const pump = new TurnQueue();
  const ran: string[] = [];
  pump.push({ onTurn: () => ran.push('before') });
  pump.push({
    onTurn: () => {
      throw new Error('boom');
    },
  });
  pump.push({ onTurn: () => ran.push('after') });
  await turn();
  expect(await watch.stop()).toEqual(['unhandledRejection']);
  expect(ran).toEqual(['before', 'after']);
});
