// How a slot requests its lease.

import type { AdmissionPolicy, RejectReason, Submission, TaskSpec } from 'slotvisor';
import { describe, expect, test, vi } from 'vitest';
import { type Ask, FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { gatedSlot } from '../../support/gated-slot.ts';
import { expectAtRest, type LeasedSlot, leasedSlot } from '../../support/leased-slot.ts';
import { setup } from '../../support/setup.ts';

describe('the request for a lease', () => {
  test('a slot requests a lease for its first submission, and starts nothing before the lease is granted (S2)', async () => {
    const { supervisor, clock, recorded, store, gate, put } = leasedSlot();
    const submission = put({ admission: 'keepLatest' });
    expect(submission).toMatchObject({ admission: 'waiting', status: 'queued' });
    await clock.advance(60_000);
    expect(gate.calls).toEqual([]);
    expect(supervisor.slot('s').view()).toMatchObject({ phase: 'waiting', queued: [{ id: submission.id }] });
    expect(supervisor.slot('s').view().owner).toBeUndefined();
    expect(store.acquires).toBe(1);
    expect(store.ask.request).toMatchObject({ slot: 's', owner: submission.id, policy: 'keepLatest' });
    expect(store.ask.signal.aborted).toBe(false);
    store.ask.grant();
    await clock.settle();
    expect(submission).toMatchObject({ admission: 'waiting', status: 'running' });
    expect(recorded.types(submission.id)).toEqual(['submitted', 'queued', 'started', 'attemptStarted']);
    expect(recorded.of('started')).toMatchObject([{ waitedMs: 60_000, fence: 1n }]);
  });

  test('the signals of a request take any number of listeners without a warning', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { store, put } = leasedSlot();
    put();
    for (const signal of [store.ask.signal, store.ask.urgent])
      for (let n = 0; n < 50; n += 1) signal.addEventListener('abort', () => {});
    expect(warn).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  test('a submission whose lease is granted in the same turn is started, not waiting', async () => {
    const { clock, recorded, gate, put } = leasedSlot(new FakeLeaseStore((ask) => ask.grant()));
    const submission = put();
    expect(submission.admission).toBe('started');
    await clock.settle();
    expect(gate.calls[0]?.fence).toBe(1n);
    expect(recorded.types(submission.id)).toEqual(['submitted', 'started', 'attemptStarted']);
  });

  test('what waits for a lease counts to limits.pending: a start past it is rejected, alone and in a batch', async () => {
    const store = new FakeLeaseStore();
    const { supervisor, clock } = setup({ leases: store, limits: { pending: 2 } });
    const start = () => supervisor.submit({ run: () => 'ran' });
    expect([start(), start(), start()].map(({ admission }) => admission)).toEqual(['waiting', 'waiting', 'rejected']);
    store.asks[0]?.grant();
    await clock.settle();
    const run = () => 'ran';
    expect(supervisor.submitAll([{ run }, { run }]).map(({ admission }) => admission)).toEqual([
      'rejected',
      'rejected',
    ]);
    const last = start();
    expect(last.admission).toBe('waiting');
    for (const ask of store.asks.slice(1)) ask.grant();
    expect(await last.value()).toBe('ran');
  });

  test('a local lease, the default, is granted in the same turn with fence 0', async () => {
    const { supervisor, recorded } = setup();
    const submission = supervisor.submit({ slot: 's', run: ({ fence }) => fence });
    expect(submission.admission).toBe('started');
    expect(await submission.value()).toBe(0n);
    expect(recorded.of('queued')).toEqual([]);
  });

  const nothing = (): void => {};
  /**
   * The first submission requests the lease, and a second one waits behind it. Each row says which
   * one owns the slot when the lease is granted, and how the first ends if it ends.
   */
  const changes: readonly (readonly [
    name: string,
    first: AdmissionPolicy,
    second: AdmissionPolicy,
    meanwhile: (leasedSlot: LeasedSlot, first: Submission) => unknown,
    owner: 'first' | 'second',
    firstEnds?: RejectReason,
  ])[] = [
    ['a second submission', 'queue', 'queue', nothing, 'first'],
    ['a replacement', 'queue', 'replace', nothing, 'second'], // and evicts no queued submission
    ['a later replacement', 'replace', 'replace', nothing, 'second', 'superseded'],
    ['a later keepLatest', 'keepLatest', 'keepLatest', nothing, 'second', 'superseded'],
    ['a cancel', 'queue', 'queue', (_, first) => void first.cancel(), 'second', 'canceled'],
    ['a queueTimeout', 'queue', 'queue', ({ clock }) => clock.advance(1_000), 'second', 'queueTimeout'],
  ];
  for (const [name, policy, admission, meanwhile, winner, firstEnds] of changes)
    test(`${name} during a lease request may change the candidate but not the request`, async () => {
      const made = leasedSlot();
      const { clock, store, gate, put } = made;
      const first = put({ admission: policy, queueTimeoutMs: 1_000 });
      const second = put({ admission });
      await meanwhile(made, first);
      await clock.settle();
      expect(store.acquires).toBe(1);
      expect(store.ask.signal.aborted).toBe(false);
      store.ask.grant();
      await clock.settle();
      expect(gate.calls.map(({ id }) => id)).toEqual([{ first, second }[winner].id]);
      expect(store.acquires).toBe(1);
      if (firstEnds === undefined) expect(first.status).not.toBe('ended');
      else expect(await first.outcome).toMatchObject({ kind: 'rejected', reason: firstEnds });
    });

  test('dropIfRunning is rejected during a lease request, because the slot is busy', async () => {
    const { store, put } = leasedSlot();
    const first = put();
    const dropped = put({ admission: 'dropIfRunning' });
    expect(await dropped.outcome).toEqual({ kind: 'rejected', reason: 'slotBusy', by: first.id });
    expect(store.acquires).toBe(1);
  });

  const parent = new AbortController();
  const endings: readonly [
    string,
    Partial<TaskSpec<string>>,
    (leasedSlot: LeasedSlot, one: Submission) => unknown,
    string,
  ][] = [
    ['a cancel', {}, (_, one) => void one.cancel(), 'canceled'],
    ['a slot.cancel()', {}, ({ supervisor }) => void supervisor.slot('s').cancel(), 'canceled'],
    ['the signal', { signal: parent.signal }, () => parent.abort(), 'canceled'],
    ['the queueTimeoutMs', { queueTimeoutMs: 50 }, ({ clock }) => clock.advance(50), 'queueTimeout'],
    ['the deadlineMs', { deadlineMs: 50 }, ({ clock }) => clock.advance(50), 'deadline'],
    ['a shutdown', {}, ({ supervisor }) => void supervisor.shutdown(), 'shuttingDown'],
  ];
  for (const [name, spec, end, reason] of endings)
    test(`${name} aborts the lease request of the last waiting submission, and a late lease is released`, async () => {
      const made = leasedSlot();
      const { clock, store, gate, put } = made;
      const submission = put(spec);
      await end(made, submission);
      expect(await submission.outcome).toEqual({ kind: 'rejected', reason });
      expect(store.ask.signal.aborted).toBe(true);
      const late = store.ask.grant();
      await clock.settle();
      expect(late.state).toBe('released');
      expect(gate.calls).toEqual([]);
      await expectAtRest(made);
    });

  test('a late lease that is already lost is released', async () => {
    const made = leasedSlot();
    void made.put().cancel();
    made.store.ask.grant().lose();
    await expectAtRest(made);
    expect(made.store.calls).toEqual(['acquire s', 'release s 1']);
  });

  test('a pause aborts the lease request, a late lease is released, and resume() requests a lease again', async () => {
    const { supervisor, clock, store, gate, put } = leasedSlot();
    const submission = put();
    supervisor.slot('s').pause();
    expect(store.ask.signal.aborted).toBe(true);
    const late = store.ask.grant();
    await clock.settle();
    expect(late.state).toBe('released');
    expect(submission.status).toBe('queued');
    expect(store.acquires).toBe(1);
    supervisor.slot('s').resume();
    expect(store.acquires).toBe(2);
    store.ask.grant();
    await clock.settle();
    expect(gate.calls.map(({ fence }) => fence)).toEqual([2n]);
  });

  for (const [what, answer] of [
    ['a late lease', (ask: Ask) => ask.grant()],
    ['null', (ask: Ask) => ask.deny()],
    ['an error', (ask: Ask) => ask.fail(new Error('aborted'))],
  ] as const)
    test(`a submission after an aborted lease request waits for its answer (${what}), and then requests a lease`, async () => {
      const { clock, store, gate, put } = leasedSlot();
      const first = put();
      void first.cancel();
      const second = put();
      await clock.settle();
      expect(store.acquires).toBe(1); // one request at a time
      answer(store.ask);
      await clock.settle();
      expect(store.acquires).toBe(2);
      expect(store.ask.request.owner).toBe(second.id);
      expect(gate.calls).toEqual([]);
      store.ask.grant();
      await clock.settle();
      expect(gate.calls.map(({ id }) => id)).toEqual([second.id]);
    });

  test('a store that answers null rejects dropIfRunning with slotBusy, and the next submission requests the lease', async () => {
    const { clock, store, gate, put } = leasedSlot();
    const dropped = put({ admission: 'dropIfRunning' });
    const queued = put();
    store.ask.deny();
    expect(await dropped.outcome).toEqual({ kind: 'rejected', reason: 'slotBusy' });
    await clock.settle();
    expect(store.ask.request).toMatchObject({ owner: queued.id, policy: 'queue' });
    store.ask.grant();
    await clock.settle();
    expect(gate.calls.map(({ id }) => id)).toEqual([queued.id]);
  });

  test('a null for a canceled dropIfRunning is ignored, and the present candidate requests the lease again', async () => {
    const { clock, store, put } = leasedSlot();
    const dropped = put({ admission: 'dropIfRunning' });
    const queued = put();
    void dropped.cancel();
    store.ask.deny();
    await clock.settle();
    expect(queued.status).toBe('queued');
    expect(store.ask.request.owner).toBe(queued.id);
  });
});

test('the signal of an aborted lease request has a reason', async () => {
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
