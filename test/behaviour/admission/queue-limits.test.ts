// The limits on waiting: queueLimit, queueTimeoutMs and the limits of the supervisor.

import type { AdmissionPolicy, Submission } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { completed, rejected } from '../../support/outcomes.ts';
import { ownedSlot } from '../../support/owned-slot.ts';
import { setup } from '../../support/setup.ts';

const kinds = (submissions: readonly Submission[]) => submissions.map(({ admission }) => admission);

describe('queueLimit and onFull', () => {
  test.each<readonly [limit: number | undefined, fit: number]>([
    [0, 0],
    [1, 1],
    [3, 3],
    [undefined, 1_000],
    [Infinity, 1_500],
  ])(
    'a queueLimit of %s lets %s submissions wait, and rejects the next one with queueFull',
    async (queueLimit, fit) => {
      const { add, owner, clock, started } = await ownedSlot({ queueLimit });
      const fitting = Array.from({ length: fit }, (_, n) => add(`q${n}`));
      expect(kinds(fitting)).toEqual(fitting.map(() => 'queued'));
      if (queueLimit !== Infinity) expect(await add('too many').outcome).toEqual(rejected('queueFull'));
      owner.open('go');
      await clock.settle();
      await clock.settle();
      expect(started).toEqual(fitting.map(({ name }) => name));
    },
  );

  test('a place in the queue is free at once after a start, a cancel or a queue timeout', async () => {
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

  test('dropOldest rejects the oldest queued submission and names the new one, each time the queue is full', async () => {
    const { add, owner, clock, started } = await ownedSlot({ queueLimit: 2, onFull: 'dropOldest' });
    const queue = ['a', 'b', 'c', 'd'].map((name) => add(name));
    const [a, b, c, d] = queue as [Submission, Submission, Submission, Submission];
    expect(kinds(queue)).toEqual(['queued', 'queued', 'queued', 'queued']);
    expect(await a.outcome).toEqual(rejected('queueFull', c));
    expect(await b.outcome).toEqual(rejected('queueFull', d));
    owner.open('go');
    await clock.settle();
    expect(started).toEqual(['c', 'd']);
  });

  test('dropOldest drops neither the owner nor the replacement, and with queueLimit 0 it rejects the new submission', async () => {
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

  test('a lowered queueLimit rejects no submission that already waits', async () => {
    const { add, owner, clock, handle, started } = await ownedSlot();
    const queue = ['a', 'b', 'c'].map((name) => add(name));
    handle.configure({ queueLimit: 1 });
    expect(await add('d').outcome).toEqual(rejected('queueFull'));
    expect(queue.map(({ status }) => status)).toEqual(['queued', 'queued', 'queued']);
    handle.configure({ onFull: 'dropOldest' });
    const e = add('e'); // the queue is cut down to the limit
    for (const one of queue) expect(await one.outcome).toEqual(rejected('queueFull', e));
    owner.open('go');
    await clock.settle();
    expect(started).toEqual(['e']);
  });
});

describe('queueTimeoutMs', () => {
  test.each<readonly [where: string, admission: AdmissionPolicy]>([
    ['in the queue', 'queue'],
    ['as the replacement', 'replace'],
    ['as the latest', 'keepLatest'],
  ])('a submission that waits %s is rejected with queueTimeout exactly after queueTimeoutMs', async (_, admission) => {
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

  test('queueTimeoutMs does not bound a submission that has started', async () => {
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
    expect(await waiting.outcome).toEqual(completed('s'));
  });

  test('a queueTimeoutMs of 0 rejects a queued submission in the next turn', async () => {
    const { add, clock, owner } = await ownedSlot();
    const waiting = add('w', { queueTimeoutMs: 0 });
    expect(waiting.admission).toBe('queued');
    await clock.advance(0);
    expect(await waiting.outcome).toEqual(rejected('queueTimeout'));
    owner.open('go');
  });

  test('queueTimeoutMs Infinity and deadlineMs Infinity override an inherited default', async () => {
    const { add, clock, owner } = await ownedSlot({}, { defaults: { queueTimeoutMs: 10, deadlineMs: 20 } });
    const none = { queueTimeoutMs: Infinity, deadlineMs: Infinity };
    const [bounded, free] = [add('a'), add('b', none)];
    await clock.advance(15);
    expect([bounded.status, free.status]).toEqual(['ended', 'queued']);
    await clock.advance(1_000);
    owner.open('go');
    expect(await free.outcome).toEqual(completed('b'));
  });
});

describe('the limits of the supervisor', () => {
  test('limits.slots rejects work for a new slot, accepts work for a known slot, and counts only slots in use', async () => {
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

  test('limits.slots counts a paused slot, and does not count a slot that is only configured', () => {
    const { supervisor } = setup({ limits: { slots: 1 } });
    supervisor.slot('configured').configure({ queueLimit: 1 });
    expect(supervisor.snapshot().slots).toEqual([]);
    supervisor.slot('paused').pause();
    expect(supervisor.submit({ slot: 'a', run: () => 'x' }).admission).toBe('rejected');
    supervisor.slot('paused').resume();
    expect(supervisor.submit({ slot: 'a', run: () => 'x' }).admission).toBe('started');
  });

  test('past limits.slots, pause() of a slot that is not live throws, and nothing is paused', async () => {
    const { supervisor, clock, recorded } = setup({ limits: { slots: 1 } });
    supervisor.slot('a').pause();
    expect(() => supervisor.slot('b').pause()).toThrow(
      'limits.slots must leave a place to pause slot("b"): raise the limit, or resume another slot, got 1',
    );
    expect(supervisor.snapshot().slots.map(({ name }) => name)).toEqual(['a']);
    await clock.settle();
    expect(recorded.of('slotPaused').map(({ slot }) => slot)).toEqual(['a']);
    supervisor.slot('a').pause(); // it is live
    supervisor.slot('a').resume();
    supervisor.submit({ slot: 'b', run: () => 'x' });
    supervisor.slot('b').pause();
    expect(supervisor.slot('b').view().paused).toBe(true);
  });

  test('limits.pending counts over all slots, affects no owner or queued submission, and frees a place at once', async () => {
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
    expect(other.calls[0]?.canceled).toBe(false); // a rejected replacement stops no owner
    void a.cancel();
    expect(kinds([add('d'), add('e')])).toEqual(['queued', 'rejected']);
    expect(supervisor.snapshot().queued).toBe(2);
    owner.open('s');
    other.open('t');
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ slots: [], queued: 0 });
  });

  test('limits.pending admits a submission that takes the place of a waiting one', async () => {
    const { add } = await ownedSlot({ queueLimit: 1, onFull: 'dropOldest' }, { limits: { pending: 2 } });
    expect(kinds([add('r1', { admission: 'replace' }), add('k1', { admission: 'keepLatest' })])).toEqual([
      'queued',
      'queued',
    ]);
    const takers = [add('r2', { admission: 'replace' }), add('k2', { admission: 'keepLatest' }), add('dropper')];
    expect(kinds(takers)).toEqual(['queued', 'queued', 'queued']);
  });
});
