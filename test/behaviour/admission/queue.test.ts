// The order of the queue of one slot.

import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { orderedSlot } from '../../support/owned-slot.ts';
import { setup } from '../../support/setup.ts';

describe('the queue of a slot', () => {
  test('queued submissions start in the order given, one at a time (S1, S4)', async () => {
    const { supervisor, clock } = setup();
    const order: number[] = [];
    const gate = gateBody();
    const submissions = [1, 2, 3].map((n) =>
      supervisor.submit({ slot: 's', run: (ctx) => [order.push(n), gate.body(ctx)][1] }),
    );
    expect(submissions.map(({ admission }) => admission)).toEqual(['started', 'queued', 'queued']);
    for (const n of [1, 2, 3]) {
      await clock.settle();
      expect(gate.alive).toBe(1);
      expect(order).toHaveLength(n);
      gate.open(`value ${n}`);
    }
    expect(await Promise.all(submissions.map((one) => one.value()))).toEqual(['value 1', 'value 2', 'value 3']);
    expect(order).toEqual([1, 2, 3]);
  });

  test('a waiting replacement starts before the queue, and the order of the queue does not change (S4)', async () => {
    const { clock, supervisor, owner, add, order } = await orderedSlot();
    const queue = [add('a'), add('b')];
    const next = add('next', 'replace');
    queue.push(add('c', 'keepLatest'));
    const { queued } = supervisor.slot('s').view();
    expect(queued.map(({ name, status }) => [name, status])).toEqual(
      ['next', 'a', 'b', 'c'].map((name) => [name, 'queued']),
    );
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['next', 'a', 'b', 'c']);
    for (const one of [...queue, next]) expect((await one.outcome).kind).toBe('completed');
  });

  test('a canceled waiting submission never calls its body, and the order of the others does not change', async () => {
    const { clock, owner, add, order, supervisor } = await orderedSlot();
    const queue = Array.from({ length: 7 }, (_, n) => add(`q${n}`));
    const next = add('next', 'replace');
    for (const one of [queue[0], queue[3], queue[6], next])
      expect(await one?.cancel('not needed')).toEqual({ kind: 'rejected', reason: 'canceled' });
    expect(supervisor.snapshot().queued).toBe(4);
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['q1', 'q2', 'q4', 'q5']);
  });

  test('a slot with an overrunning owner does not delay another slot (S9)', async () => {
    const { supervisor, first, clock } = await orderedSlot();
    void first.cancel();
    await clock.advance(100_000);
    expect(await supervisor.submit({ slot: 'other', run: () => 'at once' }).value()).toBe('at once');
    expect(first.status).toBe('overrun');
  });
});
