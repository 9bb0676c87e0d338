import { runInNewContext } from 'node:vm';
import {
  CanceledError,
  FatalError,
  type Outcome,
  OutcomeError,
  type Submission,
  type SupervisorOptions,
  type TaskSpec,
  type TaskStatus,
  type TaskView,
} from 'slotvisor';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FakeLeaseStore } from '../support/fake-lease-store.ts';
import { type GateBody, gateBody } from '../support/gate.ts';
import { type Setup, setup } from '../support/setup.ts';

const PLAIN = { firstMs: 100, jitter: 'none' } as const;
const never = (): Promise<never> => new Promise(() => {});
const boom = new Error('boom');
const thrown = { kind: 'thrown', error: boom, message: 'boom', fatal: false } as const;
const throwBoom = (): never => {
  throw boom;
};
const reason = { why: 'enough' };

interface World extends Setup {
  readonly gate: GateBody<unknown>;
  /** Every submission of the test, in order. */
  readonly all: Submission<unknown>[];
  put(spec?: Partial<TaskSpec<unknown>>): Submission<unknown>;
}

function world(options: SupervisorOptions = {}): World {
  const base = setup({ graceMs: 100, ...options });
  const gate = gateBody<unknown>();
  const all: Submission<unknown>[] = [];
  const put: World['put'] = (spec) => {
    const task = { slot: 's', restart: 'never', backoff: PLAIN, run: gate.body, ...spec } as const;
    const one = base.supervisor.submit<unknown>(task);
    all.push(one);
    return one;
  };
  return { ...base, gate, all, put };
}

type Act = (world: World, one: Submission<unknown>) => void | Promise<void>;
const open: Act = ({ gate }) => gate.open('out');
const throwOut: Act = ({ gate }) => gate.fail(boom);
const cancel: Act = (_, one) => void one.cancel(reason);
const wait =
  (ms: number): Act =>
  ({ clock }) =>
    clock.advance(ms);
const put =
  (spec?: Partial<TaskSpec<unknown>>): Act =>
  (made) =>
    void made.put(spec);
const shutdown: Act = ({ supervisor }) => void supervisor.shutdown();

interface Given extends Partial<TaskSpec<unknown>> {
  /** Somebody owns the slot when it is submitted. */
  readonly owned?: true;
  readonly options?: SupervisorOptions;
}
/** How it was submitted, what happened then, how it ended; of a rejection, which submission took its place. */
type Row = readonly [name: string, given: Given, acts: readonly Act[], outcome: Outcome, by?: number];

const failing: Given = { run: throwBoom, restart: 'onFailure' };
const told = { kind: 'canceled', attempts: 1 } as const;
const failed = { kind: 'failed', failure: thrown, attempts: 1 } as const;
const lateBy50 = [wait(50), open];
const timedOut = { kind: 'timedOut', afterMs: 50, message: 'timed out after 50 ms', fatal: false } as const;
const stalled = { kind: 'stalled', silentMs: 50, message: 'no heartbeat for 50 ms', fatal: false } as const;
const fatal = new FatalError('for good');
const parent = (): { signal: AbortSignal; abort: Act } => {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(reason) };
};
const [early, late] = [parent(), parent()];
const killable = { run: never, kill: async (): Promise<void> => {} };
const rejected = (why: Extract<Outcome, { kind: 'rejected' }>['reason']): Outcome => ({
  kind: 'rejected',
  reason: why,
});
const brokenStore = { acquire: throwBoom };

