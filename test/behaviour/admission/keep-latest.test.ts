// The admission policy `keepLatest`.

import { describe, expect, test } from 'vitest';
import { ON_FULL } from '../../../src/model/slot-options.ts';
import { polite } from '../../support/bodies.ts';
import { rejected } from '../../support/outcomes.ts';
import { orderedSlot } from '../../support/owned-slot.ts';
import { setup } from '../../support/setup.ts';

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

  test('a newer replace supersedes the waiting keepLatest before it takes its place', async () => {
    const { clock, owner, add, order, recorded } = await orderedSlot({ queueLimit: 2 });
    const [a, latest] = [add('a'), add('k', 'keepLatest')];
    const next = add('next', 'replace');
    expect(await latest.outcome).toEqual(rejected('superseded', next));
    expect(add('b').admission).toBe('queued'); // its place in the queue is free
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['next', 'a', 'b']);
    expect(a.status).toBe('ended');
    const about = recorded.events.filter(({ type }) => type === 'rejected' || type === 'stopRequested');
    expect(about.map(({ type }) => type)).toEqual(['rejected', 'stopRequested']);
  });

  test('a newer replace supersedes the replacement and the keepLatest behind it, the replacement first', async () => {
    const { clock, owner, add, order, recorded } = await orderedSlot();
    const old = [add('r1', 'replace'), add('k', 'keepLatest')];
    const next = add('r2', 'replace');
    for (const one of old) expect(await one.outcome).toEqual(rejected('superseded', next));
    await clock.settle();
    expect(recorded.of('rejected').map(({ id }) => id)).toEqual(old.map(({ id }) => id));
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['r2']);
  });

  test('a keepLatest that comes after a waiting replacement waits behind it', async () => {
    const { clock, owner, add, order } = await orderedSlot();
    const [next, latest] = [add('next', 'replace'), add('k', 'keepLatest')];
    expect([next.status, latest.status]).toEqual(['queued', 'queued']);
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['next', 'k']);
  });

  test('a replace in a paused slot supersedes the keepLatest that waits there', async () => {
    const { supervisor, clock } = setup();
    const slot = supervisor.slot('s');
    slot.pause();
    const latest = slot.submit({ admission: 'keepLatest', run: () => 'old' });
    const next = slot.submit({ admission: 'replace', run: () => 'new' });
    expect(await latest.outcome).toEqual(rejected('superseded', next));
    slot.resume();
    expect(await next.value()).toBe('new');
    await clock.settle();
  });

  test('a replace is admitted past limits.pending where it supersedes a keepLatest, and nothing else is dropped', async () => {
    const { supervisor, clock } = setup({ limits: { pending: 1 } });
    const slot = supervisor.slot('s');
    slot.submit({ run: polite });
    await clock.settle();
    const latest = slot.submit({ admission: 'keepLatest', run: () => 'old' });
    const next = slot.submit({ admission: 'replace', run: () => 'new' });
    expect(await latest.outcome).toEqual(rejected('superseded', next));
    expect(await next.value()).toBe('new');
  });
});
