import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { LaterTurn } from '../../src/kernel/later-turn.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('all items are handled at once, in their order, on the next turn of the event loop', async () => {
  const handle = vi.fn();
  const later = new LaterTurn<string>(handle);
  later.add('a');
  later.add('b');
  for (let n = 0; n < 100; n += 1) await null; // no number of microtasks is a turn
  expect(handle).not.toHaveBeenCalled();
  await turn();
  expect(handle.mock.calls).toEqual([[['a', 'b']]]);
  await turn();
  expect(handle).toHaveBeenCalledTimes(1);
});

test('an item that is added while others are handled, or later, is handled on a turn of its own', async () => {
  const handled: (readonly number[])[] = [];
  const later = new LaterTurn<number>((items) => {
    handled.push(items);
    if (handled.length < 3) later.add(handled.length);
  });
  later.add(0);
  for (let n = 0; n < 5; n += 1) await turn();
  expect(handled).toEqual([[0], [1], [2]]);
  later.add(7);
  await turn();
  expect(handled.at(-1)).toEqual([7]);
});

test('fake timers that are put in later hold no item up', async () => {
  const handle = vi.fn();
  const later = new LaterTurn<string>(handle);
  vi.useFakeTimers({ toFake: ['setImmediate'] });
  later.add('a');
  vi.useRealTimers();
  await turn();
  expect(handle).toHaveBeenCalledTimes(1);
});