const rows: readonly Row[] = [
  ['completed', {}, [open], { kind: 'completed', value: 'out', attempts: 1 }],
  ['completed, joined', { owned: true, admission: 'join' }, [open], { kind: 'completed', value: 'out', attempts: 1 }],
  ['completed without a value', { run: () => {} }, [], { kind: 'completed', value: undefined, attempts: 1 }],
  ['failed, policy', { run: throwBoom }, [], { ...failed, because: 'policy' }],
  ['failed, maxRetries', { ...failing, maxRetries: 2 }, [wait(900)], { ...failed, attempts: 3, because: 'maxRetries' }],
  [
    'failed, restartLimit',
    { ...failing, restartLimit: { restarts: 1, withinMs: 9_000 } },
    [wait(900)],
    { ...failed, attempts: 2, because: 'restartLimit' },
  ],
  ['failed, retryIf', { ...failing, retryIf: () => false }, [], { ...failed, because: 'retryIf' }],
  [
    'failed, retryIf itself threw',
    { ...failing, retryIf: throwBoom },
    [],
    { ...failed, because: 'retryIf', retryIfError: boom },
  ],
  ['failed, timed out', { timeoutMs: 50 }, lateBy50, { ...failed, failure: timedOut, because: 'policy' }],
  ['failed, stalled', { stallMs: 50 }, lateBy50, { ...failed, failure: stalled, because: 'policy' }],
  [
    'fatal',
    { restart: 'always' },
    [({ gate }) => gate.fail(fatal)],
    { kind: 'fatal', failure: { kind: 'thrown', error: fatal, message: 'for good', fatal: true }, attempts: 1 },
  ],
  ['canceled by caller', {}, [cancel, open], { ...told, by: 'caller', reason }],
  ['canceled by caller, throwing', {}, [cancel, throwOut], { ...told, by: 'caller', reason, failure: thrown }],
  ['canceled without a reason', {}, [(_, one) => void one.cancel(), open], { ...told, by: 'caller' }],
  ['canceled in a backoff', failing, [cancel], { ...told, by: 'caller', reason }],
  ['canceled, joined', { owned: true, admission: 'join' }, [cancel], { ...told, by: 'caller', reason }],
  ['canceled, shared', {}, [put({ admission: 'join' }), cancel, open], { ...told, by: 'caller', reason }],
  [
    'canceled before an attempt',
    { owned: true, slot: 'other', options: { concurrency: 1 } },
    [cancel],
    { kind: 'canceled', by: 'caller', reason, attempts: 0 },
  ],
  ['canceled by replace', {}, [put({ admission: 'replace' }), open], { ...told, by: 'replace' }],
  [
    'canceled by slot',
    {},
    [({ supervisor }) => void supervisor.slot('s').cancel(reason), open],
    { ...told, by: 'slot', reason },
  ],
  ['canceled by signal', { signal: late.signal }, [late.abort, open], { ...told, by: 'signal', reason }],
  ['canceled by deadline', { deadlineMs: 50 }, lateBy50, { ...told, by: 'deadline' }],
  ['canceled by shutdown', {}, [shutdown, open], { ...told, by: 'shutdown' }],
  [
    'canceled by task',
    {},
    [({ gate }) => gate.fail(new CanceledError('done here', { reason }))],
    { ...told, by: 'task', reason },
  ],
  ['killed', { run: killable }, [cancel, wait(100)], { kind: 'killed', by: 'caller', attempts: 1 }],
  ['killed by shutdown', { run: killable }, [shutdown, wait(100)], { kind: 'killed', by: 'shutdown', attempts: 1 }],
  ['abandoned', { onOverrun: 'abandon' }, [cancel, wait(100)], { kind: 'abandoned', by: 'caller', attempts: 1 }],
  ['abandoned by shutdown', {}, [shutdown, wait(100)], { kind: 'abandoned', by: 'shutdown', attempts: 1 }],
  ['rejected, slotBusy', { owned: true, admission: 'dropIfRunning' }, [], rejected('slotBusy'), 0],
  ['rejected, queueFull', { owned: true, options: { slotDefaults: { queueLimit: 0 } } }, [], rejected('queueFull')],
  [
    'rejected, queueFull by a newcomer',
    { owned: true, options: { slotDefaults: { queueLimit: 1, onFull: 'dropOldest' } } },
    [put()],
    rejected('queueFull'),
    2,
  ],
  [
    'rejected, superseded',
    { owned: true, admission: 'replace' },
    [put({ admission: 'replace' })],
    rejected('superseded'),
    2,
  ],
  ['rejected, canceled', { owned: true }, [cancel], rejected('canceled')],
  ['rejected, canceled before', { signal: AbortSignal.abort() }, [], rejected('canceled')],
  ['rejected, canceled by signal', { owned: true, signal: early.signal }, [early.abort], rejected('canceled')],
  ['rejected, queueTimeout', { owned: true, queueTimeoutMs: 50 }, [wait(50)], rejected('queueTimeout')],
  ['rejected, deadline', { owned: true, deadlineMs: 50 }, [wait(50)], rejected('deadline')],
  ['rejected, resourceLimit', { owned: true, options: { limits: { pending: 0 } } }, [], rejected('resourceLimit')],
  ['rejected, shuttingDown', { owned: true }, [shutdown], rejected('shuttingDown')],
  [
    'rejected, leaseUnavailable',
    { options: { leases: brokenStore } },
    [],
    { kind: 'rejected', reason: 'leaseUnavailable', error: boom },
  ],
];

