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
    expect(await owner.outcome).toEqual({ kind: 'canceled', by: 'replace', attempts: 1 });
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'release s 1', 'acquire s']);
    expect(waiting.status).toBe('running');
    expect(gate.calls.map(({ fence }) => fence)).toEqual([1n, 2n]);
  });

  test('a lost lease stops the owner by leaseLost and is never released, and nothing starts before a new lease is granted (S2)', async () => {
    const made = await owned();
    const { clock, store, gate, put, owner } = made;
    const joined = put({ admission: 'join' });
    const waiting = put();
    store.respond = () => undefined;
    store.lease.lose();
    await clock.settle();
    expect(owner.status).toBe('stopping');
    gate.open('out');
    for (const one of [owner, joined])
      expect(await one.outcome).toEqual({ kind: 'canceled', by: 'leaseLost', attempts: 1 });
    await clock.advance(60_000);
    expect(waiting.status).toBe('queued');
    expect(gate.calls).toHaveLength(1);
    store.ask.grant();
    await clock.settle();
    gate.open('mine');
    expect(await waiting.value()).toBe('mine');
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'acquire s', 'release s 2']);
    await expectAtRest(made);
  });

  for (const [name, act, by, released] of [
    ['revoked, then lost', (lease: FakeLease) => [lease.revoke(), lease.lose()], 'replace', 0],
    ['lost, then revoked', (lease: FakeLease) => [lease.lose(), lease.revoke()], 'leaseLost', 0],
    ['revoked, with an empty queue', (lease: FakeLease) => [lease.revoke()], 'replace', 1],
    ['lost, with an empty queue', (lease: FakeLease) => [lease.lose()], 'leaseLost', 0],
  ] as const)
    test(`a lease that is ${name}, cancels its owner by ${by} and is released ${released} times`, async () => {
      const made = await owned();
      const { clock, store, gate, owner } = made;
      act(store.lease);
      await clock.settle();
      gate.fail(gate.calls[0]?.signal.reason);
      expect(await owner.outcome).toEqual({ kind: 'canceled', by, attempts: 1 });
      await clock.settle();
      expect(store.releases).toBe(released);
      await expectAtRest(made);
    });

  for (const [what, outcome, released] of [
    ['lose', { kind: 'rejected', reason: 'leaseUnavailable' }, 0],
    ['revoke', { kind: 'canceled', by: 'replace', attempts: 0 }, 1],
  ] as const)
    test(`a lease that is already ${what === 'lose' ? 'lost' : 'revoked'} when granted calls no body, and the submission is ${outcome.kind}`, async () => {
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
      expect(store.releases).toBe(released);
      await expectAtRest(made);
    });

  test('a lease that is lost during a backoff ends the task at once', async () => {
    const { clock, store, gate, owner } = await owned({ restart: 'onFailure' });
    gate.fail(new Error('again'));
    await clock.settle();
    expect(owner.status).toBe('backoff');
    store.lease.lose();
    expect(await owner.outcome).toEqual({ kind: 'canceled', by: 'leaseLost', attempts: 1 });
    expect(clock.timers).toBe(0);
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
    error: { message: 'lost before it was granted' },
  });
});
