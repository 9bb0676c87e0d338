// Replacements here and in other processes: urgent requests, superseded answers, revoked and
// contended leases.

import { describe, expect, test } from 'vitest';
import { expectAtRest, leasedSlot, owned } from '../../support/leased-slot.ts';

describe('a request is urgent', () => {
  test('from the start for a replacement', () => {
    const { store, put } = leasedSlot();
    put({ admission: 'replace' });
    expect(store.ask.request.policy).toBe('replace');
    expect(store.ask.urgent.aborted).toBe(true);
    expect(store.ask.urgent.reason).toMatchObject({ by: 'replace' });
  });

  test('once a replacement waits for its answer, and the lease then goes to the replacement', async () => {
    const { clock, store, gate, put } = leasedSlot();
    const queued = put();
    put({ admission: 'keepLatest', slot: 's' });
    expect(store.ask.urgent.aborted).toBe(false);
    const replacement = put({ admission: 'replace' });
    expect([store.acquires, store.ask.urgent.aborted, store.ask.signal.aborted]).toEqual([1, true, false]);
    store.ask.grant();
    await clock.settle();
    expect(gate.calls.map(({ id }) => id)).toEqual([replacement.id]);
    expect(queued.status).toBe('queued');
  });

  test.for(['queue', 'keepLatest', 'join', 'dropIfRunning'] as const)('not for %s', async (admission) => {
    const { store, put } = leasedSlot();
    put({ admission });
    put();
    expect(store.ask.urgent.aborted).toBe(false);
  });

  test('once, and stays so, when the replacement leaves and another one comes', async () => {
    const { store, put } = leasedSlot();
    put();
    let urged = 0;
    store.ask.urgent.addEventListener('abort', () => {
      urged += 1;
    });
    void put({ admission: 'replace' }).cancel();
    put({ admission: 'replace' });
    put({ admission: 'replace' });
    expect([store.acquires, urged]).toEqual([1, 1]);
  });

  test('not again for the next owner', async () => {
    const { clock, store, put, gate } = leasedSlot();
    put({ admission: 'replace' });
    put();
    store.ask.grant().contended = true;
    await clock.settle();
    gate.open('out');
    await clock.settle();
    expect([store.acquires, store.ask.urgent.aborted, store.ask.request.policy]).toEqual([2, false, 'queue']);
  });
});

describe("the answer 'superseded'", () => {
  test('rejects the waiting replacement without by, and the rest asks again', async () => {
    const made = leasedSlot();
    const { clock, store, gate, put } = made;
    const queued = put();
    const replacement = put({ admission: 'replace' });
    const joined = put({ admission: 'join' });
    store.ask.supersede();
    for (const one of [replacement, joined])
      expect(await one.outcome).toEqual({ kind: 'rejected', reason: 'superseded' });
    expect([store.acquires, store.ask.request.owner, store.ask.urgent.aborted]).toEqual([2, queued.id, false]);
    store.ask.grant();
    await clock.settle();
    gate.open('queued');
    expect(await queued.value()).toBe('queued');
    await expectAtRest(made);
  });

  test('rejects no one when the replacement has left, and the rest asks again', async () => {
    const { clock, store, put } = leasedSlot();
    const queued = put();
    void put({ admission: 'replace' }).cancel();
    store.ask.supersede();
    await clock.settle();
    expect([queued.status, store.acquires]).toEqual(['queued', 2]);
  });

  test('to a request that is not urgent is an error of the store', async () => {
    const { store, put } = leasedSlot();
    const queued = put();
    store.ask.supersede();
    expect(await queued.outcome).toMatchObject({
      reason: 'leaseUnavailable',
      error: { name: 'TypeError', message: "the lease store may answer 'superseded' to an urgent request only" },
    });
  });
});

describe('a revoked lease', () => {
  test('rejects the waiting keepLatest as superseded, without by, and the queue asks again after the owner', async () => {
    const { clock, store, gate, put, owner } = await owned();
    const queued = put();
    const latest = put({ admission: 'keepLatest' });
    store.lease.revoke();
    expect(await latest.outcome).toEqual({ kind: 'rejected', reason: 'superseded' });
    gate.open('out');
    expect(await owner.outcome).toMatchObject({ kind: 'canceled', by: 'replace' });
    await clock.settle();
    expect([queued.status, store.calls]).toEqual(['running', ['acquire s', 'release s 1', 'acquire s']]);
  });

  test('rejects a replacement that waits for the owner to end as superseded, without by, and the keepLatest behind it', async () => {
    const { store, gate, put, owner } = await owned();
    const replacement = put({ admission: 'replace' });
    const latest = put({ admission: 'keepLatest' });
    store.lease.revoke();
    for (const one of [replacement, latest])
      expect(await one.outcome).toEqual({ kind: 'rejected', reason: 'superseded' });
    gate.open('out');
    expect(await owner.outcome).toMatchObject({ kind: 'canceled', by: 'replace' });
  });

  test('ends an owner that would go on after a loss, too', async () => {
    const { store, gate, owner } = await owned({ restart: 'always' });
    store.lease.revoke();
    gate.open('out');
    expect(await owner.outcome).toMatchObject({ kind: 'canceled', by: 'replace' });
  });

  test('that is then lost is released, and its owner stays canceled by replace', async () => {
    const { clock, store, gate, owner } = await owned({ restart: 'always' });
    store.lease.revoke();
    store.lease.lose();
    gate.open('out');
    expect(await owner.outcome).toMatchObject({ kind: 'canceled', by: 'replace' });
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'release s 1']);
  });
});

describe('a contended lease', () => {
  test('stays for a replacement that waits here, and is handed over after it', async () => {
    const { clock, store, gate, put } = await owned();
    const queued = put();
    const replacement = put({ admission: 'replace' });
    store.lease.contended = true;
    gate.open('out');
    await clock.settle();
    expect([replacement.status, store.calls]).toEqual(['running', ['acquire s']]);
    gate.open('replaced');
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'release s 1', 'acquire s']);
    expect([queued.status, gate.calls.map(({ fence }) => fence)]).toEqual(['running', [1n, 1n, 2n]]);
  });
});