/** Plays a row up to its end. */
async function play([, given, acts, outcome, by]: Row): Promise<
  World & { one: Submission<unknown>; expected: Outcome }
> {
  const { owned, options, ...spec } = given;
  const made = world(options);
  if (owned) made.put();
  await made.clock.settle();
  const one = made.put(spec);
  await made.clock.settle();
  for (const act of acts) await act(made, one);
  await made.clock.settle();
  const taker = by === undefined ? undefined : made.all[by]?.id;
  const expected = taker === undefined ? outcome : ({ ...outcome, by: taker } as Outcome);
  return { ...made, one, expected };
}

describe('every way to end', () => {
  for (const row of rows)
    test(`${row[0]}: exactly these fields, once and for all, and the totals agree`, async () => {
      const { supervisor, clock, one, all, gate, expected } = await play(row);
      expect(one.status).toBe('ended');
      const outcome = await one.outcome;
      expect(outcome).toStrictEqual(expected);
      expect(supervisor.get(one.id)).toBeUndefined();
      // Whatever happens later changes nothing.
      while (gate.alive > 0) gate.fail(new Error('later'));
      expect(await one.cancel('once more')).toBe(outcome);
      expect(one.restart()).toBe(false);
      const report = supervisor.shutdown();
      await clock.advance(60_000);
      expect(await one.outcome).toBe(outcome);
      const kinds = (await Promise.all(all.map((each) => each.outcome))).map(({ kind }) => kind);
      for (const [kind, count] of Object.entries((await report).counts))
        expect([kind, count]).toEqual([kind, kinds.filter((each) => each === kind).length]);
      expect(supervisor.snapshot().totals).toMatchObject({ ...(await report).counts, submitted: all.length });
    });

  for (const row of rows)
    test(`${row[0]}: value() ${row[0].startsWith('completed') ? 'is the value' : 'throws an OutcomeError'}`, async () => {
      const { one, expected } = await play(row);
      if (expected.kind === 'completed') {
        expect(await one.value()).toBe(expected.value);
        return;
      }
      const error = await one.value().catch((caught: unknown) => caught);
      if (!(error instanceof OutcomeError)) return expect.fail('it is no OutcomeError');
      expect(error).toMatchObject({ name: 'OutcomeError', message: expect.stringContaining(one.name) });
      expect(error.outcome).toBe(await one.outcome);
      const failure = 'failure' in expected ? expected.failure : undefined;
      expect('cause' in error).toBe(failure?.kind === 'thrown');
      if (failure?.kind === 'thrown') expect(error.cause).toBe(failure.error);
    });

  test('canceled by leaseLost', async () => {
    const store = FakeLeaseStore.granting();
    const { put: submit, gate, clock } = world({ leases: store });
    const one = submit();
    await clock.settle();
    store.lease.lose();
    gate.open('out');
    expect(await one.outcome).toStrictEqual({ kind: 'canceled', by: 'leaseLost', attempts: 1 });
  });

  test('rejected, batchRejected: the others of a batch of which one is turned away', async () => {
    const { supervisor, put: submit } = world();
    submit();
    const batch = supervisor.submitAll([{ run: never }, { slot: 's', admission: 'dropIfRunning', run: never }]);
    expect(await batch[0].outcome).toStrictEqual({ kind: 'rejected', reason: 'batchRejected' });
    expect(await batch[1].outcome).toMatchObject({ kind: 'rejected', reason: 'slotBusy' });
    expect(supervisor.snapshot().totals).toMatchObject({ submitted: 3, started: 1, rejected: 2, dropped: 1 });
  });

  test('an outcome that nobody watches raises nothing', async () => {
    const raised: unknown[] = [];
    const note = (error: unknown): void => void raised.push(error);
    for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
      process.on(event, note);
      onTestFinished(() => void process.off(event, note));
    }
    for (const row of rows) {
      const { supervisor, clock, one } = await play(row);
      void supervisor.cancel(one.id);
      await clock.settle();
    }
    expect(raised).toEqual([]);
  });
});

