import { getEventListeners } from 'node:events';
import type { AdmissionPolicy, Lease, RejectReason, SlotLeases, Submission, TaskSpec } from 'slotvisor';
import { seededRandom } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { type Ask, type FakeLease, FakeLeaseStore } from '../support/fake-lease-store.ts';
import { type GateBody, gateBody } from '../support/gate.ts';
import { type Setup, setup } from '../support/setup.ts';

interface World extends Setup {
  readonly store: FakeLeaseStore;
  readonly gate: GateBody<string>;
  /** Submits the gate's body, checked to start under a held lease (S2). */
  put(spec?: Partial<TaskSpec<string>>): Submission<string>;
}

function world(store = new FakeLeaseStore()): World {
  const base = setup({ leases: store, graceMs: 100 });
  const gate = gateBody();
  const run = store.guard(gate.body);
  return { ...base, store, gate, put: (spec) => base.supervisor.submit({ slot: 's', restart: 'never', ...spec, run }) };
}

const granting = (): World => world(FakeLeaseStore.granting());

/** Owner 's' runs under a granted lease. */
async function owned(spec: Partial<TaskSpec<string>> = {}): Promise<World & { owner: Submission<string> }> {
  const made = granting();
  const owner = made.put(spec);
  await made.clock.settle();
  expect(made.gate.alive).toBe(1);
  return { ...made, owner };
}

/** Nothing is left of the slot, here or at the store. */
async function expectAtRest({ supervisor, clock, store, gate }: World): Promise<void> {
  await clock.settle();
  expect(gate.alive).toBe(0);
  expect(supervisor.snapshot()).toMatchObject({ slots: [], running: 0, queued: 0 });
  expect(supervisor.tasks()).toEqual([]);
  expect(store.leases.filter(({ state }) => state === 'held')).toEqual([]);
  expect(clock.timers).toBe(0);
}

