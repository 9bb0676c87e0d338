import { describe, expect, test } from 'vitest';
import { PriorityQueue, Waiter } from '../../src/kernel/priority-queue.ts';

const start = () => Promise.resolve();

function linesOf(...priorities: readonly number[]) {
  const lines = new PriorityQueue();
  const waiters = priorities.map((priority) => new Waiter(priority));
  const starts = new Map(priorities.map((_, n) => [() => start(), n]));
  [...starts.keys()].forEach((own, n) => {
    lines.enqueue(own, { waiter: waiters[n] as Waiter });
  });
  const rest = () => {
    const order: (number | undefined)[] = [];
    for (let own = lines.dequeue(); own !== undefined; own = lines.dequeue())
      order.push(starts.get(own as () => Promise<void>));
    return order;
  };
  return { lines, waiters, rest };
}

describe('who waits', () => {
  test('goes by priority, and among equals first in first out', () => {
    expect(linesOf(0, 5, -1, 5, 0, 2.5).rest()).toEqual([1, 3, 5, 0, 4, 2]);
  });

  test('may leave from anywhere, once', () => {
    const { lines, waiters, rest } = linesOf(0, 0, 1, 0);
    expect([1, 2].map((n) => lines.remove(waiters[n] as Waiter))).toEqual([true, true]);
    expect(lines.remove(waiters[1] as Waiter)).toBe(false);
    expect(lines.size).toBe(2);
    expect(rest()).toEqual([0, 3]);
  });

  test('does not wait any more once it has been taken', () => {
    const { lines, waiters } = linesOf(0);
    expect(lines.dequeue()).toBeDefined();
    expect([lines.remove(waiters[0] as Waiter), lines.size, lines.dequeue()]).toEqual([false, 0, undefined]);
  });
});
