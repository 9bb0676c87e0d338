// A lease store that calls the library from inside one of its own methods.

import type { Lease, SlotLeases, Submission } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { never } from '../../support/bodies.ts';
import { FakeLeaseStore, leaseWith } from '../../support/fake-lease-store.ts';
import { gatedSlot } from '../../support/gated-slot.ts';
import { leasedSlot } from '../../support/leased-slot.ts';
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
    expect((await supervisor.shutdown()).clean).toBe(true);
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
    expect((await supervisor.shutdown()).clean).toBe(true);
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

/** A signal whose `addEventListener` calls back: the lease is granted, and no body has begun. */
function signalThat(callsBack: () => void): AbortSignal {
  const { signal } = new AbortController();
  const addEventListener = (...args: Parameters<AbortSignal['addEventListener']>): void => {
    AbortSignal.prototype.addEventListener.apply(signal, args);
    callsBack();
  };
  return Object.assign(signal, { addEventListener });
}

describe('a lease store that calls the library while its lease is taken over', () => {
  test('may submit a join and cancel it before the owner starts (S3)', async () => {
    const late: Submission[] = [];
    const lost = signalThat(() => {
      const joined = supervisor.submit({ slot: 's', admission: 'join', run: () => 'own' });
      void joined.cancel('changed my mind');
      late.push(joined);
    });
    const { supervisor } = setup({ leases: { acquire: () => leaseWith({ lost }) } });
    expect(await supervisor.submit({ slot: 's', run: () => 'first' }).value()).toBe('first');
    expect(await late[0]?.outcome).toMatchObject({ kind: 'canceled', reason: 'changed my mind', attempts: 0 });
  });

  test('may cancel the submission that it grants the lease to, and the lease is released', async () => {
    let released = 0;
    const lost = signalThat(() => void submission?.cancel());
    const release = () => {
      released += 1;
    };
    let submission: Submission | undefined;
    const acquire = async () => leaseWith({ lost, release });
    const { submit, clock, gate } = gatedSlot({ leases: { acquire } });
    submission = submit();
    expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'caller', attempts: 0 });
    await clock.settle();
    expect([released, gate.calls]).toEqual([1, []]);
  });
});

test('a lease store is not asked for a slot within the release of a late lease, nor before that has ended', async () => {
  const calls: string[] = [];
  let grant = (_: Lease): void => {};
  const acquire = () => {
    calls.push('acquire');
    return new Promise<Lease>((resolve) => {
      grant = resolve;
    });
  };
  const { submit, clock } = gatedSlot({ leases: { acquire } });
  void submit().cancel();
  const release = async () => {
    calls.push('release');
    submit();
    await Promise.resolve();
    calls.push('released');
  };
  grant(leaseWith({ release }));
  await clock.settle();
  expect(calls).toEqual(['acquire', 'release', 'released', 'acquire']);
});

describe('retryIf that loses the lease of its own task', () => {
  test.for([true, false])('and returns %s suspends the task, and does not end or delay it', async (answer) => {
    const store = FakeLeaseStore.granting();
    const { clock, gate, put } = leasedSlot(store);
    const retryIf = () => {
      store.leases[0]?.lose();
      return answer;
    };
    const owner = put({ restart: 'onFailure', backoff: { firstMs: 1_000 }, retryIf });
    await clock.settle();
    gate.fail(new Error('again'));
    await clock.settle();
    expect([owner.status, gate.calls.at(-1)?.fence]).toEqual(['running', 2n]);
    gate.open('value');
    expect(await owner.outcome).toEqual({ kind: 'completed', value: 'value', attempts: 2 });
  });
});

test('retryIf that begins a shutdown has no retry of a finisher follow', async () => {
  const { supervisor, submit, clock, gate } = gatedSlot();
  const retryIf = () => {
    void supervisor.shutdown();
    return true;
  };
  const owner = submit({ restart: 'onFailure', backoff: { firstMs: 1 }, onShutdown: 'finish', retryIf });
  await clock.settle();
  gate.fail(new Error('the last'));
  expect(await owner.outcome).toMatchObject({ kind: 'failed', attempts: 1, because: 'shuttingDown' });
});
