// The bounds on waiting: queueLimit, queueTimeoutMs and the limits of the supervisor.

import type { AdmissionPolicy, Outcome, RejectReason, Submission } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { ownedSlot } from '../../support/owned-slot.ts';
import { setup } from '../../support/setup.ts';

const value = (what: unknown): Outcome => ({ kind: 'completed', value: what, attempts: 1 });

const rejected = (reason: RejectReason, by?: Submission): Outcome => ({
  kind: 'rejected',
  reason,
  ...(by !== undefined && { by: by.id }),
});

const kinds = (submissions: readonly Submission[]) => submissions.map(({ admission }) => admission);

describe('the limit of the queue', () => {
  test.each<readonly [limit: number | undefined, fit: number]>([
    [0, 0],
    [1, 1],
    [3, 3],
    [undefined, 100],
    [Infinity, 500],
  ])('a limit of %s lets %s wait, and turns the next one away queueFull', async (queueLimit, fit) => {
    const { add, owner, clock, started } = await ownedSlot({ queueLimit });
    const fitting = Array.from({ length: fit }, (_, n) => add(`q${n}`));
    expect(kinds(fitting)).toEqual(fitting.map(() => 'queued'));
    if (queueLimit !== Infinity) expect(await add('too many').outcome).toEqual(rejected('queueFull'));
    owner.open('go');
    await clock.settle();
    await clock.settle();
    expect(started).toEqual(fitting.map(({ name }) => name));
  });

  test('a place given back by a start, a cancel or a time-out is free at once', async () => {
    const { add, owner, clock } = await ownedSlot({ queueLimit: 1 });
    const canceled = add('a');
    void canceled.cancel();
    const timedOut = add('b', { queueTimeoutMs: 10 });
    expect(kinds([timedOut, add('full')])).toEqual(['queued', 'rejected']);
    await clock.advance(10);
    const gate = gateBody();
    const starting = add('c', { run: gate.body });
    owner.open('go');
    await clock.settle();
    expect(kinds([starting, add('d'), add('full')])).toEqual(['queued', 'queued', 'rejected']);
    gate.open('c');
  });

  test('dropOldest rejects the oldest queued one instead, by the newcomer, again and again', async () => {
    const { add, owner, clock, started } = await ownedSlot({ queueLimit: 2, onFull: 'dropOldest' });
    const line = ['a', 'b', 'c', 'd'].map((name) => add(name));
    const [a, b, c, d] = line as [Submission, Submission, Submission, Submission];
    expect(kinds(line)).toEqual(['queued', 'queued', 'queued', 'queued']);
    expect(await a.outcome).toEqual(rejected('queueFull', c));
    expect(await b.outcome).toEqual(rejected('queueFull', d));
    owner.open('go');
    await clock.settle();
    expect(started).toEqual(['c', 'd']);
  });

  test('dropOldest drops neither the owner nor the next; with a limit of 0 the newcomer is turned away', async () => {
    const { add, owner, clock, started, handle } = await ownedSlot({ queueLimit: 1, onFull: 'dropOldest' });
    const next = add('next', { admission: 'replace' });
    const [a, b] = [add('a'), add('b')];
    expect(await a.outcome).toEqual(rejected('queueFull', b));
    handle.configure({ queueLimit: 0 });
    expect(await add('c').outcome).toEqual(rejected('queueFull'));
    owner.open('go');
    await clock.settle();
    expect([next.status, started]).toEqual(['ended', ['next', 'b']]);
  });

  test('a limit that is lowered turns nobody away who waits already', async () => {
    const { add, owner, clock, handle, started } = await ownedSlot();
    const line = ['a', 'b', 'c'].map((name) => add(name));
    handle.configure({ queueLimit: 1 });
    expect(await add('d').outcome).toEqual(rejected('queueFull'));
    expect(line.map(({ status }) => status)).toEqual(['queued', 'queued', 'queued']);
    handle.configure({ onFull: 'dropOldest' });
    const e = add('e'); // room is made down to the limit
    for (const one of line) expect(await one.outcome).toEqual(rejected('queueFull', e));
    owner.open('go');
    await clock.settle();
    expect(started).toEqual(['e']);
  });
});

