// How a lease is kept, handed over and released.

import { describe, expect, test } from 'vitest';
import { expectAtRest, grantingSlot, owned } from '../../support/leased-slot.ts';

describe('a held lease', () => {
  test('a lease is kept from owner to owner, and released once when the slot becomes idle (S6)', async () => {
    const made = grantingSlot();
    const { clock, store, gate, put } = made;
    const three = [put(), put(), put()];
    for (const _ of three) {
      await clock.settle();
      expect(store.calls).toEqual(['acquire s']);
      gate.open('next');
    }
    await Promise.all(three.map((one) => one.outcome));
    expect(gate.calls.map(({ fence }) => fence)).toEqual([1n, 1n, 1n]);
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'release s 1']);
    await expectAtRest(made);
  });

  test('a lease is released at the proof of end, not at a stop request, a backoff or an overrun', async () => {
    const { clock, store, gate, owner } = await owned({
      restart: 'onFailure',
      backoff: { firstMs: 10, jitter: 'none' },
    });
    gate.fail(new Error('again'));
    await clock.settle();
    expect(owner.status).toBe('backoff');
    expect(store.releases).toBe(0);
    await clock.advance(10);
    void owner.cancel();
    await clock.advance(1_000);
    expect(owner.status).toBe('overrun');
    expect(store.releases).toBe(0);
    gate.open('at last');
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'release s 1']);
  });

  test('ctx.fence and the started event have a higher fence with each new lease', async () => {
    const { clock, store, gate, put, recorded } = grantingSlot();
    for (let n = 0; n < 3; n += 1) {
      put();
      await clock.settle();
      gate.open('next');
      await clock.settle();
    }
    expect(store.acquires).toBe(3);
    expect(gate.calls.map(({ fence }) => fence)).toEqual([1n, 2n, 3n]);
    expect(recorded.of('started').map(({ fence }) => fence)).toEqual([1n, 2n, 3n]);
  });

  test('every attempt of one owner has the same fence', async () => {
    const { clock, gate } = await owned({ restart: 'onFailure', backoff: { firstMs: 10, jitter: 'none' } });
    gate.fail(new Error('again'));
    await clock.advance(10);
    expect(gate.calls.map(({ fence }) => fence)).toEqual([1n, 1n]);
  });

  test('a paused slot releases its lease when its owner ends', async () => {
    const { supervisor, clock, store, gate, put } = await owned();
    const waiting = put();
    supervisor.slot('s').pause();
    gate.open('end');
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'release s 1']);
    supervisor.slot('s').resume();
    await clock.settle();
    expect(waiting.status).toBe('running');
  });

  for (const [contended, calls, fences] of [
    [true, ['acquire s', 'release s 1', 'acquire s'], [1n, 2n]],
    [false, ['acquire s'], [1n, 1n]],
  ] as const)
    test(`between two owners a lease with contended ${contended} is ${contended ? 'released and requested again' : 'kept'}`, async () => {
      const { clock, store, gate, put } = await owned();
      const second = put();
      store.lease.contended = contended;
      await clock.settle();
      expect(store.calls).toEqual(['acquire s']); // read when an owner ends, not before
      gate.open('end');
      await clock.settle();
      expect(store.calls).toEqual(calls);
      expect(second.status).toBe('running');
      expect(gate.calls.map(({ fence }) => fence)).toEqual(fences);
    });

  test('the queue keeps its order while a contended lease is released and requested again (S4)', async () => {
    const { clock, store, gate, put } = await owned();
    const second = put();
    store.lease.contended = true;
    store.respond = () => undefined;
    gate.open('end');
    await clock.settle();
    const third = put();
    expect([second.status, third.status]).toEqual(['queued', 'queued']);
    store.ask.grant();
    await clock.settle();
    expect([second.status, third.status]).toEqual(['running', 'queued']);
  });

  test('a lost lease of one slot does not affect another slot (S9)', async () => {
    const { clock, store, gate, put } = await owned();
    const other = put({ slot: 'other' });
    await clock.settle();
    store.held('s')?.lose();
    await clock.settle();
    expect(gate.calls.map(({ canceled }) => canceled)).toEqual([true, false]);
    expect(other.status).toBe('running');
  });
});
