// A lease store that calls the library from inside one of its own methods.

import type { Lease, SlotLeases } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gatedSlot } from '../../support/gated-slot.ts';
import { setup } from '../../support/setup.ts';

const leaseWith = (fields: object): Lease => ({
  fence: 1n,
  lost: new AbortController().signal,
  release: () => {},
  ...fields,
});

const lease: Lease = { fence: 1n, lost: new AbortController().signal, release: () => {} };

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

test('a lease store that begins the shutdown while a batch goes in: nothing of the rest starts (S7)', async () => {
  const asked: string[] = [];
  const leases: SlotLeases = {
    acquire: ({ slot }) => {
      asked.push(slot);
      void supervisor.shutdown();
      return lease;
    },
  };
  const { supervisor, clock } = setup({ leases });
  const run = () => 'ran';
  const [first, second] = supervisor.submitAll([
    { slot: 'a', run },
    { slot: 'b', run },
  ]);
  expect(await second.outcome).toEqual({ kind: 'rejected', reason: 'shuttingDown' });
  expect((await first.outcome).kind).not.toBe('completed');
  await clock.settle();
  expect([asked, supervisor.phase, supervisor.snapshot().slots]).toEqual([['a'], 'closed', []]);
});

describe('code that comes back into the library', () => {
  test('a join from within the lease’s own getter gets its outcome', async () => {
    const late: { submission?: { outcome: Promise<unknown> } } = {};
    const lease: Lease = {
      fence: 1n,
      lost: new AbortController().signal,
      get contended() {
        late.submission ??= supervisor.submit({ slot: 's', admission: 'join', run: () => 'own' });
        return false;
      },
      release: () => {},
    };
    const { supervisor } = setup({ leases: { acquire: () => lease } });
    expect(await supervisor.submit({ slot: 's', run: () => 'first' }).value()).toBe('first');
    expect(await late.submission?.outcome).toMatchObject({ kind: 'completed' });
    expect((await supervisor.shutdown()).withinGrace).toBe(true);
  });

  test('a lease whose loss can be asked for once harms its own slot alone', async () => {
    let asked = 0;
    const lost = {
      get aborted() {
        asked += 1;
        if (asked > 1) throw new Error('asked too often');
        return false;
      },
      addEventListener: () => {},
      removeEventListener: () => {},
    } as unknown as AbortSignal;
    const { supervisor } = setup({ leases: { acquire: () => ({ fence: 1n, lost, release: () => {} }) } });
    const submission = supervisor.submit({ slot: 's', run: () => 'done' });
    expect((await submission.outcome).kind).toBe('rejected');
    expect((await supervisor.shutdown()).withinGrace).toBe(true);
  });
});
