// A lease store that calls the library from inside one of its own methods.

import type { Lease, SlotLeases } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { never } from '../../support/bodies.ts';
import { leaseWith } from '../../support/fake-lease-store.ts';
import { gatedSlot } from '../../support/gated-slot.ts';
import { setup } from '../../support/setup.ts';

const lease: Lease = { fence: 1n, lost: new AbortController().signal, release: () => {} };

describe('a lease store that calls the library inside release()', () => {
  for (const [what, status] of [
    ['cancel', 'ended'],
    ['pause', 'queued'],
  ] as const)
    test(`a lease that the store grants after it called slot.${what}() inside release() is released at once`, async () => {
      const calls: string[] = [];
      const release = () => {
        calls.push('release');
        if (calls.length === 2) void supervisor.slot('s')[what]();
      };
      const acquire = () => {
        calls.push('acquire');
        return leaseWith({ fence: BigInt(calls.length), contended: true, release });
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

test('a lease store that starts a shutdown during submitAll() lets no entry start (S7)', async () => {
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

describe('a lease with hostile getters', () => {
  test('a join that a getter of the lease submits gets its outcome (S3)', async () => {
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

  test('a lease whose `lost.aborted` throws on the second read rejects the submission and no more', async () => {
    let asked = 0;
    const lost = {
      get aborted() {
        asked += 1;
        if (asked > 1) throw new Error('read too often');
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

test('a lease store that shortens a shutdown while that begins ends its grace at once', async () => {
  const acquire = ({ slot }: { readonly slot: string }) =>
    leaseWith({ release: () => void (slot === 'idle soon' && supervisor.shutdown({ graceMs: 0 })) });
  const { supervisor, clock } = setup({ leases: { acquire } });
  supervisor.submit({ slot: 'idle soon', restart: 'always', intervalMs: 1_000, run: () => {} });
  const stubborn = supervisor.submit({ slot: 'stubborn', run: never });
  await clock.settle();
  void supervisor.shutdown({ graceMs: 500 }); // ends the interval, and so releases the lease
  await clock.advance(0);
  expect(stubborn.status).toBe('ended');
  expect(await stubborn.outcome).toEqual({ kind: 'abandoned', by: 'shutdown', attempts: 1 });
  expect(clock.now()).toBe(0);
});
