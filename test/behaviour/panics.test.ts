import { CanceledError, type TaskContext } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../support/gate.ts';
import {
  awaited,
  boom,
  expectThrown,
  far,
  mustNotEscape,
  NEVER,
  RETURNED,
  raise,
  revoked,
  THROWN,
  trap,
  WAYS,
  watchEscapes,
} from '../support/must-not-escape.ts';
import { setup } from '../support/setup.ts';

describe('the net itself', () => {
  test.each<readonly [road: string, act: () => unknown]>([
    ['unhandledRejection', () => void Promise.reject(new Error('let go'))],
    ['uncaughtException', () => queueMicrotask(trap)],
    ['warning', () => process.emitWarning('look here')],
  ])('notices an %s, and leaves the listeners of the process as they were', async (road, act) => {
    const before: unknown[] = process.rawListeners(road as 'warning');
    const watch = watchEscapes();
    act();
    expect(await watch.stop()).toEqual([road]);
    expect(process.rawListeners(road as 'warning')).toEqual(before);
  });
});

describe('whatever a body throws is a failure with the same object in it', () => {
  for (const [way, bodyOf] of WAYS)
    test.each(THROWN)(`%s, ${way}`, async (_, make) => {
      const thrown = make();
      const { outcome, recorded } = await mustNotEscape({ spec: { run: bodyOf(thrown) as never }, outcome: 'failed' });
      expectThrown(outcome, thrown);
      expect(recorded.of('attemptFailed')).toHaveLength(1);
    });

  test.each(THROWN)('%s is retried like any other failure', async (_, make) => {
    const run = (ctx: TaskContext<unknown>) => (ctx.attempt < 3 ? raise(make()) : 'third');
    const { outcome } = await mustNotEscape({ spec: { restart: 'onFailure', run }, outcome: 'completed' });
    expect(outcome).toEqual({ kind: 'completed', value: 'third', attempts: 3 });
  });
});

describe('whatever a body returns ends as `await` would end it', () => {
  test.each(RETURNED)('%s', async (_, run) => {
    const expected = await awaited(run);
    const { outcome } = await mustNotEscape({ spec: { run }, outcome: expected.ok ? 'completed' : 'failed' });
    if (expected.ok) expect(outcome).toEqual({ kind: 'completed', value: expected.value, attempts: 1 });
    else expect(outcome).toMatchObject({ failure: { kind: 'thrown', error: expected.error } });
  });

  test('a promise that is resolved with itself is a failure', async () => {
    const run = () => {
      const self: Promise<unknown> = new Promise((yes) => setImmediate(() => yes(self)));
      return self;
    };
    const { outcome } = await mustNotEscape({ spec: { run }, outcome: 'failed' });
    expect(outcome).toMatchObject({ failure: { error: expect.any(TypeError) } });
  });

  test.each<readonly [name: string, run: unknown]>([
    ['a class', class Body {}],
    ['a revoked proxy of a function', revoked(() => {})],
    ['a proxy whose call throws', new Proxy(() => {}, { apply: trap })],
    ['a function of another realm that throws', far('() => { throw new TypeError("far") }')],
  ])('%s as the body is a failed attempt', async (_, run) => {
    const { outcome } = await mustNotEscape({ spec: { run: run as never }, outcome: 'failed' });
    expect(outcome).toMatchObject({ because: 'policy', failure: { kind: 'thrown' }, attempts: 1 });
  });

  test.each(['function*', 'async function*'])('what a %s returns is a value: its code never runs', async (kind) => {
    const run = far(`(trap) => ${kind} () { yield trap(); }`) as (made: () => never) => () => unknown;
    const { outcome } = await mustNotEscape({ spec: { run: run(trap) }, outcome: 'completed' });
    expect(outcome.kind === 'completed' && String(outcome.value)).toMatch(/^\[object (Async)?Generator\]$/);
  });

  test.each(NEVER)('%s holds the slot until it is given up', async (_, run) => {
    const { outcome, supervisor } = await mustNotEscape({
      spec: { run, graceMs: 10, onOverrun: 'abandon' },
      drive: async ({ clock }, submission) => {
        await clock.advance(1_000);
        expect(submission.status).toBe('running');
        void submission.cancel();
      },
      outcome: 'abandoned',
    });
    expect(outcome).toEqual({ kind: 'abandoned', by: 'caller', attempts: 1 });
    expect(supervisor.snapshot().abandonedAlive).toBe(1);
  });

  test.each(['open', 'fail'] as const)('a body that was given up and ends late (%s) changes nothing', async (end) => {
    const gate = gateBody<unknown>();
    await mustNotEscape({
      spec: { run: gate.body as never, graceMs: 10, onOverrun: 'abandon' },
      drive: async ({ clock, supervisor, recorded }, submission) => {
        void submission.cancel();
        await clock.advance(10);
        const events = recorded.events.length;
        gate[end](boom);
        await clock.settle();
        expect(recorded.events).toHaveLength(events);
        expect(supervisor.snapshot().abandonedAlive).toBe(0);
      },
      outcome: 'abandoned',
    });
  });
});

