import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { Queue } from '../../src/kernel/queue.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const numbered = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));

function rest(line: Queue<{ n: number }>): number[] {
  const order: number[] = [];
  for (let one = line.take(); one !== undefined; one = line.take()) order.push(one.n);
  return order;
}

test('what came first goes first, however many wait and whenever more come', () => {
  const line = new Queue<{ n: number }>();
  const items = numbered(5_000);
  const taken: number[] = [];
  for (const [at, item] of items.entries()) {
    line.push(item);
    // Two of three stay: the line grows, is moved up on the way, and is emptied in the end.
    if (at % 3 === 2) taken.push((line.take() as { n: number }).n);
  }
  expect(line.size).toBe(items.length - taken.length);
  expect([...taken, ...rest(line)]).toEqual(items.map(({ n }) => n));
  expect([line.size, line.take()]).toEqual([0, undefined]);
});

test('a line that was emptied, or cleared with many in it, begins anew', () => {
  for (const count of [1, 256, 257, 1_000]) {
    const line = new Queue<{ n: number }>();
    for (const item of numbered(count)) line.push(item);
    line.take();
    line.clear();
    expect([line.take(), line.take(), line.size]).toEqual([undefined, undefined, 0]);
    for (const item of numbered(3)) line.push(item);
    expect(rest(line)).toEqual([0, 1, 2]);
  }
});

test('taking from a long line does not move the whole of it each time', () => {
  const line = new Queue<{ n: number }>();
  for (const item of numbered(100_000)) line.push(item);
  const slice = vi.spyOn(Array.prototype, 'slice');
  while (line.size > 0) line.take();
  const moved = slice.mock.results.reduce((sum, { value }) => sum + value.length, 0);
  slice.mockRestore();
  expect(moved).toBeGreaterThan(0);
  expect(moved).toBeLessThanOrEqual(100_000);
});

test('what was taken is let go at once, though others wait behind it', async () => {
  const line = new Queue<object>();
  const taken = Array.from({ length: 100 }, () => {
    const item = {};
    line.push(item);
    return new WeakRef(item);
  });
  line.push({});
  while (line.size > 1) line.take();
  await new Promise(setImmediate); // a WeakRef holds what it was made for until the turn ends
  gc();
  expect(taken.filter((ref) => ref.deref() !== undefined)).toEqual([]);
});
