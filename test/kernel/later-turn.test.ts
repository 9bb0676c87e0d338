import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { LaterTurn } from '../../src/kernel/later-turn.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a job is done once, on the next turn of the event loop, however often it is asked for', async () => {
  const job = vi.fn();
  const later = new LaterTurn(job);
  later.ask();
  later.ask();
  for (let n = 0; n < 100; n += 1) await null; // no number of microtasks is a turn
  expect(job).not.toHaveBeenCalled();
  await turn();
  expect(job).toHaveBeenCalledTimes(1);
  await turn();
  expect(job).toHaveBeenCalledTimes(1);
});

test('a job that asks again, or is asked for later, is done again', async () => {
  let times = 0;
  const later = new LaterTurn(() => {
    times += 1;
    if (times < 3) later.ask();
  });
  later.ask();
  for (let n = 0; n < 5; n += 1) await turn();
  expect(times).toBe(3);
  later.ask();
  await turn();
  expect(times).toBe(4);
});

test('fake timers that are put in later do not hold a job up', async () => {
  const job = vi.fn();
  const later = new LaterTurn(job);
  vi.useFakeTimers({ toFake: ['setImmediate'] });
  later.ask();
  vi.useRealTimers();
  await turn();
  expect(job).toHaveBeenCalledTimes(1);
});
