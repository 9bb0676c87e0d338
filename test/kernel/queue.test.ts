import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { Queue } from '../../src/kernel/queue.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const numbered = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));

function rest(queue: Queue<{ n: number }>): number[] {
  const order: number[] = [];
  for (let one = queue.take(); one !== undefined; one = queue.take()) order.push(one.n);
  return order;
}

test('a queue is first in first out, however many items wait and whenever more are pushed', () => {
  const queue = new Queue<{ n: number }>();
  const items = numbered(5_000);
  const taken: number[] = [];
  for (const [at, item] of items.entries()) {
    queue.push(item);
    // Two of three items stay. The queue grows, moves its items, and is emptied in the end.
    if (at % 3 === 2) taken.push((queue.take() as { n: number }).n);
  }
  expect(queue.size).toBe(items.length - taken.length);
  expect([...taken, ...rest(queue)]).toEqual(items.map(({ n }) => n));
  expect([queue.size, queue.take()]).toEqual([0, undefined]);
});

test('a queue can be used again after it was emptied or cleared', () => {
  for (const count of [1, 256, 257, 1_000]) {
    const queue = new Queue<{ n: number }>();
    for (const item of numbered(count)) queue.push(item);
    queue.take();
    queue.clear();
    expect([queue.take(), queue.take(), queue.size]).toEqual([undefined, undefined, 0]);
    for (const item of numbered(3)) queue.push(item);
    expect(rest(queue)).toEqual([0, 1, 2]);
  }
});

test('taking from a long queue does not move all its items each time', () => {
  const queue = new Queue<{ n: number }>();
  for (const item of numbered(100_000)) queue.push(item);
  const slice = vi.spyOn(Array.prototype, 'slice');
  while (queue.size > 0) queue.take();
  const moved = slice.mock.results.reduce((sum, { value }) => sum + value.length, 0);
  slice.mockRestore();
  expect(moved).toBeGreaterThan(0);
  expect(moved).toBeLessThanOrEqual(100_000);
});

test('a taken item is released at once, also while other items wait behind it', async () => {
  const queue = new Queue<object>();
  const taken = Array.from({ length: 100 }, () => {
    const item = {};
    queue.push(item);
    return new WeakRef(item);
  });
  queue.push({});
  while (queue.size > 1) queue.take();
  await new Promise(setImmediate); // a WeakRef keeps its target alive until the turn ends
  gc();
  expect(taken.filter((ref) => ref.deref() !== undefined)).toEqual([]);
});
