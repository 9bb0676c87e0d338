// admission: keepLatest.

import type { Outcome, Submission } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { orderedSlot } from '../../support/owned-slot.ts';

const superseded = (by: Submission): Outcome => ({ kind: 'rejected', reason: 'superseded', by: by.id });

describe('admission keepLatest', () => {
  test('keepLatest takes the place of the waiting keepLatest, not the end of the line', async () => {
    const { clock, owner, add, order } = await orderedSlot({ queueLimit: 3 });
    const waiting = [add('a'), add('k1', 'keepLatest'), add('b')];
    const k2 = add('k2', 'keepLatest'); // the line is full: a place is taken, none is added
    const k3 = add('k3', 'keepLatest');
    expect([k2.admission, k3.admission]).toEqual(['queued', 'queued']);
    expect(await waiting[1]?.outcome).toEqual(superseded(k2));
    expect(await k2.outcome).toEqual(superseded(k3));
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['a', 'k3', 'b']);
  });

  test.each(['reject', 'dropOldest'] as const)(
    'the first waiting keepLatest counts to the limit (%s)',
    async (onFull) => {
      const { owner, clock, add, order } = await orderedSlot({ queueLimit: 1, onFull });
      const [a, k] = [add('a'), add('k', 'keepLatest')];
      const full = { kind: 'rejected', reason: 'queueFull' };
      expect(await (onFull === 'reject' ? k : a).outcome).toEqual(onFull === 'reject' ? full : { ...full, by: k.id });
      owner.open('old');
      await clock.settle();
      expect(order).toEqual([onFull === 'reject' ? 'a' : 'k']);
    },
  );

  test('a canceled keepLatest leaves its place: the next one joins the end of the line', async () => {
    const { clock, owner, add, order } = await orderedSlot();
    const [k1] = [add('k1', 'keepLatest'), add('a')];
    expect(await k1?.cancel()).toEqual({ kind: 'rejected', reason: 'canceled' });
    add('k2', 'keepLatest');
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['a', 'k2']);
  });
});
