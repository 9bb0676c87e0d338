// An owner that goes on after a lost lease: it is suspended until the slot has another one.

import type { Submission, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { expectAtRest, type LeasedSlot, leasedSlot, owned } from '../../support/leased-slot.ts';

const down = new Error('the store is down');
const RETRY: Partial<TaskSpec<string>> = { restart: 'onFailure', backoff: { firstMs: 1_000, jitter: 'none' } };
const KEEP: Partial<TaskSpec<string>> = { restart: 'always', intervalMs: 1_000, backoff: { firstMs: 1_000 } };

/** An owner that lost its lease. Its body has ended, and the second request is out. */
async function suspended(spec: Partial<TaskSpec<string>> = KEEP) {
  const made = await owned(spec);
  const { clock, store, gate, owner } = made;
  store.respond = () => undefined;
  store.lease.lose();
  await clock.settle();
  gate.open('dropped');
  await clock.settle();
  expect(owner.status).toBe('suspended');
  return made;
}

type Lost = LeasedSlot & { readonly owner: Submission<string> };

/** Where an owner without a body may be when its lease is lost. */
const places: readonly [name: string, make: () => Promise<Lost>][] = [
  [
    'in backoff',
    async () => {
      const made = await owned(RETRY);
      made.gate.fail(new Error('again'));
      await made.clock.settle();
      expect(made.owner.status).toBe('backoff');
      return made;
    },
  ],
  [
    'in an interval',
    async () => {
      const made = await owned(KEEP);
      made.gate.open('value');
      await made.clock.settle();
      expect(made.owner.status).toBe('interval');
      return made;
    },
  ],
  [
    'at the gate for its first attempt',
    async () => {
      const made = leasedSlot(FakeLeaseStore.granting());
      made.supervisor.pause();
      const owner = made.put(KEEP);
      await made.clock.settle();
      expect(owner.status).toBe('starting');
      return { ...made, owner };
    },
  ],
  [
    'at the gate for a retry',
    async () => {
      const made = await owned(RETRY);
      made.gate.fail(new Error('again'));
      made.supervisor.pause();
      await made.clock.advance(1_000);
      expect(made.owner.status).toBe('starting');
      return made;
    },
  ],
];

describe('an owner whose lease is lost', () => {
  for (const restart of ['onFailure', 'always'] as const)
    test(`in a body, with restart ${restart}, is stopped, suspended, and gets a fresh attempt with the fence of the next lease`, async () => {
      const made = await owned({ restart });
      const { supervisor, clock, store, gate, owner, recorded } = made;
      store.respond = () => undefined;
      store.lease.lose();
      expect(owner.status).toBe('stopping');
      await clock.settle();
      expect(gate.calls[0]?.signal.reason).toMatchObject({
        by: 'leaseLost',
        message: 'the lease of the slot was lost',
      });
      expect(store.calls).toEqual(['acquire s']); // released at proof of end only
      gate.open('dropped');
      await clock.settle();
      expect(store.calls).toEqual(['acquire s', 'release s 1', 'acquire s']);
      expect(store.ask.request).toMatchObject({ owner: owner.id, policy: 'queue' });
      expect(store.ask.urgent.aborted).toBe(false);
      expect(owner.status).toBe('suspended');
      await clock.advance(500);
      expect(supervisor.slot('s').view()).toMatchObject({
        phase: 'running',
        owner: { id: owner.id, status: 'suspended', attempt: 1, sinceMs: 500 },
      });
      store.ask.grant();
      await clock.settle();
      expect([owner.status, gate.alive]).toEqual(['running', 1]);
      expect(gate.calls.map(({ attempt, fence, canceled }) => [attempt, fence, canceled])).toEqual([
        [1, 1n, true],
        [2, 2n, false],
      ]);
      expect(recorded.types(owner.id)).toEqual([
        ...['submitted', 'queued', 'started', 'attemptStarted'],
        ...['stopRequested', 'attemptCanceled', 'attemptStarted'],
      ]);
      expect(recorded.of('stopRequested')).toMatchObject([{ by: 'leaseLost' }]);
      void owner.cancel();
      gate.open('out');
      await expectAtRest(made);
    });

  for (const [where, make] of places)
    test(`${where} is suspended at once, and gets a fresh attempt once there is a lease`, async () => {
      const made = await make();
      const { supervisor, clock, store, gate, owner, recorded } = made;
      const { attempt } = supervisor.slot('s').view().owner ?? {};
      store.respond = () => undefined;
      store.lease.lose();
      expect(owner.status).toBe('suspended');
      expect(store.calls).toEqual(['acquire s', 'release s 1', 'acquire s']);
      supervisor.resume();
      await clock.advance(10_000);
      expect([gate.alive, clock.timers]).toEqual([0, 0]);
      store.ask.grant();
      await clock.settle();
      expect(gate.calls.at(-1)).toMatchObject({ attempt: (attempt ?? 0) + 1, fence: 2n });
      expect(recorded.of('stopRequested')).toMatchObject([{ by: 'leaseLost' }]);
      void owner.cancel();
      gate.open('out');
      await expectAtRest(made);
    });

  test('with restart never is canceled by leaseLost', async () => {
    const { store, owner, gate } = await owned({ restart: 'never' });
    store.lease.lose();
    gate.open('out');
    expect(await owner.outcome).toEqual({ kind: 'canceled', by: 'leaseLost', value: 'out', attempts: 1 });
  });

  test('has what its body returned before the loss', async () => {
    const { store, owner, gate } = await owned({ restart: 'onFailure' });
    gate.open('in time');
    await Promise.resolve();
    expect(await owner.value()).toBe('in time');
    store.lease.lose();
    expect(await owner.outcome).toEqual({ kind: 'completed', value: 'in time', attempts: 1 });
  });

  for (const [what, end] of [
    ['returned', ({ gate }: Lost) => gate.open('too late')],
    ['threw', ({ gate }: Lost) => gate.fail(new Error('too late'))],
  ] as const)
    test(`does not have what its body ${what} after the loss`, async () => {
      const made = await owned({ restart: 'onFailure', maxRetries: 0 });
      const { supervisor, clock, store, gate, owner, recorded } = made;
      store.lease.lose();
      end(made);
      await clock.settle();
      expect(owner.status).toBe('running'); // again
      expect(supervisor.snapshot().totals).toMatchObject({ retries: 0, completed: 0, failed: 0 });
      expect(supervisor.tasks()[0]?.lastFailure).toBeUndefined();
      expect([recorded.of('attemptFailed'), recorded.of('attemptSucceeded')]).toEqual([[], []]);
      gate.open('second');
      expect(await owner.outcome).toEqual({ kind: 'completed', value: 'second', attempts: 2 });
    });

  test('and that is canceled then has no value, also after a timeout', async () => {
    for (const spec of [{}, { timeoutMs: 10 }]) {
      const { clock, store, gate, owner } = await owned({ restart: 'onFailure', ...spec });
      await clock.advance(10);
      store.lease.lose();
      void owner.cancel();
      gate.open('too late');
      const outcome = await owner.outcome;
      expect(outcome).toMatchObject({ kind: 'canceled', by: 'caller', attempts: 1 });
      expect(outcome).not.toHaveProperty('value');
    }
  });

  test('begins its streak and its restart limit again', async () => {
    const { clock, store, gate, owner } = await owned({
      ...RETRY,
      maxRetries: 2,
      restartLimit: { restarts: 2, withinMs: 1_000_000 },
    });
    for (const _ of [1, 2]) {
      gate.fail(new Error('again'));
      await clock.advance(10_000);
    }
    store.lease.lose();
    gate.fail(new Error('on its way out'));
    await clock.settle();
    for (const delayMs of [1_000, 2_000]) {
      expect(owner.status).toBe('running');
      gate.fail(new Error('again'));
      await clock.advance(delayMs - 1);
      expect(owner.status).toBe('backoff');
      await clock.advance(1);
    }
    gate.fail(new Error('the third'));
    expect(await owner.outcome).toMatchObject({ kind: 'failed', attempts: 6, because: 'maxRetries' });
  });

  test('is suspended after a timeout, too, when its body has ended', async () => {
    const { clock, store, gate, owner } = await owned({ ...RETRY, timeoutMs: 10 });
    await clock.advance(10);
    expect(owner.status).toBe('stopping');
    store.respond = () => undefined;
    store.lease.lose();
    gate.open('late');
    await clock.settle();
    expect(owner.status).toBe('suspended');
    store.ask.grant();
    await clock.settle();
    expect(gate.calls.at(-1)?.fence).toBe(2n);
  });

  test('again and again asks again each time', async () => {
    const made = await owned(KEEP);
    const { clock, store, gate, owner } = made;
    for (let n = 2; n <= 5; n += 1) {
      store.lease.lose();
      gate.open('dropped');
      await clock.settle();
      expect(gate.calls.at(-1)).toMatchObject({ fence: BigInt(n), attempt: n });
    }
    void owner.cancel();
    gate.open('out');
    await expectAtRest(made);
  });
});

describe('a suspended owner', () => {
  const endings: readonly [
    name: string,
    spec: Partial<TaskSpec<string>>,
    end: (made: Lost, parent: AbortController) => unknown,
    by: string,
  ][] = [
    ['cancel', {}, ({ owner }) => void owner.cancel(), 'caller'],
    ['its signal', {}, (_, parent) => parent.abort('why'), 'signal'],
    ['its deadline', { deadlineMs: 50 }, ({ clock }) => clock.advance(50), 'deadline'],
    ['slot.cancel', {}, ({ supervisor }) => void supervisor.slot('s').cancel(), 'slot'],
    ['a shutdown', {}, ({ supervisor }) => void supervisor.shutdown(), 'shutdown'],
  ];
  for (const [name, spec, end, by] of endings)
    test(`is ended at once by ${name}, and its request is called off`, async () => {
      const parent = new AbortController();
      const made = await suspended({ ...KEEP, ...spec, signal: parent.signal });
      await end(made, parent);
      expect(made.owner.status).toBe('ended');
      expect(await made.owner.outcome).toMatchObject({ kind: 'canceled', by, attempts: 1 });
      expect(made.store.ask.signal.aborted).toBe(true);
      made.store.ask.grant();
      await expectAtRest(made); // the late lease was released
    });

  for (const [name, spec, end] of endings.slice(0, 3))
    test(`that is ended by ${name} leaves its request to the next in the queue`, async () => {
      const parent = new AbortController();
      const made = await suspended({ ...KEEP, ...spec, signal: parent.signal });
      const { clock, store, gate, put } = made;
      const waiting = put();
      await end(made, parent);
      expect([store.acquires, store.ask.signal.aborted]).toEqual([2, false]);
      store.ask.grant();
      await clock.settle();
      expect([waiting.status, gate.calls.at(-1)?.fence]).toEqual(['running', 2n]);
    });

  test('is ended at once by a replacement, which gets its request, urged', async () => {
    const made = await suspended();
    const { clock, store, gate, put, owner } = made;
    const queued = put();
    const replacement = put({ admission: 'replace' });
    expect(await owner.outcome).toEqual({ kind: 'canceled', by: 'replace', attempts: 1 });
    expect([store.acquires, store.ask.urgent.aborted, store.ask.signal.aborted]).toEqual([2, true, false]);
    store.ask.grant();
    await clock.settle();
    expect([replacement.status, queued.status]).toEqual(['running', 'queued']);
    expect(gate.calls.at(-1)?.id).toBe(replacement.id);
  });

  test('is shared by a join, makes dropIfRunning busy, and makes a queue wait', async () => {
    const { clock, store, gate, put, owner } = await suspended(RETRY);
    const joined = put({ admission: 'join' });
    const dropped = put({ admission: 'dropIfRunning' });
    const queued = put();
    expect([joined.admission, joined.status, queued.status]).toEqual(['joined', 'suspended', 'queued']);
    expect(await dropped.outcome).toEqual({ kind: 'rejected', reason: 'slotBusy', by: owner.id });
    store.ask.grant();
    await clock.settle();
    gate.open('shared');
    expect(await joined.value()).toBe('shared');
    await clock.settle();
    expect(queued.status).toBe('running');
  });

  test('ends for a join alone when its submitter leaves', async () => {
    const { clock, store, gate, put, owner } = await suspended(RETRY);
    const joined = put({ admission: 'join' });
    expect(await owner.cancel()).toMatchObject({ kind: 'canceled', by: 'caller' });
    expect([joined.status, store.ask.signal.aborted]).toEqual(['suspended', false]);
    store.ask.grant();
    await clock.settle();
    gate.open('shared');
    expect(await joined.value()).toBe('shared');
  });

  test('is not restarted: restart() returns false', async () => {
    const { owner, store } = await suspended();
    expect([owner.restart(), owner.status, store.acquires]).toEqual([false, 'suspended', 2]);
  });

  test('goes on in a paused slot', async () => {
    const { supervisor, clock, store, owner } = await suspended();
    supervisor.slot('s').pause();
    expect(store.ask.signal.aborted).toBe(false);
    store.ask.grant();
    await clock.settle();
    expect(owner.status).toBe('running');
  });

  test('waits at a paused gate once it has a lease', async () => {
    const { supervisor, clock, store, owner, gate } = await suspended();
    supervisor.pause();
    store.ask.grant();
    await clock.settle();
    expect([owner.status, gate.alive]).toEqual(['starting', 0]);
    supervisor.resume();
    await clock.settle();
    expect(gate.alive).toBe(1);
  });

  test('holds no place at the concurrency gate', async () => {
    const made = leasedSlot(FakeLeaseStore.granting());
    const { supervisor, clock, store, gate, put } = made;
    supervisor.configure({ concurrency: 1 });
    const owner = put(KEEP);
    const other = put({ slot: 'other' });
    await clock.settle();
    store.respond = () => undefined;
    store.held('s')?.lose();
    gate.open('dropped');
    await clock.settle();
    expect([owner.status, other.status]).toEqual(['suspended', 'running']);
  });

  test('is not canceled by queueTimeoutMs once it has had an attempt', async () => {
    const { clock, owner } = await suspended({ ...KEEP, queueTimeoutMs: 10 });
    await clock.advance(1_000);
    expect(owner.status).toBe('suspended');
  });

  test('without an attempt is canceled by queueTimeoutMs, and counts to limits.pending', async () => {
    const store = new FakeLeaseStore();
    const { supervisor, clock, put } = leasedSlot(store, { limits: { pending: 1 } });
    const owner = put({ ...KEEP, queueTimeoutMs: 50 });
    supervisor.pause();
    store.ask.grant();
    await clock.settle();
    store.lease.lose();
    expect(owner.status).toBe('suspended');
    expect(await put({ admission: 'queue' }).outcome).toMatchObject({ kind: 'rejected', reason: 'resourceLimit' });
    await clock.advance(50);
    expect(await owner.outcome).toEqual({ kind: 'canceled', by: 'queueTimeout', attempts: 0 });
    expect(put().status).toBe('queued');
    store.ask.deny();
    await clock.settle();
  });

  test('has the time of its suspension in the waitedMs of its first attempt', async () => {
    const made = leasedSlot(FakeLeaseStore.granting());
    const { supervisor, clock, store, put, recorded } = made;
    supervisor.pause();
    put(KEEP);
    await clock.settle();
    store.respond = () => undefined;
    store.lease.lose();
    supervisor.resume();
    await clock.advance(70);
    store.ask.grant();
    await clock.settle();
    expect(recorded.of('started')).toMatchObject([{ waitedMs: 0 }]);
    expect(recorded.of('attemptStarted')).toMatchObject([{ attempt: 1, waitedMs: 70 }]);
  });
});

describe('a store that refuses the second request', () => {
  const answers: readonly [what: string, answer: (store: FakeLeaseStore) => void, reason: object][] = [
    ['by throwing', (store) => store.ask.fail(down), { reason: down }],
    ['with null', (store) => store.ask.deny(), {}],
    [
      "with 'superseded'",
      (store) => store.ask.supersede(),
      { reason: new TypeError("the lease store may answer 'superseded' to an urgent request only") },
    ],
    ['with nonsense', (store) => store.ask.answer(7), { reason: expect.any(TypeError) }],
    [
      'with a lease that is lost',
      (store) => store.ask.grant().lose(),
      { reason: new Error('the lease was lost before it was granted') },
    ],
  ];
  for (const [what, answer, reason] of answers)
    test(`${what} ends the owner as canceled by leaseLost, and the queue asks for itself`, async () => {
      const made = await suspended();
      const { clock, store, put, owner, gate } = made;
      const joined = put({ admission: 'join' });
      const waiting = put();
      answer(store);
      for (const one of [owner, joined])
        expect(await one.outcome).toEqual({ kind: 'canceled', by: 'leaseLost', ...reason, attempts: 1 });
      expect(store.acquires).toBe(3);
      expect(store.ask.request.owner).toBe(waiting.id);
      store.ask.grant();
      await clock.settle();
      gate.open('next');
      await expectAtRest(made);
    });

  test('in the same turn ends the owner, and the next owner starts', async () => {
    const { clock, store, gate, put, owner } = await owned(KEEP);
    const waiting = put();
    store.respond = (ask) => {
      if (ask.request.owner === owner.id) throw down;
      return store.make('s');
    };
    store.lease.lose();
    gate.open('dropped');
    expect(await owner.outcome).toEqual({ kind: 'canceled', by: 'leaseLost', reason: down, attempts: 1 });
    await clock.settle();
    expect(waiting.status).toBe('running');
  });
});