describe('whose stop it is, is told by the attempt, not by the type of the error', () => {
  const aborted = () => new DOMException('aborted', 'AbortError');
  const derived = (cause: unknown) => Object.assign(new Error('aborted', { cause }), { name: 'AbortError' });

  test('the stop reason of another task, thrown here, is an ordinary failure', async () => {
    const { supervisor, clock } = setup();
    let thrown: unknown;
    const other = supervisor.submit({ run: (ctx) => ctx.onCancel((reason) => (thrown = reason)) && ctx.sleep(10) });
    await clock.settle();
    await other.cancel();
    expect(thrown).toBeInstanceOf(CanceledError);
    const { outcome } = await mustNotEscape({ spec: { run: () => raise(thrown) }, outcome: 'failed' });
    expectThrown(outcome, thrown);
  });

  test('a CanceledError of its own making ends it, by task, whatever the restart policy', async () => {
    const reason = { enough: true };
    const run = () => raise(new CanceledError('done', { reason }));
    const { outcome } = await mustNotEscape({ spec: { run, restart: 'always' }, outcome: 'canceled' });
    expect(outcome).toEqual({ kind: 'canceled', by: 'task', reason, attempts: 1 });
  });

  test.each<readonly [name: string, onStop: (reason: unknown) => unknown, kept: boolean]>([
    ['the reason itself', (reason) => raise(reason), false],
    ['an AbortError made of the reason', (reason) => raise(derived(reason)), false],
    ['an AbortError of another signal', () => raise(aborted()), true],
    ['a revoked proxy', () => raise(revoked()), true],
    ['undefined', () => raise(undefined), true],
    [
      'an error whose cause cannot be read',
      () => raise(Object.defineProperty(new Error(), 'cause', { get: trap })),
      true,
    ],
    ['nothing, and returns', () => 'late', false],
  ])('a stopped body that throws %s is canceled; what is not the reason itself is kept', async (_, onStop, kept) => {
    const { outcome } = await mustNotEscape({
      spec: { run: (ctx) => ctx.sleep(1_000).catch(onStop) },
      drive: (__, submission) => void submission.cancel('enough'),
      outcome: 'canceled',
    });
    expect(outcome).toMatchObject({ by: 'caller', reason: 'enough', attempts: 1 });
    expect('failure' in outcome).toBe(kept);
  });

  test.each(THROWN)('%s as the reason of a cancel is handed through as it is', async (_, make) => {
    const reason = make();
    const { outcome } = await mustNotEscape({
      spec: { run: (ctx) => ctx.sleep(1_000) },
      drive: (__, submission) => void submission.cancel(reason),
      outcome: 'canceled',
    });
    expect(outcome.kind === 'canceled' && Object.is(outcome.reason, reason)).toBe(true);
  });
});
