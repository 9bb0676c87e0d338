// A lease that is lost or revoked.

import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type FakeLease, FakeLeaseStore, leaseWith } from '../../support/fake-lease-store.ts';
import { gatedSlot } from '../../support/gated-slot.ts';
import { expectAtRest, leasedSlot, owned } from '../../support/leased-slot.ts';

const lost = new AbortController();

lost.abort();

describe('a lost or revoked lease', () => {
  test('a revoked lease stops the owner by replace, is released, and is requested again for the queue', async () => {
    const { clock, store, gate, put, owner, recorded } = await owned();
    const waiting = put();
    store.lease.revoke();
    await clock.settle();
    expect(owner.status).toBe('stopping');
    expect(gate.calls[0]?.canceled).toBe(true);
    expect(recorded.of('stopRequested')).toMatchObject([{ id: owner.id, by: 'replace' }]);
    expect(store.releases).toBe(0);
    gate.open('out');
    expect(await owner.outcome).toEqual({ kind: 'canceled', by: 'replace', value: 'out', attempts: 1 });
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'release s 1', 'acquire s']);
    expect(waiting.status).toBe('running');
    expect(gate.calls.map(({ fence }) => fence)).toEqual([1n, 2n]);
  });

  test('a lost lease stops an owner with restart never by leaseLost, is released at proof of end, and nothing starts before a new lease is granted (S2)', async () => {
    const made = await owned();
    const { clock, store, gate, put, owner } = made;
    const joined = put({ admission: 'join' });
    const waiting = put();
    store.respond = () => undefined;
    store.lease.lose();
    await clock.settle();
    expect(owner.status).toBe('stopping');
    expect(store.calls).toEqual(['acquire s']);
    gate.open('out');
    for (const one of [owner, joined])
      expect(await one.outcome).toEqual({ kind: 'canceled', by: 'leaseLost', value: 'out', attempts: 1 });
    await clock.advance(60_000);
    expect(waiting.status).toBe('queued');
    expect(gate.calls).toHaveLength(1);
    store.ask.grant();
    await clock.settle();
    gate.open('mine');
    expect(await waiting.value()).toBe('mine');
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'release s 1', 'acquire s', 'release s 2']);
    await expectAtRest(made);
  });

  for (const [name, act, by] of [
    ['revoked, then lost', (lease: FakeLease) => [lease.revoke(), lease.lose()], 'replace'],
    ['lost, then revoked', (lease: FakeLease) => [lease.lose(), lease.revoke()], 'leaseLost'],
    ['revoked, with an empty queue', (lease: FakeLease) => [lease.revoke()], 'replace'],
    ['lost, with an empty queue', (lease: FakeLease) => [lease.lose()], 'leaseLost'],
  ] as const)
    test(`a lease that is ${name}, cancels its owner by ${by} and is released once, at its end`, async () => {
      const made = await owned();
      const { clock, store, gate, owner } = made;
      act(store.lease);
      await clock.settle();
      expect(store.releases).toBe(0);
      gate.fail(gate.calls[0]?.signal.reason);
      expect(await owner.outcome).toEqual({ kind: 'canceled', by, attempts: 1 });
      await clock.settle();
      expect(store.releases).toBe(1);
      await expectAtRest(made);
    });

  for (const [what, outcome] of [
    ['lose', { kind: 'rejected', reason: 'leaseUnavailable' }],
    ['revoke', { kind: 'canceled', by: 'replace', attempts: 0 }],
  ] as const)
    test(`a lease that is already ${what === 'lose' ? 'lost' : 'revoked'} when granted calls no body, is released, and the submission is ${outcome.kind}`, async () => {
      const store = new FakeLeaseStore((ask) => {
        const lease = store.make(ask.request.slot);
        lease[what]();
        ask.answer(lease);
      });
      const made = leasedSlot(store);
      const submission = made.put();
      expect(await submission.outcome).toMatchObject(outcome);
      await made.clock.settle();
      expect(made.gate.calls).toEqual([]);
      expect(store.releases).toBe(1);
      await expectAtRest(made);
    });

  test('a signal of a lease that was revoked before it was granted has no listener after its release', async () => {
    const store = new FakeLeaseStore();
    const { clock, gate, put } = leasedSlot(store);
    put();
    const second = put();
    const old = store.make('s');
    Object.assign(old, { graceMs: 5 }).revoke();
    store.ask.answer(old);
    await clock.settle();
    expect([old.lost, old.revoked].map((signal) => getEventListeners(signal, 'abort').length)).toEqual([0, 0]);
    store.ask.grant();
    await clock.settle();
    old.lose();
    void second.cancel();
    await clock.advance(99);
    expect(second.status).toBe('stopping'); // the grace of the old lease is none of its own
    gate.open('out');
    await clock.settle();
  });

  test('a signal of a released lease has no listener and changes nothing for the next owner (S8)', async () => {
    const { clock, store, gate, put } = await owned();
    const old = store.lease;
    expect([old.lost, old.revoked].map((signal) => getEventListeners(signal, 'abort').length)).toEqual([1, 1]);
    gate.open('end');
    await clock.settle();
    const next = put();
    await clock.settle();
    expect([old.lost, old.revoked].map((signal) => getEventListeners(signal, 'abort').length)).toEqual([0, 0]);
    old.revoke();
    old.lose();
    await clock.settle();
    expect(next.status).toBe('running');
    expect(gate.calls[1]?.canceled).toBe(false);
  });
});

test('a lease that was lost before it was granted rejects the submission, and the error says why', async () => {
  const { submit } = gatedSlot({ leases: { acquire: () => leaseWith({ lost: lost.signal }) } });
  expect(await submit().outcome).toMatchObject({
    reason: 'leaseUnavailable',
    error: { message: 'the lease was lost before it was granted' },
  });
});
