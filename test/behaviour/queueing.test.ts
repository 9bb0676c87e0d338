import { getEventListeners } from 'node:events';
import type {
  AdmissionPolicy,
  Outcome,
  RejectReason,
  SlotOptions,
  Submission,
  SupervisorOptions,
  TaskSpec,
} from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../support/gate.ts';
import { setup } from '../support/setup.ts';

const value = (what: unknown): Outcome => ({ kind: 'completed', value: what, attempts: 1 });
const rejected = (reason: RejectReason, by?: Submission): Outcome => ({
  kind: 'rejected',
  reason,
  ...(by !== undefined && { by: by.id }),
});

/** A slot `s` with an owner that runs. Whoever is added notes its start. */
async function ownedSlot(slot: SlotOptions = {}, options: SupervisorOptions = {}) {
  const world = setup({ slots: { s: slot }, ...options });
  const owner = gateBody();
  const started: string[] = [];
  const first = world.supervisor.submit({ slot: 's', run: owner.body });
  await world.clock.settle();
  const add = (name: string, spec: Partial<TaskSpec> = {}) =>
    world.supervisor.submit({ slot: 's', name, run: () => started.push(name) && name, ...spec } as TaskSpec);
  return { ...world, owner, started, first, add, handle: world.supervisor.slot('s') };
}

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

describe('deadlineMs: from submit to the outcome', () => {
  test.each<readonly [where: string, admission: AdmissionPolicy]>([
    ['in line', 'queue'],
    ['as the next', 'replace'],
  ])('one that waits %s is rejected deadline', async (_, admission) => {
    const { add, owner, clock, started } = await ownedSlot();
    const waiting = add('w', { admission, deadlineMs: 100 });
    await clock.advance(100);
    expect(await waiting.outcome).toEqual(rejected('deadline'));
    owner.open('go');
    await clock.settle();
    expect(started).toEqual([]);
  });

  test('one that waits in a paused slot is rejected too', async () => {
    const { supervisor, clock } = setup();
    supervisor.slot('s').pause();
    const waiting = supervisor.submit({ slot: 's', deadlineMs: 10, run: () => 'x' });
    await clock.advance(10);
    expect(await waiting.outcome).toEqual(rejected('deadline'));
  });

  test('it counts the waiting: a started one is told to stop at the rest of its time, and ends with its body', async () => {
    const { add, owner, clock } = await ownedSlot();
    const gate = gateBody();
    const waiting = add('w', { deadlineMs: 100, run: gate.body });
    await clock.advance(70);
    owner.open('go');
    await clock.advance(29);
    expect([waiting.status, gate.calls[0]?.canceled]).toEqual(['running', false]);
    await clock.advance(1);
    expect([waiting.status, gate.calls[0]?.canceled]).toEqual(['stopping', true]);
    gate.open('late');
    expect(await waiting.outcome).toEqual({ kind: 'canceled', by: 'deadline', attempts: 1 });
  });

  test.each<readonly [where: string, options: SupervisorOptions, spec: Partial<TaskSpec>, attempts: number]>([
    ['the gate', { concurrency: 1 }, {}, 0],
    ['a backoff', {}, { backoff: { firstMs: 1_000 }, run: () => Promise.reject(new Error('no')) }, 1],
    ['an interval', {}, { restart: 'always', intervalMs: 1_000 }, 1],
  ])('it ends the wait at %s at once, with no timer left', async (_, options, spec, attempts) => {
    const { supervisor, clock, owner } = await ownedSlot({}, options);
    const submission = supervisor.submit({ slot: 't', run: () => 'x', deadlineMs: 100, ...spec });
    await clock.advance(100);
    expect(await submission.outcome).toEqual({ kind: 'canceled', by: 'deadline', attempts });
    owner.open('go');
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ slots: [], totals: { attempts: attempts + 1 } });
    expect(clock.timers).toBe(0);
  });

  test('the shorter of the two bounds of waiting counts', async () => {
    const { add, clock, owner } = await ownedSlot();
    const [a, b] = [add('a', { queueTimeoutMs: 10, deadlineMs: 20 }), add('b', { queueTimeoutMs: 20, deadlineMs: 10 })];
    await clock.advance(30);
    expect([await a.outcome, await b.outcome]).toEqual([rejected('queueTimeout'), rejected('deadline')]);
    owner.open('go');
  });
});