describe('the thrown error is the same object in failure.error, and the cause of OutcomeError', () => {
  const trap = new Proxy(
    {},
    {
      get: () => {
        throw new Error('do not look');
      },
    },
  );
  const things: readonly [string, unknown][] = [
    ['undefined', undefined],
    ['null', null],
    ['a primitive', 'text'],
    ['a frozen object', Object.freeze({ code: 7 })],
    ['an error of another realm', runInNewContext('new Error("elsewhere")')],
    ['an object that throws when looked at', trap],
  ];
  for (const [what, error] of things)
    test(`${what}`, async () => {
      const { put: submit } = world();
      const one = submit({ run: () => Promise.reject(error) });
      const outcome = await one.outcome;
      if (outcome.kind !== 'failed' || outcome.failure.kind !== 'thrown') return expect.fail('it did not fail');
      expect(Object.is(outcome.failure.error, error)).toBe(true);
      const caught = await one.value().catch((raised: Error) => raised);
      expect(Object.is((caught as Error).cause, error)).toBe(true);
      expect(outcome.failure.message).toEqual(expect.any(String));
    });
});

describe('the outcome promise', () => {
  test('is one promise, the same outcome for early and late watchers, and for those who joined', async () => {
    const { put: submit, gate, clock } = world();
    const leader = submit();
    await clock.settle();
    const joined = submit({ admission: 'join' });
    const early = leader.outcome;
    expect(leader.outcome).toBe(early);
    gate.open({ shared: true });
    const outcome = await early;
    expect(await leader.outcome).toBe(outcome);
    expect(await joined.outcome).toEqual(outcome);
    expect(await joined.value()).toBe(await leader.value());
  });

  test('does not depend on subscribers: they may hang, throw or lose every event', async () => {
    const { supervisor, put: submit, gate, clock } = world();
    supervisor.subscribe(never, { capacity: 1 });
    supervisor.subscribe(throwBoom);
    const one = submit();
    await clock.settle();
    gate.open('value');
    expect(await one.value()).toBe('value');
  });

  test('comes at proof of end, not with the request to stop; cancel() waits for the same', async () => {
    const { put: submit, gate, clock } = world();
    const one = submit();
    await clock.settle();
    let ended = false;
    const canceled = one.cancel('first').finally(() => {
      ended = true;
    });
    void one.cancel('second');
    await clock.advance(60_000);
    expect([ended, one.status]).toEqual([false, 'overrun']);
    gate.open('at last');
    expect(await canceled).toStrictEqual({ kind: 'canceled', by: 'caller', reason: 'first', attempts: 1 });
    expect(await one.outcome).toBe(await canceled);
  });

  const ends: readonly [string, Partial<TaskSpec<unknown>>, Act][] = [
    ['completed', {}, open],
    ['failed', {}, throwOut],
    ['canceled in a backoff', failing, cancel],
    ['canceled while it runs', {}, (made, one) => [cancel(made, one), open(made, one)][1]],
    ['killed', { run: killable, graceMs: 0 }, (made, one) => [cancel(made, one), wait(0)(made, one)][1]],
    ['abandoned', { onOverrun: 'abandon', graceMs: 0 }, (made, one) => [cancel(made, one), wait(0)(made, one)][1]],
  ];
  for (const [how, spec, end] of ends)
    for (const waiting of [0, 1])
      test(`resolves after the slot moved on (${how}): a handler sees it ${waiting ? 'owned by the next' : 'free'}`, async () => {
        const made = world();
        const { supervisor, put: submit, clock } = made;
        const one = submit(spec);
        await clock.settle();
        const next = waiting ? submit({ run: never }) : undefined;
        const seen = one.outcome.then(async ({ kind }) => {
          const slot = supervisor.slot('s');
          const { totals, running, queued } = supervisor.snapshot();
          expect(slot.view()).toMatchObject(
            next ? { phase: 'running', owner: { id: next.id }, queued: [] } : { phase: 'idle' },
          );
          expect({ count: totals[kind], running, queued }).toEqual({ count: 1, running: waiting, queued: 0 });
          expect(supervisor.tasks().map(({ id }) => id)).toEqual(next ? [next.id] : []);
          expect(one.status).toBe('ended');
          const dropped = submit({ admission: 'dropIfRunning' });
          expect(dropped.admission).toBe(next ? 'rejected' : 'started');
          if (next) expect(await dropped.outcome).toEqual({ kind: 'rejected', reason: 'slotBusy', by: next.id });
        });
        await end(made, one);
        await clock.settle();
        await seen;
      });
});

