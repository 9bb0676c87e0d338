import { describe, expect, test } from 'vitest';
import { PriorityQueue, Waiter } from '../../src/kernel/priority-queue.ts';

function queueOf(...priorities: readonly number[]) {
  const queue = new PriorityQueue();
  const waiters = priorities.map((priority) => new Waiter(priority));
  for (const waiter of waiters) queue.enqueue(waiter);
  const rest = () => {
    const order: number[] = [];
    for (let own = queue.dequeue(); own !== undefined; own = queue.dequeue()) order.push(waiters.indexOf(own));
    return order;
  };
  return { queue, waiters, rest };
}

describe('a waiter', () => {
  test('is dequeued by priority, and first in first out within a priority', () => {
    expect(queueOf(0, 5, -1, 5, 0, 2.5).rest()).toEqual([1, 3, 5, 0, 4, 2]);
  });

  test('can be removed from anywhere, once', () => {
    const { queue, waiters, rest } = queueOf(0, 0, 1, 0);
    expect([1, 2].map((n) => queue.remove(waiters[n] as Waiter))).toEqual([true, true]);
    expect(queue.remove(waiters[1] as Waiter)).toBe(false);
    expect(queue.size).toBe(2);
    expect(rest()).toEqual([0, 3]);
  });

  test('is no longer in the queue once it has been dequeued', () => {
    const { queue, waiters } = queueOf(0);
    expect(queue.dequeue()).toBeDefined();
    expect([queue.remove(waiters[0] as Waiter), queue.size, queue.dequeue()]).toEqual([false, 0, undefined]);
  });
});
