// What stats() and slots() show, and what a view says of waiting and stopping.

import type { SlotView, Stats, Submission, TaskView } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { never } from '../../support/bodies.ts';
import { grantingSlot, leasedSlot } from '../../support/leased-slot.ts';
import { wrongCounts } from '../../support/recount.ts';
import type { Act, Given } from '../../support/scenario.ts';
import { boom, cancel, scenario, wait } from '../../support/scenario.ts';

const sum = ({ tasks, joined }: Stats): number => Object.values(tasks).reduce((total, count) => total + count, joined);

describe('stats()', () => {
  test('counts a flight once, and its other participants as joined, also after its leader has left', async () => {
    const { supervisor, clock, put } = scenario();
    const leader = put();
    for (let n = 0; n < 3; n += 1) put({ admission: 'join' });
    const waiting = [put({ slot: 't' }), put({ slot: 't' }), put({ slot: 't', admission: 'queue' })];
    await clock.settle();
    expect(supervisor.stats()).toMatchObject({ joined: 3, queued: 2, tasks: { running: 2, queued: 2 } });
    void leader.cancel();
    void waiting[1]?.cancel();
    expect(supervisor.stats()).toMatchObject({ joined: 2, queued: 1, tasks: { running: 2, queued: 1 } });
    expect(sum(supervisor.stats())).toBe(supervisor.tasks().length);
  });

  test('counts no task, one owner and one body where all participants have left and the body goes on', async () => {
    const { supervisor, clock, gate, put } = scenario();
    const both = [put(), put({ admission: 'join' })];
    await clock.settle();
    for (const one of both) void one.cancel();
    await clock.advance(150);
    const stats = supervisor.stats();
    expect(stats).toMatchObject({ owners: 1, bodies: 1, overrun: 1, joined: 0, slotCount: 1 });
    expect([sum(stats), supervisor.tasks()]).toEqual([0, []]);
    gate.open('out');
    await clock.settle();
    expect(supervisor.stats()).toMatchObject({ owners: 0, bodies: 0, overrun: 0, slotCount: 0 });
  });

  test('counts what waits for its first attempt as pending, also without limits.pending', async () => {
    const { supervisor, clock, put } = scenario({ concurrency: 1 });
    put({ slot: 'a' });
    put({ slot: 'b' });
    put({ slot: 'b' });
    await clock.settle();
    expect(supervisor.stats()).toMatchObject({
      pending: 2,
      queued: 1,
      tasks: { running: 1, starting: 1, queued: 1 },
      gate: { paused: false, concurrency: 1, inside: 1, queued: 1 },
    });
    await supervisor.slot('b').cancel();
    expect(supervisor.stats()).toMatchObject({ pending: 0, queued: 0, gate: { inside: 1, queued: 0 } });
  });

  test('counts an owner as pending no more once it has a place at the gate, before its turn has come', async () => {
    const { supervisor, clock, put } = scenario({ concurrency: 1, limits: { pending: 1 } });
    put({ slot: 'a' });
    put({ slot: 'b' });
    await clock.settle();
    supervisor.configure({ concurrency: 2 });
    expect(supervisor.stats()).toMatchObject({ pending: 0, gate: { inside: 2, queued: 0 }, tasks: { starting: 1 } });
    expect([put({ slot: 'a' }), put({ slot: 'a' })].map(({ admission }) => admission)).toEqual(['queued', 'rejected']);
  });

  test.each<[string, Act]>([
    ['a pause', ({ supervisor }) => supervisor.pause()],
    ['a limit', ({ supervisor }) => supervisor.configure({ concurrency: 1 })],
  ])('agrees with the views of owners that have met no gate yet when there is %s', async (_, close) => {
    const made = scenario();
    for (const slot of ['a', 'b']) made.put({ slot });
    void close(made, made.all[0] as Submission); // before the first turn
    expect(wrongCounts(made.supervisor)).toEqual([]);
    await made.clock.settle();
    expect(wrongCounts(made.supervisor)).toEqual([]);
    expect(made.supervisor.stats().pending).toBeGreaterThan(0);
  });

  test('counts a suspended owner without an attempt as pending', async () => {
    const { supervisor, store, clock, put } = leasedSlot(undefined, { concurrency: 1 });
    supervisor.pause();
    put({ restart: 'onFailure' });
    store.asks[0]?.grant();
    await clock.settle();
    store.leases[0]?.lose();
    expect(supervisor.stats()).toMatchObject({
      pending: 1,
      tasks: { suspended: 1 },
      gate: { paused: true, queued: 0 },
    });
  });

  test('counts failed attempts by the kind of their failure, and no attempt that threw after a stop request', async () => {
    const { supervisor, clock, put } = scenario();
    put({ slot: 'a', run: () => Promise.reject(boom) });
    put({ slot: 'b', run: (ctx) => ctx.sleep(Infinity), timeoutMs: 10 });
    put({ slot: 'c', run: (ctx) => ctx.sleep(Infinity), stallMs: 10 });
    const stopped = put({ slot: 'd', run: (ctx) => ctx.sleep(Infinity).catch(() => Promise.reject(boom)) });
    await clock.settle();
    void stopped.cancel();
    await clock.advance(20);
    expect(supervisor.stats().failures).toEqual({ thrown: 1, timedOut: 1, stalled: 1, exited: 0 });
  });

  test('counts an attempt that overran once, also where it is given up later', async () => {
    const { supervisor, clock, put } = scenario();
    void put({ run: never }).cancel();
    await clock.settle();
    const one = put({ run: never });
    await clock.settle();
    void one.cancel();
    await clock.advance(100);
    expect(supervisor.stats()).toMatchObject({ overrun: 1, totals: { overruns: 1 } });
    void supervisor.shutdown({ graceMs: 0 });
    await clock.advance(100);
    expect(supervisor.stats()).toMatchObject({ overrun: 0, bodies: 0, abandonedAlive: 1, totals: { overruns: 1 } });
  });

  test('counts no body, and a starting task, while retryIf decides', async () => {
    const { supervisor, clock, put } = scenario();
    const seen: Stats[] = [];
    const retryIf = (): boolean => {
      seen.push(supervisor.stats());
      return false;
    };
    put({ restart: 'onFailure', retryIf, run: () => Promise.reject(boom) });
    await clock.settle();
    expect(seen).toMatchObject([{ owners: 1, bodies: 0, tasks: { starting: 1, running: 0 } }]);
  });

  test('counts dropped events, and rejections by reason', async () => {
    const { supervisor, put } = scenario();
    supervisor.subscribe(() => {}, { capacity: 1 });
    put({ run: never });
    put({ admission: 'dropIfRunning' });
    expect(supervisor.stats()).toMatchObject({ rejections: { slotBusy: 1, queueFull: 0 } });
    expect(supervisor.stats().eventsDropped).toBeGreaterThan(0);
  });

  test('may be asked by a lease store, and adds up there, too', async () => {
    const { supervisor, store, clock, put } = grantingSlot();
    const wrong: unknown[] = [];
    const look = (): void => {
      const stats = supervisor.stats();
      const negative = [stats.joined, stats.queued, ...Object.values(stats.tasks)].some((count) => count < 0);
      if (negative || sum(stats) !== supervisor.tasks().length) wrong.push(stats);
    };
    const { respond, onRelease } = store;
    store.respond = (ask) => {
      look();
      return respond?.(ask);
    };
    store.onRelease = (lease) => {
      look();
      return onRelease?.(lease);
    };
    const owner = put();
    for (let n = 0; n < 3; n += 1) put();
    put({ admission: 'join' });
    await clock.settle();
    void owner.cancel();
    void supervisor.slot('s').cancel();
    await clock.advance(1_000);
    expect(wrong).toEqual([]);
  });
});