describe('the signal of a submission', () => {
  test('waiting: rejected canceled; started: told to stop with its reason; both leave no listener', async () => {
    const { add, owner, clock, started } = await ownedSlot();
    const control = new AbortController();
    const gate = gateBody();
    const waiting = add('w', { signal: control.signal });
    const running = add('r', { slot: 't', signal: control.signal, run: gate.body });
    await clock.settle();
    control.abort('enough');
    expect(await waiting.outcome).toEqual(rejected('canceled'));
    await clock.settle();
    expect(gate.calls[0]?.canceled).toBe(true);
    gate.open('late');
    expect(await running.outcome).toEqual({ kind: 'canceled', by: 'signal', reason: 'enough', attempts: 1 });
    owner.open('go');
    await clock.settle();
    expect([started, getEventListeners(control.signal, 'abort')]).toEqual([[], []]);
  });

  test('however many share it, it carries one listener, and none when all have ended', async () => {
    const { add, owner, clock, supervisor } = await ownedSlot({ queueLimit: Infinity });
    const { signal } = new AbortController();
    const many = Array.from({ length: 1_000 }, (_, n) => add(`q${n}`, { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    owner.open('go');
    await Promise.all(many.map(({ outcome }) => outcome));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await clock.settle();
    expect(supervisor.snapshot().slots).toEqual([]);
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

describe('the handle of a slot', () => {
  test('pause starts nothing more, the owner goes on; resume starts what waits', async () => {
    const { handle, add, owner, first, clock, started, recorded } = await ownedSlot();
    handle.pause();
    handle.pause();
    const waiting = add('w');
    expect(owner.calls[0]?.canceled).toBe(false);
    owner.open('went on');
    expect(await first.outcome).toEqual(value('went on'));
    await clock.advance(10_000);
    expect([started, waiting.status, handle.view()]).toMatchObject([[], 'queued', { phase: 'idle', paused: true }]);
    handle.resume();
    handle.resume();
    expect(await waiting.outcome).toEqual(value('w'));
    expect(recorded.types().filter((type) => type.startsWith('slot'))).toEqual(['slotPaused', 'slotResumed']);
  });

  test('an owner in backoff goes on in a paused slot: its retry is not a new start', async () => {
    const { handle, clock, owner, first } = await ownedSlot({}, { defaults: { backoff: { firstMs: 100 } } });
    handle.pause();
    owner.fail(new Error('once'));
    await clock.advance(100);
    owner.open('second');
    expect(await first.outcome).toEqual({ ...value('second'), attempts: 2 });
  });

  test('cancel is one step: the owner is told, all that waits is rejected, and it resolves at proof of end', async () => {
    const { handle, add, owner, first, clock, supervisor, started } = await ownedSlot();
    const waiting = [add('next', { admission: 'replace' }), add('a'), add('b', { admission: 'keepLatest' })];
    const again = add('c');
    let over = false;
    const done = handle.cancel('closing').then(() => {
      over = true;
    });
    for (const one of [...waiting, again]) expect(await one.outcome).toEqual(rejected('canceled'));
    await clock.advance(1_000);
    expect([owner.calls[0]?.canceled, over]).toEqual([true, false]);
    const after = add('after'); // the slot takes work again; it is stopping, not closed
    owner.open('late');
    await done;
    // The replacement came first: its cause stands in the outcome, a later one changes nothing.
    expect(await first.outcome).toEqual({ kind: 'canceled', by: 'replace', attempts: 1 });
    expect(await after.outcome).toEqual(value('after'));
    expect([started, supervisor.snapshot().slots]).toEqual([['after'], []]);
    await handle.cancel(); // idle: nothing to wait for
  });

  test('cancel of an owner that runs is by the slot, with the reason given', async () => {
    const { handle, owner, first } = await ownedSlot();
    const reason = new Error('closing');
    const done = handle.cancel(reason);
    owner.open('late');
    await done;
    expect(await first.outcome).toEqual({ kind: 'canceled', by: 'slot', reason, attempts: 1 });
  });

  test('a paused slot that is canceled stays paused', async () => {
    const { supervisor, clock } = setup();
    const handle = supervisor.slot('s');
    handle.pause();
    const waiting = handle.submit({ run: () => 'x' });
    await handle.cancel();
    expect(await waiting.outcome).toEqual(rejected('canceled'));
    const next = handle.submit({ run: () => 'y' });
    await clock.settle();
    expect([next.status, handle.view().paused]).toEqual(['queued', true]);
  });

  test('drain resolves once there is neither owner nor queue; it stops nothing and turns nothing away', async () => {
    const { handle, add, owner, clock, supervisor } = await ownedSlot();
    const order: string[] = [];
    const gate = gateBody();
    const drained = Promise.all([handle.idle(), handle.idle()]).then(() => order.push('drained'));
    const second = add('second', { run: gate.body });
    void second.outcome.then(() => order.push('second'));
    owner.open('first');
    await clock.settle();
    expect([order, second.status]).toEqual([[], 'running']);
    gate.open('second');
    await drained;
    expect(order.sort()).toEqual(['drained', 'second']);
    expect(supervisor.snapshot().slots).toEqual([]);
    await handle.idle();
  });

  test('drain of a paused slot with waiting work waits for its resume', async () => {
    const { supervisor, clock } = setup();
    const handle = supervisor.slot('s');
    handle.pause();
    await handle.idle(); // paused, with neither owner nor queue
    handle.submit({ run: () => 'x' });
    let drained = false;
    void handle.idle().then(() => {
      drained = true;
    });
    await clock.advance(1_000);
    expect(drained).toBe(false);
    handle.resume();
    await clock.settle();
    expect(drained).toBe(true);
  });

  test('the view shows the owner and the line in the order in which they will go', async () => {
    const { handle, add, owner, first, clock } = await ownedSlot();
    expect(handle.view()).toMatchObject({ name: 's', phase: 'running', paused: false, queued: [] });
    add('a', { meta: { for: 'a' } });
    add('next', { admission: 'replace' });
    await clock.advance(30);
    expect(handle.view()).toMatchObject({
      phase: 'stopping',
      owner: { id: first.id, status: 'stopping', attempt: 1, sinceMs: 30 },
      queued: [
        { name: 'next', status: 'queued', attempt: 0, sinceMs: 30 },
        { name: 'a', meta: { for: 'a' } },
      ],
    });
    owner.open('go');
  });

  test('an idle slot leaves the table, and what configure set stays', async () => {
    const { handle, add, owner, clock, supervisor } = await ownedSlot();
    handle.configure({ admission: 'dropIfRunning', queueLimit: 0 });
    owner.open('done');
    await clock.settle();
    expect(supervisor.snapshot().slots).toEqual([]);
    expect(handle.view()).toEqual({ name: 's', phase: 'idle', paused: false, queued: [] });
    const again = gateBody();
    add('again', { run: again.body });
    expect(await add('dropped').outcome).toMatchObject({ reason: 'slotBusy' });
    expect(await add('queued', { admission: 'queue' }).outcome).toEqual(rejected('queueFull'));
    again.open('done');
  });

  test.each(['pause then resume', 'cancel', 'drain', 'view', 'rejected submit'])(
    '%s leaves no entry of an idle slot',
    async (what) => {
      const { supervisor } = setup();
      const handle = supervisor.slot('idle');
      if (what === 'cancel') await handle.cancel();
      else if (what === 'drain') await handle.idle();
      else if (what === 'view') handle.view();
      else if (what === 'rejected submit') handle.submit({ signal: AbortSignal.abort(), run: () => 'x' });
      else {
        handle.pause();
        expect(supervisor.snapshot().slots).toHaveLength(1);
        handle.resume();
      }
      expect(supervisor.snapshot().slots).toEqual([]);
    },
  );
});
