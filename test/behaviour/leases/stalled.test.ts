// A store that does not answer for its ttlMs: the event leaseStalled.

import { describe, expect, test } from 'vitest';
import { never } from '../../support/bodies.ts';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { leasedSlot } from '../../support/leased-slot.ts';
import { setup } from '../../support/setup.ts';

const TTL = 30_000; // the default

describe('leaseStalled', () => {
  test('is published once for a canceled request that is not answered', async () => {
    const { clock, recorded, store, put } = leasedSlot();
    const submission = put();
    await clock.advance(100_000);
    expect(recorded.of('leaseStalled')).toEqual([]); // a request that waits is no stall
    void submission.cancel();
    await clock.advance(TTL - 1);
    expect(recorded.of('leaseStalled')).toEqual([]);
    put(); // waits for the answer, too
    await clock.advance(500_000);
    expect(recorded.of('leaseStalled')).toMatchObject([{ slot: 's', what: 'acquire', sinceMs: TTL }]);
    expect([store.acquires, clock.timers]).toEqual([1, 0]);
  });

  test('is published once for a release that is not answered', async () => {
    const store = FakeLeaseStore.granting();
    store.onRelease = never;
    const { clock, recorded, put, gate } = leasedSlot(store);
    put();
    await clock.settle();
    gate.open('end');
    await clock.advance(500_000);
    expect(recorded.of('leaseStalled')).toMatchObject([{ slot: 's', what: 'release', sinceMs: TTL }]);
    expect(clock.timers).toBe(0);
  });

  test('is published for the release of a body that was given up, too', async () => {
    const store = FakeLeaseStore.granting();
    store.givesUpBodies = true;
    store.onRelease = never;
    const { clock, recorded, put, gate } = leasedSlot(store);
    const owner = put({ onOverrun: 'abandon' });
    await clock.settle();
    void owner.cancel();
    await clock.advance(100);
    gate.open('at last');
    await clock.advance(TTL);
    expect(recorded.of('leaseStalled')).toMatchObject([{ what: 'release' }]);
  });

  test('is not published for a canceled request that the store was not asked, since it waits for a release', async () => {
    const store = FakeLeaseStore.granting();
    store.onRelease = never;
    const { clock, recorded, put, gate } = leasedSlot(store);
    put();
    await clock.settle();
    gate.open('end');
    await clock.settle();
    void put().cancel();
    await clock.advance(500_000);
    expect(recorded.of('leaseStalled')).toMatchObject([{ what: 'release' }]);
  });

  for (const [what, answer] of [
    ['a lease', (store: FakeLeaseStore) => void store.ask.grant()],
    ['null', (store: FakeLeaseStore) => store.ask.deny()],
    ['an error', (store: FakeLeaseStore) => store.ask.fail(new Error('aborted'))],
  ] as const)
    test(`is not published when a canceled request is answered in time with ${what}, and no timer is left`, async () => {
      const { clock, recorded, store, put } = leasedSlot();
      void put().cancel();
      await clock.advance(TTL - 1);
      answer(store);
      await clock.settle();
      expect(clock.timers).toBe(0);
      await clock.advance(TTL);
      expect(recorded.of('leaseStalled')).toEqual([]);
    });

  test('is not published when a release is answered in time, and no timer is left', async () => {
    const store = FakeLeaseStore.granting();
    const { clock, recorded, put, gate } = leasedSlot(store);
    store.onRelease = () => new Promise((resolve) => void clock.setTimer(TTL - 1, () => resolve()));
    put();
    await clock.settle();
    gate.open('end');
    await clock.advance(TTL - 1);
    expect([clock.timers, recorded.of('leaseStalled')]).toEqual([0, []]);
  });

  test('comes after the ttlMs of the store, which is read with the options and checked', async () => {
    const store = Object.assign(new FakeLeaseStore(), { ttlMs: 50 });
    const { clock, recorded, put } = leasedSlot(store);
    void put().cancel();
    await clock.advance(50);
    expect(recorded.of('leaseStalled')).toMatchObject([{ sinceMs: 50 }]);
    const acquire = () => null;
    for (const ttlMs of [0, -1, Number.NaN, '50', null])
      expect(() => setup({ leases: { acquire, ttlMs: ttlMs as number } })).toThrow(/^leases\.ttlMs must be/);
  });

  test('is not published after a shutdown, and no timer is left', async () => {
    const { supervisor, clock, recorded, put, store } = leasedSlot();
    put();
    const report = supervisor.shutdown();
    await clock.advance(5_000);
    await report;
    expect(clock.timers).toBe(0);
    store.onRelease = never;
    store.ask.grant(); // late: it is released, and that hangs
    await clock.settle();
    expect(clock.timers).toBe(0);
    await clock.advance(500_000);
    expect(recorded.of('leaseStalled')).toEqual([]);
  });
});