describe('queueTimeoutMs: how long it may wait', () => {
  test.each<readonly [where: string, admission: AdmissionPolicy]>([
    ['in line', 'queue'],
    ['as the next', 'replace'],
    ['as the latest', 'keepLatest'],
  ])('one that waits %s is rejected queueTimeout at its time, not before', async (_, admission) => {
    const { add, owner, clock, supervisor, started } = await ownedSlot();
    const waiting = add('w', { admission, queueTimeoutMs: 100 });
    await clock.advance(99);
    expect(waiting.status).toBe('queued');
    await clock.advance(1);
    expect(await waiting.outcome).toEqual(rejected('queueTimeout'));
    expect(supervisor.snapshot().queued).toBe(0);
    owner.open('go');
    await clock.settle();
    expect([started, clock.timers]).toEqual([[], 0]);
  });

  test('one that has started in time is bounded by it no more', async () => {
    const { add, owner, clock } = await ownedSlot();
    const gate = gateBody();
    const waiting = add('w', { queueTimeoutMs: 100, run: gate.body });
    const direct = add('elsewhere', { slot: 't', queueTimeoutMs: 1, run: gate.body });
    await clock.advance(99);
    owner.open('go');
    await clock.settle();
    expect(clock.timers).toBe(0);
    await clock.advance(1_000);
    expect([waiting.status, direct.status]).toEqual(['running', 'running']);
    gate.open('t');
    gate.open('s');
    expect(await waiting.outcome).toEqual(value('s'));
  });

  test('a time of 0 waits for nothing but the turn', async () => {
    const { add, clock, owner } = await ownedSlot();
    const waiting = add('w', { queueTimeoutMs: 0 });
    expect(waiting.admission).toBe('queued');
    await clock.advance(0);
    expect(await waiting.outcome).toEqual(rejected('queueTimeout'));
    owner.open('go');
  });

  test('Infinity beats an inherited default', async () => {
    const { add, clock, owner } = await ownedSlot({}, { defaults: { queueTimeoutMs: 10, deadlineMs: 20 } });
    const none = { queueTimeoutMs: Infinity, deadlineMs: Infinity };
    const [bounded, free] = [add('a'), add('b', none)];
    await clock.advance(15);
    expect([bounded.status, free.status]).toEqual(['ended', 'queued']);
    await clock.advance(1_000);
    owner.open('go');
    expect(await free.outcome).toEqual(value('b'));
  });
});

describe('the bounds of the supervisor', () => {
  test('limits.slots: a new slot past it is refused, a known one is not, and an ended one makes room', async () => {
    const { supervisor, clock } = setup({ limits: { slots: 2 } });
    const gate = gateBody();
    const submit = (slot: string) => supervisor.submit({ slot, run: gate.body });
    expect(kinds(['a', 'b', 'a', 'b', 'c'].map(submit))).toEqual([
      'started',
      'started',
      'queued',
      'queued',
      'rejected',
    ]);
    expect(await submit('d').outcome).toEqual(rejected('resourceLimit'));
    expect(await supervisor.submit({ run: () => 'own slot' }).outcome).toEqual(rejected('resourceLimit'));
    for (let n = 0; n < 4; n += 1) {
      await clock.settle();
      gate.open('done');
    }
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ slots: [], totals: { completed: 4, rejected: 3 } });
    expect(submit('d').admission).toBe('started');
  });

  test('a slot that is paused or configured: paused ones are held, configured ones are not', () => {
    const { supervisor } = setup({ limits: { slots: 1 } });
    supervisor.slot('configured').configure({ queueLimit: 1 });
    expect(supervisor.snapshot().slots).toEqual([]);
    supervisor.slot('paused').pause();
    expect(supervisor.submit({ slot: 'a', run: () => 'x' }).admission).toBe('rejected');
    supervisor.slot('paused').resume();
    expect(supervisor.submit({ slot: 'a', run: () => 'x' }).admission).toBe('started');
  });

  test('limits.pending: over all slots; what owns or waits already is untouched, and a place left is free at once', async () => {
    const { supervisor, add, clock, owner } = await ownedSlot({}, { limits: { pending: 2 } });
    const other = gateBody();
    supervisor.submit({ slot: 't', run: other.body });
    const [a, b] = [add('a'), add('b', { slot: 't' })];
    expect(await add('c').outcome).toEqual(rejected('resourceLimit'));
    expect(await add('r', { slot: 't', admission: 'replace' }).outcome).toEqual(rejected('resourceLimit'));
    expect(kinds([add('idle slot', { slot: 'u' }), add('joins', { admission: 'join' })])).toEqual([
      'started',
      'joined',
    ]);
    expect([a.status, b.status]).toEqual(['queued', 'queued']);
    await clock.settle();
    expect(other.calls[0]?.canceled).toBe(false); // a replacement that is turned away stops nobody
    void a.cancel();
    expect(kinds([add('d'), add('e')])).toEqual(['queued', 'rejected']);
    expect(supervisor.snapshot().queued).toBe(2);
    owner.open('s');
    other.open('t');
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ slots: [], queued: 0 });
  });

  test('limits.pending: who takes a place that is taken already is admitted', async () => {
    const { add } = await ownedSlot({ queueLimit: 1, onFull: 'dropOldest' }, { limits: { pending: 2 } });
    expect(kinds([add('r1', { admission: 'replace' }), add('k1', { admission: 'keepLatest' })])).toEqual([
      'queued',
      'queued',
    ]);
    const takers = [add('r2', { admission: 'replace' }), add('k2', { admission: 'keepLatest' }), add('dropper')];
    expect(kinds(takers)).toEqual(['queued', 'queued', 'queued']);
  });
});
