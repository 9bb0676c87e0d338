// Every way in which a submission can end.

import { runInNewContext } from 'node:vm';
import { CanceledError, FatalError, type Outcome, OutcomeError, type Submission } from 'slotvisor';
import { describe, expect, onTestFinished, test } from 'vitest';
import { REJECT_REASONS } from '../../../src/model/outcome.ts';
import { TASK_STATUSES } from '../../../src/model/view.ts';
import { never } from '../../support/bodies.ts';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import {
  type Act,
  boom,
  cancel,
  type Given,
  open,
  put,
  reason,
  type Scenario,
  scenario,
  shutdown,
  throwBoom,
  throwOut,
  wait,
} from '../../support/scenario.ts';

const thrown = { kind: 'thrown', error: boom, message: 'boom', fatal: false } as const;

/** A spec, its acts and its outcome. `by`: the index of the submission that a rejection names. */
type Row = readonly [name: string, given: Given, acts: readonly Act[], outcome: Outcome, by?: number];

const failing: Given = { run: throwBoom, restart: 'onFailure' };
const canceled = { kind: 'canceled', attempts: 1 } as const;
const returned = { ...canceled, value: 'out' } as const;
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
  ['canceled by caller', {}, [cancel, open], { ...returned, by: 'caller', reason }],
  ['canceled by caller, throwing', {}, [cancel, throwOut], { ...canceled, by: 'caller', reason, failure: thrown }],
  ['canceled without a reason', {}, [(_, one) => void one.cancel(), open], { ...returned, by: 'caller' }],
  [
    'canceled by caller, returning undefined',
    {},
    [cancel, ({ gate }) => gate.open(undefined)],
    { ...canceled, by: 'caller', reason, value: undefined },
  ],
  [
    'canceled by caller, timed out',
    { timeoutMs: 50 },
    [wait(50), cancel, open],
    { ...returned, by: 'caller', reason, failure: timedOut },
  ],
  [
    'canceled by caller, timed out, throwing',
    { timeoutMs: 50 },
    [wait(50), cancel, throwOut],
    { ...canceled, by: 'caller', reason, failure: timedOut },
  ],
  ['canceled in a backoff', failing, [cancel], { ...canceled, by: 'caller', reason }],
  ['canceled, joined', { owned: true, admission: 'join' }, [cancel], { ...canceled, by: 'caller', reason }],
  ['canceled, shared', {}, [put({ admission: 'join' }), cancel, open], { ...canceled, by: 'caller', reason }],
  [
    'canceled before an attempt',
    { owned: true, slot: 'other', options: { concurrency: 1 } },
    [cancel],
    { kind: 'canceled', by: 'caller', reason, attempts: 0 },
  ],
  ['canceled by replace', {}, [put({ admission: 'replace' }), open], { ...returned, by: 'replace' }],
  [
    'canceled by slot',
    {},
    [({ supervisor }) => void supervisor.slot('s').cancel(reason), open],
    { ...returned, by: 'slot', reason },
  ],
  ['canceled by signal', { signal: late.signal }, [late.abort, open], { ...returned, by: 'signal', reason }],
  ['canceled by deadline', { deadlineMs: 50 }, lateBy50, { ...returned, by: 'deadline' }],
  ['canceled by shutdown', {}, [shutdown, open], { ...returned, by: 'shutdown' }],
  [
    'canceled by task',
    {},
    [({ gate }) => gate.fail(new CanceledError('done here', { reason }))],
    { ...canceled, by: 'task', reason },
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

/** Runs the acts of a row. */
async function play([, given, acts, outcome, by]: Row): Promise<
  Scenario & { one: Submission<unknown>; expected: Outcome }
> {
  const { owned, options, ...spec } = given;
  const made = scenario(options);
  if (owned) made.put();
  await made.clock.settle();
  const one = made.put(spec);
  await made.clock.settle();
  for (const act of acts) await act(made, one);
  await made.clock.settle();
  const causedBy = by === undefined ? undefined : made.all[by]?.id;
  const expected = causedBy === undefined ? outcome : ({ ...outcome, by: causedBy } as Outcome);
  return { ...made, one, expected };
}

describe('every outcome', () => {
  for (const row of rows)
    test(`the outcome "${row[0]}" has exactly its fields, never changes, and agrees with the totals (S3)`, async () => {
      const { supervisor, clock, one, all, gate, expected } = await play(row);
      expect(one.status).toBe('ended');
      const outcome = await one.outcome;
      expect(outcome).toStrictEqual(expected);
      expect(supervisor.get(one.id)).toBeUndefined();
      // Later ends, cancels and restarts change nothing.
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
    test(`value() for the outcome "${row[0]}" ${row[0].startsWith('completed') ? 'resolves to the value' : 'throws an OutcomeError'}`, async () => {
      const { one, expected } = await play(row);
      if (expected.kind === 'completed') {
        expect(await one.value()).toBe(expected.value);
        return;
      }
      const error = await one.value().catch((caught: unknown) => caught);
      if (!(error instanceof OutcomeError)) return expect.fail('it is no OutcomeError');
      expect(error).toMatchObject({ name: 'OutcomeError', message: expect.stringContaining(one.name) });
      expect(error.outcome).toBe(await one.outcome);
      const thrown = 'failure' in expected && expected.failure?.kind === 'thrown' ? expected.failure : expected;
      expect('cause' in error).toBe('error' in thrown);
      if ('error' in thrown) expect(error.cause).toEqual(thrown.error);
    });

  test('a lost lease cancels its owner by leaseLost', async () => {
    const store = FakeLeaseStore.granting();
    const { put: submit, gate, clock } = scenario({ leases: store });
    const one = submit();
    await clock.settle();
    store.lease.lose();
    gate.open('out');
    expect(await one.outcome).toStrictEqual({ kind: 'canceled', by: 'leaseLost', value: 'out', attempts: 1 });
  });

  test('a rejected entry rejects the other entries of its batch with batchRejected', async () => {
    const { supervisor, put: submit } = scenario();
    submit();
    const batch = supervisor.submitAll([{ run: never }, { slot: 's', admission: 'dropIfRunning', run: never }]);
    expect(await batch[0].outcome).toStrictEqual({ kind: 'rejected', reason: 'batchRejected' });
    expect(await batch[1].outcome).toMatchObject({ kind: 'rejected', reason: 'slotBusy' });
    expect(supervisor.snapshot().totals).toMatchObject({ submitted: 3, started: 1, rejected: 2, dropped: 1 });
  });

  test('an outcome that is not awaited causes no unhandled rejection', async () => {
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

describe('a thrown value', () => {
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
    ['an object whose getters throw', trap],
  ];
  for (const [what, error] of things)
    test(`${what}, when thrown, is the same object in failure.error and the cause of the OutcomeError`, async () => {
      const { put: submit } = scenario();
      const one = submit({ run: () => Promise.reject(error) });
      const outcome = await one.outcome;
      if (outcome.kind !== 'failed' || outcome.failure.kind !== 'thrown') return expect.fail('it did not fail');
      expect(Object.is(outcome.failure.error, error)).toBe(true);
      const caught = await one.value().catch((raised: Error) => raised);
      expect(Object.is((caught as Error).cause, error)).toBe(true);
      expect(outcome.failure.message).toEqual(expect.any(String));
    });
});

const none = (words: readonly string[]) => Object.fromEntries(words.map((word) => [word, 0]));

test('the counts of snapshot() are exact for every kind of outcome, and stats() has the same', async () => {
  const { supervisor, clock, gate, put: submit } = scenario();
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
  expect({ ...supervisor.stats(), slots: [] }).toEqual(supervisor.snapshot());
  expect(supervisor.snapshot()).toEqual({
    phase: 'open',
    slotCount: 0,
    slots: [],
    totals: {
      submitted: 10,
      started: 6,
      attempts: 8,
      retries: 2,
      overruns: 3,
      dropped: 1,
      completed: 1,
      failed: 1,
      fatal: 1,
      canceled: 2,
      killed: 1,
      abandoned: 1,
      rejected: 3,
    },
    rejections: { ...none(REJECT_REASONS), slotBusy: 1, canceled: 2 },
    failures: { thrown: 4, timedOut: 0, stalled: 0, exited: 0 },
    tasks: none(TASK_STATUSES.filter((status) => status !== 'ended')),
    joined: 0,
    owners: 0,
    bodies: 0,
    queued: 0,
    pending: 0,
    gate: { paused: false, concurrency: Infinity, inside: 0, queued: 0 },
    overrun: 0,
    abandonedAlive: 1,
    eventsDropped: 0,
  });
});