describe('slots()', () => {
  test('shows the live slots in turn, with as many of what waits as it was asked for, and counts all', async () => {
    const { supervisor, clock, put } = scenario();
    for (let n = 0; n < 4; n += 1) put({ slot: 'a', run: never });
    put({ slot: 'b', run: never });
    await clock.settle();
    const seen = (views: Iterable<SlotView>) =>
      [...views].map(({ name, queuedCount, queued }) => `${name} ${queuedCount} ${queued.length}`);
    expect(seen(supervisor.slots({ queued: 2 }))).toEqual(['a 3 2', 'b 0 0']);
    expect(seen(supervisor.slots({ queued: 0 }))).toEqual(['a 3 0', 'b 0 0']);
    expect([...supervisor.slots()]).toEqual(supervisor.snapshot().slots);
    expect(supervisor.slot('a').view({ queued: 1 })).toMatchObject({ queuedCount: 3, queued: [{ attempt: 0 }] });
  });

  test('makes each view when it is reached', () => {
    const { supervisor, put } = scenario();
    put({ slot: 'a' });
    put({ slot: 'b' });
    const views = supervisor.slots();
    expect(views.next().value).toMatchObject({ name: 'a', queuedCount: 0 });
    put({ slot: 'b' });
    expect(views.next().value).toMatchObject({ name: 'b', queuedCount: 1 });
  });

  test('ends, also where slots become idle and live again while it is read', () => {
    const { supervisor } = scenario();
    for (const name of ['a', 'b']) supervisor.slot(name).pause();
    const seen: string[] = [];
    for (const { name } of supervisor.slots()) {
      seen.push(name);
      supervisor.slot(name).resume();
      supervisor.slot(name).pause();
    }
    expect(seen).toEqual(['a', 'b']);
  });

  test.for([-1, 1.5, Number.NaN, '3', null])('refuses queued: %o when it is called', (queued) => {
    const { supervisor } = scenario();
    const refusal = expect.objectContaining({ name: 'OptionError', field: 'queued' });
    expect(() => supervisor.slots({ queued: queued as number })).toThrow(refusal);
    expect(() => supervisor.slot('s').view({ queued: queued as number })).toThrow(refusal);
    expect(() => supervisor.slots({ queue: 3 } as object)).toThrow(/did you mean queued\?/);
  });
});

