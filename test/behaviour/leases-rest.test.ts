// What the store sees of the slot, and what is made of leases that are odd.

import type { Lease, SlotLeases } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { FakeLeaseStore } from '../support/fake-lease-store.ts';
import { gatedSlot } from '../support/gated-slot.ts';

const lost = new AbortController();
lost.abort();

const leaseWith = (fields: object): Lease => ({
  fence: 1n,
  lost: new AbortController().signal,
  release: () => {},
  ...fields,
});

test('a request that is called off says so to the store: its signal has a reason', async () => {
  const store = new FakeLeaseStore();
  const { submit, clock } = gatedSlot({ leases: store });
  void submit().cancel();
  expect(store.ask.signal.reason).toMatchObject({
    by: 'caller',
    message: 'no submission waits for this slot any more',
  });
  store.ask.deny();
  await clock.settle();
});

test('a lease that was lost on its way rejects whoever asked, and says so', async () => {
  const { submit } = gatedSlot({ leases: { acquire: () => leaseWith({ lost: lost.signal }) } });
  expect(await submit().outcome).toMatchObject({
    reason: 'leaseUnavailable',
    error: { message: 'lost before it was granted' },
  });
});

test('a lease whose contended cannot be read is kept from owner to owner', async () => {
  let acquired = 0;
  const contended = () => {
    throw new Error('no answer');
  };
  const acquire: SlotLeases['acquire'] = () => {
    acquired += 1;
    return Object.defineProperty(leaseWith({}), 'contended', { get: contended });
  };
  const { submit, clock, gate } = gatedSlot({ leases: { acquire } });
  const both = [submit(), submit()];
  for (const one of both) {
    await clock.settle();
    gate.open('done');
    expect(await one.value()).toBe('done');
  }
  expect(acquired).toBe(1);
});

describe('a store that comes back from within a release, while the next owner is about to ask', () => {
  for (const [what, status] of [
    ['cancel', 'ended'],
    ['pause', 'queued'],
  ] as const)
    test(`${what}: what it then grants is given back at once`, async () => {
      const calls: string[] = [];
      const release = () => {
        calls.push('release');
        if (calls.length === 2) void supervisor.slot('s')[what]();
      };
      const acquire = () => {
        calls.push('acquire');
        return leaseWith({ contended: true, release });
      };
      const { supervisor, submit, clock, gate } = gatedSlot({ leases: { acquire } });
      submit();
      const next = submit();
      await clock.settle();
      gate.open('done');
      await clock.settle();
      expect(calls).toEqual(['acquire', 'release', 'acquire', 'release']);
      expect([next.status, gate.alive]).toEqual([status, 0]);
      supervisor.slot('s').resume();
      const last = submit({ admission: 'replace' });
      await clock.settle();
      gate.open('last');
      expect(await last.value()).toBe('last');
    });
});