describe('asking for the lease', () => {
  test('a slot that gets work asks for its lease and starts nothing before it has it (S2)', async () => {
    const { supervisor, clock, recorded, store, gate, put } = world();
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

  test("a store that answers in the same turn is never seen as 'waiting'", async () => {
    const { clock, recorded, gate, put } = world(new FakeLeaseStore((ask) => ask.grant()));
    const submission = put();
    expect(submission.admission).toBe('started');
    await clock.settle();
    expect(gate.calls[0]?.fence).toBe(1n);
    expect(recorded.types(submission.id)).toEqual(['submitted', 'started', 'attemptStarted']);
  });

  test('local leases, the default, are granted in the same turn, with fence 0', async () => {
    const { supervisor, recorded } = setup();
    const submission = supervisor.submit({ slot: 's', run: ({ fence }) => fence });
    expect(submission.admission).toBe('started');
    expect(await submission.value()).toBe(0n);
    expect(recorded.of('queued')).toEqual([]);
  });

  const nothing = (): void => {};
  /** Beside the first, which asked, a newcomer waits. Who owns the slot when the lease comes, and how the first ended if it did. */
  const changes: readonly (readonly [
    name: string,
    first: AdmissionPolicy,
    newcomer: AdmissionPolicy,
    meanwhile: (world: World, first: Submission) => unknown,
    owner: 'first' | 'newcomer',
    firstEnds?: RejectReason,
  ])[] = [
    ['more work in line', 'queue', 'queue', nothing, 'first'],
    ['a replacement', 'queue', 'replace', nothing, 'newcomer'], // and evicts nobody from the line
    ['a later replacement', 'replace', 'replace', nothing, 'newcomer', 'superseded'],
    ['a later keepLatest', 'keepLatest', 'keepLatest', nothing, 'newcomer', 'superseded'],
    ['a cancel', 'queue', 'queue', (_, first) => void first.cancel(), 'newcomer', 'canceled'],
    ['a queueTimeout', 'queue', 'queue', ({ clock }) => clock.advance(1_000), 'newcomer', 'queueTimeout'],
  ];
  for (const [name, policy, admission, meanwhile, winner, firstEnds] of changes)
    test(`${name} that arrives meanwhile changes the candidate, not the request`, async () => {
      const made = world();
      const { clock, store, gate, put } = made;
      const first = put({ admission: policy, queueTimeoutMs: 1_000 });
      const newcomer = put({ admission });
      await meanwhile(made, first);
      await clock.settle();
      expect(store.acquires).toBe(1);
      expect(store.ask.signal.aborted).toBe(false);
      store.ask.grant();
      await clock.settle();
      expect(gate.calls.map(({ id }) => id)).toEqual([{ first, newcomer }[winner].id]);
      expect(store.acquires).toBe(1);
      if (firstEnds === undefined) expect(first.status).not.toBe('ended');
      else expect(await first.outcome).toMatchObject({ kind: 'rejected', reason: firstEnds });
    });

  test('while the lease is asked for, dropIfRunning is turned away: the slot is taken', async () => {
    const { store, put } = world();
    const first = put();
    const dropped = put({ admission: 'dropIfRunning' });
    expect(await dropped.outcome).toEqual({ kind: 'rejected', reason: 'slotBusy', by: first.id });
    expect(store.acquires).toBe(1);
  });

  const parent = new AbortController();
  const endings: readonly [string, Partial<TaskSpec<string>>, (world: World, one: Submission) => unknown, string][] = [
    ['its cancel', {}, (_, one) => void one.cancel(), 'canceled'],
    ['slot.cancel', {}, ({ supervisor }) => void supervisor.slot('s').cancel(), 'canceled'],
    ['its signal', { signal: parent.signal }, () => parent.abort(), 'canceled'],
    ['its queueTimeoutMs', { queueTimeoutMs: 50 }, ({ clock }) => clock.advance(50), 'queueTimeout'],
    ['its deadlineMs', { deadlineMs: 50 }, ({ clock }) => clock.advance(50), 'deadline'],
    ['shutdown', {}, ({ supervisor }) => void supervisor.shutdown(), 'shuttingDown'],
  ];
  for (const [name, spec, end, reason] of endings)
    test(`ended by ${name}, nobody waits: the request is aborted, and a lease that comes all the same is released`, async () => {
      const made = world();
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

  test('a lease that nobody waits for, and that is lost before it arrives, is not released', async () => {
    const made = world();
    void made.put().cancel();
    made.store.ask.grant().lose();
    await expectAtRest(made);
    expect(made.store.calls).toEqual(['acquire s']);
  });

  test('a pause leaves nobody to start: the request is aborted, its late lease released, and resume asks anew', async () => {
    const { supervisor, clock, store, gate, put } = world();
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
    test(`new work after a request was called off waits for its answer, here ${what}, and then asks anew`, async () => {
      const { clock, store, gate, put } = world();
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

  test('null to a dropIfRunning is a rejection, slotBusy; whoever waits behind it asks for itself', async () => {
    const { clock, store, gate, put } = world();
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

  test('null to somebody who has left meanwhile harms nobody: the present candidate asks anew', async () => {
    const { clock, store, put } = world();
    const dropped = put({ admission: 'dropIfRunning' });
    const queued = put();
    void dropped.cancel();
    store.ask.deny();
    await clock.settle();
    expect(queued.status).toBe('queued');
    expect(store.ask.request.owner).toBe(queued.id);
  });
});

describe('a store in trouble', () => {
  const down = new Error('no route to the store');
  const lost = new AbortController().signal;
  const release = (): void => {};
  const fence = 1n;
  const throwDown = (): never => {
    throw down;
  };
  const nonsense: readonly [string, unknown][] = [
    ['a number', 42],
    ['an empty object', {}],
    ['a lease whose fence is a number', { fence: 1, lost, release }],
    ['a lease without release', { fence, lost }],
    ['a lease without lost', { fence, release }],
    ['a lease whose lost is no signal', { fence, lost: { aborted: false }, release }],
    ['a lease whose revoked is no signal', { fence, lost, revoked: 'no', release }],
    ['a lease with throwing getters', Object.defineProperty({ lost, release }, 'fence', { get: throwDown })],
  ];
  const troubles: readonly [string, (request: unknown) => unknown, unknown][] = [
    ['throws', throwDown, down],
    ['rejects', () => Promise.reject(down), down],
    ['rejects with undefined', () => Promise.reject(undefined), undefined],
    // biome-ignore lint/suspicious/noThenProperty: what a broken store may return
    ['answers with a thenable that throws', () => ({ then: throwDown }), down],
    ['answers in the same turn with undefined', () => undefined, expect.any(TypeError)],
    ...nonsense.flatMap(([what, value]): (typeof troubles)[number][] => [
      [`answers in the same turn with ${what}`, () => value, expect.any(TypeError)],
      [`answers later with ${what}`, () => Promise.resolve(value), expect.any(TypeError)],
    ]),
  ];
  for (const [what, acquire, error] of troubles)
    test(`that ${what} rejects whoever asked, leaseUnavailable, and harms nothing else`, async () => {
      let broken = true;
      const good: Lease = { fence: 7n, lost, release };
      const leases = { acquire: (request) => (broken ? acquire(request) : good) } as SlotLeases;
      const { supervisor, clock } = setup({ leases });
      const run = ({ fence: given }: { fence: bigint }): bigint => given;
      const asker = supervisor.submit({ slot: 's', run });
      const behind = supervisor.submit({ slot: 's', run });
      await clock.settle();
      for (const one of [asker, behind]) {
        expect(one.status).toBe('ended');
        expect(await one.outcome).toEqual({
          kind: 'rejected',
          reason: 'leaseUnavailable',
          ...(error !== undefined && { error }),
        });
      }
      expect(supervisor.snapshot()).toMatchObject({ slots: [], running: 0, queued: 0 });
      broken = false;
      expect(await supervisor.submit({ slot: 's', run }).value()).toBe(7n);
    });

  test('a store that answers twice is heard once', async () => {
    const store = new FakeLeaseStore();
    const made = world(store);
    const { clock, gate, put } = made;
    store.respond = (ask) => ({
      // biome-ignore lint/suspicious/noThenProperty: what a broken store may return
      then: (yes: (lease: Lease | null) => void, no: (error: unknown) => void) => {
        ask.promise.then(yes);
        ask.promise.then(() => yes(null)).then(() => no(down));
      },
    });
    const first = put();
    const second = put();
    store.asks[0]?.grant();
    await clock.settle();
    expect(gate.calls.map(({ id }) => id)).toEqual([first.id]);
    expect([first.status, second.status]).toEqual(['running', 'queued']);
    gate.open('one');
    await clock.settle();
    gate.open('two');
    expect(await second.value()).toBe('two');
    expect(store.calls).toEqual(['acquire s', 'release s 1']);
    await expectAtRest(made);
  });

  test('one that hangs keeps its slot waiting, and no other (S9)', async () => {
    const made = world();
    const { supervisor, clock, store, gate, put } = made;
    store.respond = (ask) => {
      if (ask.request.slot !== 's') ask.grant();
    };
    const stuck = put();
    const impatient = put({ queueTimeoutMs: 300 });
    const others = Array.from({ length: 5 }, (_, n) => put({ slot: `other-${n}` }));
    await clock.settle();
    expect(gate.calls.map(({ id }) => id)).toEqual(others.map(({ id }) => id));
    for (const _ of others) gate.open('done');
    expect(await Promise.all(others.map((one) => one.value()))).toEqual(others.map(() => 'done'));
    await clock.advance(300);
    expect(await impatient.outcome).toEqual({ kind: 'rejected', reason: 'queueTimeout' });
    expect(stuck.status).toBe('queued');
    void stuck.cancel();
    expect(await stuck.outcome).toEqual({ kind: 'rejected', reason: 'canceled' });
    expect(supervisor.tasks()).toEqual([]);
    await supervisor.idle();
  });

  test('one that throws for one slot takes nothing from another (S9)', async () => {
    const { clock, store, put } = world();
    store.respond = (ask) => (ask.request.slot === 's' ? throwDown() : ask.grant());
    const refused = [put(), put()];
    const other = put({ slot: 'other' });
    await clock.settle();
    for (const one of refused)
      expect(await one.outcome).toEqual({ kind: 'rejected', reason: 'leaseUnavailable', error: down });
    expect(other).toMatchObject({ admission: 'started', status: 'running' });
  });

  for (const [what, onRelease] of [
    ['throws', throwDown],
    ['rejects', () => Promise.reject(down)],
  ] as const)
    test(`a release that ${what} is the store's to repair: the slot goes on`, async () => {
      const made = granting();
      const { clock, store, gate, put } = made;
      store.onRelease = onRelease;
      for (const value of ['one', 'two']) {
        const submission = put();
        await clock.settle();
        gate.open(value);
        expect(await submission.value()).toBe(value);
        await clock.settle();
      }
      expect(store.calls).toEqual(['acquire s', 'release s 1', 'acquire s', 'release s 2']);
      await expectAtRest(made);
    });

  test('calls for one slot never overlap: a slow release holds back the next request, and other slots not at all', async () => {
    const { clock, store, gate, put } = granting();
    let finish = (): void => {};
    store.onRelease = ({ slot }) =>
      slot === 's'
        ? new Promise((resolve) => {
            finish = resolve;
          })
        : undefined;
    put();
    await clock.settle();
    gate.open('end');
    await clock.settle();
    const next = put();
    const other = put({ slot: 'other' });
    await clock.advance(60_000);
    expect(next).toMatchObject({ admission: 'waiting', status: 'queued' });
    expect(other.status).toBe('running');
    expect(store.calls).toEqual(['acquire s', 'release s 1', 'acquire other']);
    finish();
    await clock.settle();
    expect(next.status).toBe('running');
  });

  test('a request that nobody waits for any more when its turn comes is never made', async () => {
    const { clock, store, gate, put } = granting();
    let finish = (): void => {};
    store.onRelease = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    put();
    await clock.settle();
    gate.open('end');
    await clock.settle();
    void put().cancel();
    finish();
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'release s 1']);
  });
});

describe('holding the lease', () => {
  test('it is kept from owner to owner, and released once, when the slot goes idle', async () => {
    const made = granting();
    const { clock, store, gate, put } = made;
    const three = [put(), put(), put()];
    for (const _ of three) {
      await clock.settle();
      expect(store.calls).toEqual(['acquire s']);
      gate.open('next');
    }
    await Promise.all(three.map((one) => one.outcome));
    expect(gate.calls.map(({ fence }) => fence)).toEqual([1n, 1n, 1n]);
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'release s 1']);
    await expectAtRest(made);
  });

  test('it is released by proof of end, not by a request to stop, a backoff or an overrun', async () => {
    const { clock, store, gate, owner } = await owned({
      restart: 'onFailure',
      backoff: { firstMs: 10, jitter: 'none' },
    });
    gate.fail(new Error('again'));
    await clock.settle();
    expect(owner.status).toBe('backoff');
    expect(store.releases).toBe(0);
    await clock.advance(10);
    void owner.cancel();
    await clock.advance(1_000);
    expect(owner.status).toBe('overrun');
    expect(store.releases).toBe(0);
    gate.open('at last');
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'release s 1']);
  });

  test('the fence grows with every new holding of the lease: ctx.fence and the started event say so', async () => {
    const { clock, store, gate, put, recorded } = granting();
    for (let n = 0; n < 3; n += 1) {
      put();
      await clock.settle();
      gate.open('next');
      await clock.settle();
    }
    expect(store.acquires).toBe(3);
    expect(gate.calls.map(({ fence }) => fence)).toEqual([1n, 2n, 3n]);
    expect(recorded.of('started').map(({ fence }) => fence)).toEqual([1n, 2n, 3n]);
  });

  test('every attempt of one owner has the same fence', async () => {
    const { clock, gate } = await owned({ restart: 'onFailure', backoff: { firstMs: 10, jitter: 'none' } });
    gate.fail(new Error('again'));
    await clock.advance(10);
    expect(gate.calls.map(({ fence }) => fence)).toEqual([1n, 1n]);
  });

  test('an abandoned body raises the fence: the lease is given back and the next owner has a new one', async () => {
    const { clock, store, gate, put, owner } = await owned({ onOverrun: 'abandon' });
    const next = put();
    void owner.cancel();
    await clock.advance(100);
    expect(await owner.outcome).toEqual({ kind: 'abandoned', by: 'caller', attempts: 1 });
    expect(store.calls).toEqual(['acquire s', 'release s 1', 'acquire s']);
    expect(next.status).toBe('running');
    expect(gate.calls.map(({ fence }) => fence)).toEqual([1n, 2n]);
  });

  test('a paused slot gives its lease back when its owner ends', async () => {
    const { supervisor, clock, store, gate, put } = await owned();
    const waiting = put();
    supervisor.slot('s').pause();
    gate.open('end');
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'release s 1']);
    supervisor.slot('s').resume();
    await clock.settle();
    expect(waiting.status).toBe('running');
  });

  for (const [contended, calls, fences] of [
    [true, ['acquire s', 'release s 1', 'acquire s'], [1n, 2n]],
    [false, ['acquire s'], [1n, 1n]],
  ] as const)
    test(`contended ${contended}: between two owners the lease is ${contended ? 'given back and asked for anew' : 'kept'}`, async () => {
      const { clock, store, gate, put } = await owned();
      const second = put();
      store.lease.contended = contended;
      await clock.settle();
      expect(store.calls).toEqual(['acquire s']); // looked at when an owner ends, not before
      gate.open('end');
      await clock.settle();
      expect(store.calls).toEqual(calls);
      expect(second.status).toBe('running');
      expect(gate.calls.map(({ fence }) => fence)).toEqual(fences);
    });

  test('while a contended lease is away, the line keeps its order', async () => {
    const { clock, store, gate, put } = await owned();
    const second = put();
    store.lease.contended = true;
    store.respond = () => undefined;
    gate.open('end');
    await clock.settle();
    const third = put();
    expect([second.status, third.status]).toEqual(['queued', 'queued']);
    store.ask.grant();
    await clock.settle();
    expect([second.status, third.status]).toEqual(['running', 'queued']);
  });

  test('a revoked lease: the owner is told to stop, by replace; then the lease is released, and who waits asks anew', async () => {
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

  test('a lost lease: the owner is told to stop, by leaseLost; nothing starts before a new one is held; the lost one is never released', async () => {
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
    ['revoked, without anybody behind', (lease: FakeLease) => [lease.revoke()], 'replace', 1],
    ['lost, without anybody behind', (lease: FakeLease) => [lease.lose()], 'leaseLost', 0],
  ] as const)
    test(`${name}: canceled by ${by}, and released ${released} times`, async () => {
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
    test(`a lease that comes too late to be of use (${what}): no body is called, ${outcome.kind}`, async () => {
      const store = new FakeLeaseStore((ask) => {
        const lease = store.make(ask.request.slot);
        lease[what]();
        ask.answer(lease);
      });
      const made = world(store);
      const submission = made.put();
      expect(await submission.outcome).toMatchObject(outcome);
      await made.clock.settle();
      expect(made.gate.calls).toEqual([]);
      expect(store.releases).toBe(released);
      await expectAtRest(made);
    });

  test('a lease lost during a backoff ends the task at once', async () => {
    const { clock, store, gate, owner } = await owned({ restart: 'onFailure' });
    gate.fail(new Error('again'));
    await clock.settle();
    expect(owner.status).toBe('backoff');
    store.lease.lose();
    expect(await owner.outcome).toEqual({ kind: 'canceled', by: 'leaseLost', attempts: 1 });
    expect(clock.timers).toBe(0);
  });

  test('news about an old lease changes nothing for the next owner (S8), and nobody listens to it any more', async () => {
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

  test('what one slot loses, another keeps', async () => {
    const { clock, store, gate, put } = await owned();
    const other = put({ slot: 'other' });
    await clock.settle();
    store.held('s')?.lose();
    await clock.settle();
    expect(gate.calls.map(({ canceled }) => canceled)).toEqual([true, false]);
    expect(other.status).toBe('running');
  });
});

describe('shutdown', () => {
  test('every lease is released at proof of end, and the store is closed after the last one', async () => {
    const made = granting();
    const { supervisor, clock, store, gate, put } = made;
    store.onRelease = ({ slot }) =>
      new Promise((resolve) => void clock.setTimer(slot === 's' ? 20 : 10, () => resolve()));
    const owners = [put(), put({ slot: 'other' })];
    await clock.settle();
    const report = supervisor.shutdown();
    await clock.settle();
    expect(store.releases).toBe(0);
    gate.open('out');
    gate.open('out');
    await Promise.all(owners.map((one) => one.outcome));
    await clock.advance(20);
    expect(store.calls.slice(-3)).toEqual(['release s 1', 'release other 1', 'close']);
    expect(await report).toMatchObject({ withinGrace: true, counts: { canceled: 2 } });
    await expectAtRest(made);
  });

  test('an abandoned body at the end of the grace gives its lease back', async () => {
    const { supervisor, clock, store } = await owned();
    const report = supervisor.shutdown({ graceMs: 30 });
    await clock.advance(30);
    expect(await report).toMatchObject({ withinGrace: false, abandoned: [{ slot: 's' }] });
    expect(store.calls).toEqual(['acquire s', 'release s 1', 'close']);
  });

  const forever = (): Promise<never> => new Promise(() => {});
  for (const [call, arrange] of [
    ['acquire', () => {}],
    ['release', (store: FakeLeaseStore) => (store.onRelease = forever)],
    ['close', (store: FakeLeaseStore) => (store.onClose = forever)],
  ] as const)
    test(`is bounded, however long the store hangs in ${call}`, async () => {
      const store = call === 'acquire' ? new FakeLeaseStore() : FakeLeaseStore.granting();
      const { supervisor, clock, put, gate } = world(store);
      arrange(store);
      const submission = put();
      await clock.settle();
      let reported = false;
      const report = supervisor.shutdown({ graceMs: 1_000 });
      void report.then(() => {
        reported = true;
      });
      await clock.settle();
      gate.open('out');
      await clock.settle();
      expect(submission.status).toBe('ended'); // the outcome does not wait for the store
      await clock.advance(4_999);
      expect(reported).toBe(false);
      await clock.advance(1);
      expect(reported).toBe(true);
      expect(await report).toMatchObject({ withinGrace: true });
      expect(clock.timers).toBe(0);
    });

  test('a lease that comes after it is released', async () => {
    const { supervisor, clock, store, put } = world();
    put();
    const report = supervisor.shutdown();
    await clock.advance(5_000);
    await report;
    const late = store.ask.grant();
    await clock.settle();
    expect(late.state).toBe('released');
  });

  test('a store whose close throws or rejects does not keep the report back', async () => {
    for (const close of [
      () => Promise.reject(new Error('no')),
      () => {
        throw new Error('no');
      },
    ]) {
      const { supervisor, clock } = setup({ leases: { acquire: () => null, close } });
      const report = supervisor.shutdown();
      await clock.settle();
      expect(await report).toMatchObject({ withinGrace: true });
      expect(clock.timers).toBe(0);
    }
  });
});

test('whatever the store does and whenever, every submission gets its outcome, and the books agree (S1, S2, S3, S10)', async () => {
  const policies = ['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'] as const;
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = seededRandom(seed);
    const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
    const made = world();
    const { supervisor, clock, store, gate, put } = made;
    const all: Submission[] = [];
    const open = (): Ask[] => store.asks.filter(({ answered }) => !answered);
    const held = (): FakeLease[] => store.leases.filter(({ state }) => state === 'held');
    const submit = (): void => void all.push(put({ slot: random() < 0.7 ? 'a' : 'b', admission: pick(policies) }));
    const steps: readonly (() => void)[] = [
      submit,
      submit,
      submit,
      () => pick(open())?.grant(),
      () => pick(open())?.grant(),
      () => pick(open())?.deny(),
      () => pick(open())?.fail(new Error('down')),
      () => pick(held())?.lose(),
      () => pick(held())?.revoke(),
      () => Object.assign(pick(held()) ?? {}, { contended: true }),
      () => void pick(all)?.cancel(),
      () => gate.open('value'),
      () => gate.fail(new Error('no')),
      () => supervisor.slot('a').pause(),
      () => supervisor.slot('a').resume(),
    ];
    for (let n = 0; n < 150; n += 1) {
      pick(steps)?.();
      if (random() < 0.6) await clock.settle();
      const owners = supervisor.snapshot().slots.filter(({ owner }) => owner !== undefined);
      expect(gate.alive).toBeLessThanOrEqual(owners.length);
    }
    supervisor.slot('a').resume();
    for (let turn = 0; turn < 500 && (supervisor.tasks().length > 0 || open().length > 0); turn += 1) {
      for (const ask of open()) ask.grant();
      while (gate.alive > 0) gate.open('end');
      await clock.settle();
    }
    const { completed, failed, canceled, rejected, submitted } = supervisor.snapshot().totals;
    expect(completed + failed + canceled + rejected).toBe(submitted);
    const outcomes = await Promise.all(all.map((one) => one.outcome));
    expect(outcomes.filter(({ kind }) => kind === 'rejected')).toHaveLength(rejected);
    expect(store.violations).toEqual([]);
    await expectAtRest(made);
  }
});