describe('a view says what a task waits for', () => {
  const fail: Act = ({ gate }) => gate.fail(boom);
  const pauseAll: Act = ({ supervisor }) => supervisor.pause();
  test.for<readonly [TaskView['waitingFor'], what: string, given: Given, acts: readonly Act[]]>([
    ['owner', 'behind an owner', { owned: true }, []],
    ['owner', 'behind an owner of a paused slot', { owned: true }, [({ supervisor }) => supervisor.slot('s').pause()]],
    ['gate', 'where no place is free', { owned: true, slot: 'x', options: { concurrency: 1 } }, []],
    [
      'rate',
      'where the rate is used up',
      { owned: true, slot: 'x', options: { rate: { limit: 1, intervalMs: 1e3 } } },
      [],
    ],
    ['supervisorPaused', 'under a pause that began after submit', {}, [pauseAll]],
    ['backoff', 'after a failure', { restart: 'onFailure' }, [wait(0), fail]],
    ['interval', 'after a success', { restart: 'always', intervalMs: 9 }, [wait(0), ({ gate }) => gate.open('out')]],
    [undefined, 'where it is about to begin', {}, []],
    [undefined, 'while its body runs', {}, [wait(0)]],
    [undefined, 'while its body stops', {}, [wait(0), cancel]],
  ])('%s, %s', async ([expected, , { owned, options, ...spec }, acts]) => {
    const made = scenario(options);
    if (owned) made.put({ run: never });
    await made.clock.settle();
    const one = made.put(spec);
    for (const act of acts) await act(made, one);
    if (acts.length > 0 && expected !== 'supervisorPaused') await made.clock.settle();
    expect(made.supervisor.tasks().at(-1)?.waitingFor).toBe(expected);
    await made.clock.settle();
    if (expected !== undefined) expect(made.supervisor.tasks().at(-1)?.waitingFor).toBe(expected);
  });

  test('slotPaused in a paused slot without an owner, and lease while its lease is requested', () => {
    const { supervisor, put } = leasedSlot();
    supervisor.slot('s').pause();
    put();
    expect(supervisor.slot('s').view()).toMatchObject({ queued: [{ status: 'queued', waitingFor: 'slotPaused' }] });
    supervisor.slot('s').resume();
    expect(supervisor.slot('s').view()).toMatchObject({ queued: [{ status: 'queued', waitingFor: 'lease' }] });
  });

  test('lease while it is suspended, and who stopped its body before that', async () => {
    const { supervisor, store, clock, gate, put } = leasedSlot();
    put({ restart: 'onFailure' });
    store.asks[0]?.grant();
    await clock.settle();
    store.leases[0]?.lose();
    await clock.settle();
    expect(supervisor.tasks()).toMatchObject([{ status: 'stopping', stop: { by: 'leaseLost' } }]);
    gate.open('out');
    await clock.settle();
    expect(supervisor.tasks()).toMatchObject([{ status: 'suspended', waitingFor: 'lease' }]);
    expect(supervisor.tasks()[0]).not.toHaveProperty('stop');
  });
});