test('snapshot().totals are exact for every kind', async () => {
  const { supervisor, clock, gate, put: submit } = world();
  submit({ slot: 'a', run: () => 1 });
  submit({ slot: 'b', run: throwBoom, restart: 'onFailure', maxRetries: 2 });
  submit({
    slot: 'c',
    run: () => {
      throw fatal;
    },
  });
  submit({ slot: 'd', run: killable });
  submit({ slot: 'e', onOverrun: 'abandon', run: never });
  submit({ slot: 'f' });
  await clock.advance(300);
  submit({ slot: 'f', admission: 'join' });
  submit({ slot: 'f', admission: 'dropIfRunning' });
  void submit({ slot: 'f' }).cancel();
  submit({ slot: 'f', signal: AbortSignal.abort() });
  for (const slot of ['d', 'e', 'f']) void supervisor.slot(slot).cancel();
  await clock.advance(100);
  gate.open('out');
  await supervisor.idle();
  expect(supervisor.snapshot()).toEqual({
    phase: 'open',
    slots: [],
    totals: {
      submitted: 10,
      started: 6,
      attempts: 8,
      retries: 2,
      dropped: 1,
      completed: 1,
      failed: 1,
      fatal: 1,
      canceled: 2,
      killed: 1,
      abandoned: 1,
      rejected: 3,
    },
    running: 0,
    queued: 0,
    overrun: 0,
    abandonedAlive: 1,
  });
});

