// Leases during a shutdown.

import { describe, expect, test } from 'vitest';
import { never } from '../../support/bodies.ts';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { expectAtRest, grantingSlot, leasedSlot, owned } from '../../support/leased-slot.ts';
import { setup } from '../../support/setup.ts';

describe('leases during a shutdown', () => {
  test('a shutdown releases each lease at the proof of end, and then closes the store', async () => {
    const made = grantingSlot();
    const { supervisor, clock, store, gate, put } = made;
    store.onRelease = ({ slot }) =>
      new Promise((resolve) => void clock.setTimer(slot === 's' ? 20 : 10, () => resolve()));
    const owners = [put(), put({ slot: 'other' })];
    await clock.settle();
    const report = supervisor.shutdown();
    await clock.settle();
    expect(store.releases).toBe(0);
    gate.open('out');
    gate.open('out');
    await Promise.all(owners.map((one) => one.outcome));
    await clock.advance(20);
    expect(store.calls.slice(-3)).toEqual(['release s 1', 'release other 1', 'close']);
    expect(await report).toMatchObject({ clean: true, counts: { canceled: 2 } });
    await expectAtRest(made);
  });

  test('a shutdown keeps the lease of an abandoned body, and releases it when that ends, also after close()', async () => {
    const { supervisor, clock, store, gate } = await owned();
    const report = supervisor.shutdown({ graceMs: 30 });
    await clock.advance(30);
    expect(await report).toMatchObject({ clean: false, abandoned: [{ slot: 's' }] });
    await clock.advance(3_600_000);
    expect(store.calls).toEqual(['acquire s', 'close']);
    gate.open('at last');
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'close', 'release s 1']);
    expect(clock.timers).toBe(0);
  });

  for (const [call, arrange] of [
    ['acquire', () => {}],
    ['release', (store: FakeLeaseStore) => (store.onRelease = never)],
    ['close', (store: FakeLeaseStore) => (store.onClose = never)],
  ] as const)
    test(`a shutdown waits at most 5 s for a store that hangs in ${call}`, async () => {
      const store = call === 'acquire' ? new FakeLeaseStore() : FakeLeaseStore.granting();
      const { supervisor, clock, put, gate } = leasedSlot(store);
      arrange(store);
      const submission = put();
      await clock.settle();
      let reported = false;
      const report = supervisor.shutdown({ graceMs: 1_000 });
      void report.then(() => {
        reported = true;
      });
      await clock.settle();
      gate.open('out');
      await clock.settle();
      expect(submission.status).toBe('ended'); // the outcome does not wait for the store
      await clock.advance(4_999);
      expect(reported).toBe(false);
      await clock.advance(1);
      expect(reported).toBe(true);
      expect(await report).toMatchObject({ clean: true });
      expect(clock.timers).toBe(0);
    });

  test('a lease that is granted after a shutdown is released', async () => {
    const { supervisor, clock, store, put } = leasedSlot();
    put();
    const report = supervisor.shutdown();
    await clock.advance(5_000);
    await report;
    const late = store.ask.grant();
    await clock.settle();
    expect(late.state).toBe('released');
  });

  test('a store whose close throws or rejects does not delay the report', async () => {
    for (const close of [
      () => Promise.reject(new Error('no')),
      () => {
        throw new Error('no');
      },
    ]) {
      const { supervisor, clock } = setup({ leases: { acquire: () => null, close } });
      const report = supervisor.shutdown();
      await clock.settle();
      expect(await report).toMatchObject({ clean: true });
      expect(clock.timers).toBe(0);
    }
  });
});