describe('a view says who stopped the body, while it has not ended', () => {
  test.for<readonly [by: string, what: string, spec: Given, act: Act]>([
    ['caller', 'cancel()', {}, cancel],
    ['caller', 'restart()', {}, (_, one) => void one.restart()],
    ['deadline', 'a timeout', { timeoutMs: 10 }, wait(10)],
    ['deadline', 'a stall', { stallMs: 8 }, wait(10)],
    ['slot', 'slot.cancel()', {}, ({ supervisor }) => void supervisor.slot('s').cancel()],
    ['replace', 'a replacement', {}, ({ put }) => void put({ admission: 'replace' })],
  ])('%s for %s', async ([by, , spec, act]) => {
    const made = scenario({ defaults: { graceMs: 20 } });
    const one = made.put({ ...spec, run: never });
    await made.clock.settle();
    expect(made.supervisor.tasks()[0]?.stop).toBeUndefined();
    await act(made, one);
    await made.clock.settle();
    const since = made.supervisor.tasks()[0]?.stop?.sinceMs ?? Number.NaN;
    await made.clock.advance(5);
    expect(made.supervisor.tasks()[0]?.stop).toEqual({ by, sinceMs: since + 5 });
  });

  test('the cause of the task, where its attempt had timed out before', async () => {
    const { supervisor, clock, put } = scenario();
    const one = put({ run: never, timeoutMs: 10 });
    await clock.advance(15);
    void one.cancel();
    expect(supervisor.tasks()).toMatchObject([{ stop: { by: 'caller', sinceMs: 5 } }]);
  });
});

describe('slot.explain()', () => {
  test('gives the facts of a live slot, and of a slot that is not live', async () => {
    const { supervisor, clock, put } = scenario();
    const owner = put({ name: 'first', run: never });
    await clock.settle();
    const behind = put({ name: 'second' });
    void owner.cancel();
    await clock.advance(2_000);
    const text = supervisor.slot('s').explain();
    for (const fact of ['"first"', owner.id, 'by caller', '2 s', 'overran', '1 waits', '"second"', behind.id])
      expect(text).toContain(fact);
    expect(supervisor.slot('no such slot').explain()).toMatch(/"no such slot".* is idle/);
    void supervisor.shutdown();
    expect(supervisor.slot('no such slot').explain()).toContain('a shutdown has begun');
  });

  test('says that the slot waits for its lease, that the request was called off, and that the store has stalled', async () => {
    const { supervisor, store, clock, put } = leasedSlot();
    const one = put();
    await clock.advance(1_000);
    expect(supervisor.slot('s').explain()).toMatch(/waited for its lease for 1 s: another process/);
    void one.cancel();
    expect(supervisor.slot('s').explain()).toContain('the request was called off');
    expect(supervisor.slot('s').explain()).not.toContain('the request that was called off');
    await clock.advance(30_000);
    expect(supervisor.slot('s').explain()).toContain('has not answered the request that was called off for 30 s');
    store.asks[0]?.deny();
    await clock.settle();
    expect(supervisor.slot('s').explain()).toContain('is idle');
    expect(supervisor.slot('s').explain()).not.toContain('has not answered');
  });
});