describe('views', () => {
  type Expected = Partial<TaskView> & { readonly phase?: string };
  const fail: Act = ({ gate }) => gate.fail(boom);
  const statuses: readonly [TaskStatus, Given, readonly Act[], Expected][] = [
    ['queued', { owned: true }, [wait(30)], { phase: 'running', attempt: 0, sinceMs: 30 }],
    ['starting', { owned: true, slot: 'x', options: { concurrency: 1 } }, [wait(30)], { attempt: 0, sinceMs: 30 }],
    ['running', {}, [wait(30)], { sinceMs: 30 }],
    [
      'backoff',
      { restart: 'onFailure' },
      [wait(20), fail, wait(30)],
      { sinceMs: 30, retries: 1, nextAttemptInMs: 70, lastFailure: thrown },
    ],
    [
      'interval',
      { restart: 'always', intervalMs: 90 },
      [wait(20), open, wait(30)],
      { sinceMs: 30, nextAttemptInMs: 60 },
    ],
    ['stopping', {}, [wait(20), cancel, wait(30)], { phase: 'stopping', sinceMs: 30 }],
    ['overrun', {}, [wait(20), cancel, wait(130)], { phase: 'stopping', sinceMs: 30 }],
  ];
  for (const [status, { owned, options, ...spec }, acts, expected] of statuses)
    test(`${status}: what tasks(), slot.view() and the submission say`, async () => {
      const made = world(options);
      const { supervisor, clock, put: submit } = made;
      const owner = owned ? submit({ run: never }) : undefined;
      await clock.settle();
      const meta = { tenant: 7 };
      const one = submit({ name: 'n', meta, ...spec });
      for (const act of acts) await act(made, one);
      await clock.settle();
      const { phase = 'running', ...fields } = expected;
      const { id, slot } = one;
      const view = { id, name: 'n', slot, status, attempt: 1, retries: 0, meta, ...fields };
      expect(one.status).toBe(status);
      expect(supervisor.tasks().at(-1)).toStrictEqual(view);
      const slotView = supervisor.slot(slot).view();
      expect(slotView).toMatchObject({ name: slot, phase, paused: false });
      if (status === 'queued') expect(slotView).toMatchObject({ owner: { id: owner?.id }, queued: [view] });
      else expect([slotView.owner, slotView.queued]).toStrictEqual([view, []]);
      expect(supervisor.get(id)).toMatchObject({ id, slot, status, outcome: one.outcome });
      expect(supervisor.snapshot()).toMatchObject({
        phase: 'open',
        running: owner && slot === 's' ? 1 : supervisor.tasks().length,
        queued: status === 'queued' ? 1 : 0,
        overrun: status === 'overrun' ? 1 : 0,
      });
      expect(supervisor.snapshot().slots).toContainEqual(slotView);
    });

  test('right after submit an owner is starting, before any of its code has run', () => {
    const { supervisor, put: submit } = world();
    expect(submit().status).toBe('starting');
    expect(supervisor.slot('s').view()).toMatchObject({ phase: 'running', owner: { status: 'starting', attempt: 0 } });
  });

  test('a slot lists its queue in the order in which it will start: the next first', async () => {
    const { supervisor, clock, put: submit } = world();
    const owner = submit();
    await clock.settle();
    const line = [submit(), submit()];
    const next = submit({ admission: 'replace' });
    const { owner: seen, queued, phase } = supervisor.slot('s').view();
    expect([phase, seen?.id]).toEqual(['stopping', owner.id]);
    expect(queued.map(({ id }) => id)).toEqual([next, ...line].map(({ id }) => id));
  });

  test('tasks() lists who lives, oldest first, the joined with the state of the work they share', async () => {
    const { supervisor, clock, gate, put: submit } = world();
    const owner = submit();
    await clock.advance(10);
    const joined = submit({ admission: 'join', name: 'shares' });
    const waiting = submit();
    await clock.advance(10);
    expect(supervisor.tasks()).toMatchObject([
      { id: owner.id, status: 'running', attempt: 1, sinceMs: 20 },
      { id: joined.id, name: 'shares', status: 'running', attempt: 1, sinceMs: 20 },
      { id: waiting.id, status: 'queued', attempt: 0, sinceMs: 10 },
    ]);
    gate.open('end');
    await clock.settle();
    expect(supervisor.tasks().map(({ id }) => id)).toEqual([waiting.id]);
  });

  test('they are copies of one moment: what was taken before does not change', async () => {
    const { supervisor, clock, gate, put: submit } = world();
    submit();
    await clock.settle();
    const before = [supervisor.tasks(), supervisor.snapshot(), supervisor.slot('s').view()] as const;
    const copy = structuredClone(before);
    (supervisor.tasks() as TaskView[]).length = 0;
    gate.open('end');
    await clock.advance(10);
    expect(before).toEqual(copy);
  });

  test('a slot that holds nothing is idle and in no table; looking at it changes nothing', () => {
    const { supervisor } = world();
    expect(supervisor.slot('never seen').view()).toStrictEqual({
      name: 'never seen',
      phase: 'idle',
      paused: false,
      queued: [],
    });
    expect(supervisor.snapshot().slots).toEqual([]);
    supervisor.slot('never seen').pause();
    expect(supervisor.snapshot().slots).toMatchObject([{ name: 'never seen', phase: 'idle', paused: true }]);
    supervisor.slot('never seen').resume();
    expect(supervisor.snapshot().slots).toEqual([]);
  });

  test('get() knows the live ones only, and no id of another supervisor', async () => {
    const { supervisor, put: submit, clock } = world();
    const foreign = world().put();
    const waiting = [submit(), submit()][1];
    if (waiting === undefined) return expect.fail('nothing was submitted');
    expect(supervisor.get(waiting.id)?.outcome).toBe(waiting.outcome);
    expect(supervisor.get(foreign.id)).toBeUndefined();
    void waiting.cancel();
    await clock.settle();
    expect(supervisor.get(waiting.id)).toBeUndefined();
    expect(await supervisor.cancel(waiting.id)).toBeUndefined();
    expect(supervisor.restart(waiting.id)).toBe(false);
  });

  test('an abandoned body is counted as alive until it ends', async () => {
    const { supervisor, clock, gate, put: submit } = world();
    const one = submit({ onOverrun: 'abandon' });
    await clock.settle();
    void one.cancel();
    await clock.advance(100);
    expect(supervisor.snapshot()).toMatchObject({ abandonedAlive: 1, running: 0, slots: [] });
    gate.open('at last');
    await clock.settle();
    expect(supervisor.snapshot().abandonedAlive).toBe(0);
  });

  test('the phase of the supervisor: open, draining, closed', async () => {
    const { supervisor, clock, gate, put: submit } = world();
    submit();
    await clock.settle();
    expect(supervisor.snapshot().phase).toBe('open');
    const report = supervisor.shutdown();
    expect(supervisor.snapshot().phase).toBe('draining');
    gate.open('end');
    await report;
    expect(supervisor.snapshot().phase).toBe('closed');
  });
});

