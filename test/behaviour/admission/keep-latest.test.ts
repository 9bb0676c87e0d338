// The admission policy `keepLatest`.

import { describe, expect, test } from 'vitest';
import { ON_FULL } from '../../../src/model/slot-options.ts';
import { rejected } from '../../support/outcomes.ts';
import { orderedSlot } from '../../support/owned-slot.ts';

describe('admission keepLatest', () => {
  test('a new keepLatest takes the place of the waiting keepLatest, not the end of the queue', async () => {
    const { clock, owner, add, order } = await orderedSlot({ queueLimit: 3 });
    const waiting = [add('a'), add('k1', 'keepLatest'), add('b')];
    const k2 = add('k2', 'keepLatest'); // the queue is full: it takes a place and adds none
    const k3 = add('k3', 'keepLatest');
    expect([k2.admission, k3.admission]).toEqual(['queued', 'queued']);
    expect(await waiting[1]?.outcome).toEqual(rejected('superseded', k2));
    expect(await k2.outcome).toEqual(rejected('superseded', k3));
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['a', 'k3', 'b']);
  });

  test.each(ON_FULL)('the first waiting keepLatest counts towards queueLimit, with onFull %s', async (onFull) => {
    const { owner, clock, add, order } = await orderedSlot({ queueLimit: 1, onFull });
    const [a, k] = [add('a'), add('k', 'keepLatest')];
    const full = { kind: 'rejected', reason: 'queueFull' };
    expect(await (onFull === 'reject' ? k : a).outcome).toEqual(onFull === 'reject' ? full : { ...full, by: k.id });
    owner.open('old');
    await clock.settle();
    expect(order).toEqual([onFull === 'reject' ? 'a' : 'k']);
  });

  test('a canceled keepLatest gives up its place, and the next keepLatest goes to the end of the queue', async () => {
    const { clock, owner, add, order } = await orderedSlot();
    const [k1] = [add('k1', 'keepLatest'), add('a')];
    expect(await k1?.cancel()).toEqual({ kind: 'rejected', reason: 'canceled' });
    add('k2', 'keepLatest');
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['a', 'k2']);
  });
});