test('a handle that its caller freezes works on', async () => {
  const { supervisor, clock } = setup();
  const gate = gateBody();
  const frozen = Object.freeze(supervisor.submit({ slot: 's', run: gate.body }));
  const queued = Object.freeze(supervisor.submit({ slot: 's', run: () => 'next' }));
  await clock.settle();
  gate.open('first');
  expect(await Promise.all([frozen.value(), queued.value()])).toEqual(['first', 'next']);
});

test('a view keeps the last failure through a success, and a stop says in words who asked', async () => {
  const { supervisor, clock } = setup();
  const reasons: [string, string][] = [];
  const submission = supervisor.submit({
    restart: 'always',
    intervalMs: 50,
    backoff: { firstMs: 10, jitter: 'none' },
    run: (ctx): unknown => {
      ctx.onCancel(({ by, message }) => void reasons.push([by, message]));
      if (ctx.attempt === 1) throw new Error('once');
      return ctx.attempt === 2 ? 'fine' : ctx.sleep(Infinity);
    },
  });
  await clock.advance(20);
  expect(supervisor.tasks()[0]).toMatchObject({ status: 'interval', lastFailure: { message: 'once' } });
  await clock.advance(50);
  submission.restart();
  await clock.settle();
  await submission.cancel();
  expect(reasons).toEqual([
    ['caller', 'restarted'],
    ['caller', 'stopped by caller'],
  ]);
});

test('the started event says how long it waited, from its own submission', async () => {
  const { supervisor, clock, recorded } = setup();
  const gate = gateBody();
  await clock.advance(1_000);
  supervisor.submit({ slot: 's', run: gate.body });
  await clock.advance(100);
  supervisor.submit({ slot: 's', run: gate.body });
  await clock.advance(30);
  gate.open('end');
  await clock.settle();
  expect(recorded.of('started').map(({ waitedMs }) => waitedMs)).toEqual([0, 30]);
});
