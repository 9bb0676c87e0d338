// Errors thrown by user code.

import { CanceledError, type TaskContext } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { leaseWith } from '../../support/fake-lease-store.ts';
import { gateBody } from '../../support/gate.ts';
import {
  boom,
  expectThrown,
  type Hostile,
  mustNotEscape,
  raise,
  revoked,
  type Survived,
  stopAndEnd,
  THROWN,
  trap,
  WAYS,
  watchEscapes,
} from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';

describe('watchEscapes()', () => {
  test.each<readonly [channel: string, act: () => unknown]>([
    ['unhandledRejection', () => void Promise.reject(new Error('let go'))],
    ['uncaughtException', () => queueMicrotask(trap)],
    ['warning', () => process.emitWarning('look here')],
  ])('it records the event %s of the process and restores the other listeners', async (channel, act) => {
    const before: unknown[] = process.rawListeners(channel as 'warning');
    const watch = watchEscapes();
    act();
    expect(await watch.stop()).toEqual([channel]);
    expect(process.rawListeners(channel as 'warning')).toEqual(before);
  });
});

describe('a value thrown by a body', () => {
  for (const [way, bodyOf] of WAYS)
    test.each(THROWN)(`%s, ${way}, is a failure with the same object in it`, async (_, make) => {
      const thrown = make();
      const { outcome, recorded } = await mustNotEscape({ spec: { run: bodyOf(thrown) as never }, outcome: 'failed' });
      expectThrown(outcome, thrown);
      expect(recorded.of('attemptFailed')).toHaveLength(1);
    });

  test.each(THROWN)('%s, thrown by a body, is retried like any other failure', async (_, make) => {
    const run = (ctx: TaskContext<unknown>) => (ctx.attempt < 3 ? raise(make()) : 'third');
    const { outcome } = await mustNotEscape({ spec: { restart: 'onFailure', run }, outcome: 'completed' });
    expect(outcome).toEqual({ kind: 'completed', value: 'third', attempts: 3 });
  });
});

describe('a stop error thrown by a body', () => {
  const aborted = () => new DOMException('aborted', 'AbortError');
  const derived = (cause: unknown) => Object.assign(new Error('aborted', { cause }), { name: 'AbortError' });

  test('the stop reason of another task is an ordinary failure', async () => {
    const { supervisor, clock } = setup();
    let thrown: unknown;
    const other = supervisor.submit({ run: (ctx) => ctx.onCancel((reason) => (thrown = reason)) && ctx.sleep(10) });
    await clock.settle();
    await other.cancel();
    expect(thrown).toBeInstanceOf(CanceledError);
    const { outcome } = await mustNotEscape({ spec: { run: () => raise(thrown) }, outcome: 'failed' });
    expectThrown(outcome, thrown);
  });

  test('a CanceledError of the body ends the task as canceled by task, with any restart policy', async () => {
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
    ['an error whose `cause` throws', () => raise(Object.defineProperty(new Error(), 'cause', { get: trap })), true],
    ['nothing and returns', () => 'late', false],
  ])(
    'a stopped body that throws %s is canceled, and an error other than the reason is kept',
    async (_, onStop, kept) => {
      const { outcome } = await mustNotEscape({
        spec: { run: (ctx) => ctx.sleep(1_000).catch(onStop) },
        drive: (__, submission) => void submission.cancel('enough'),
        outcome: 'canceled',
      });
      expect(outcome).toMatchObject({ by: 'caller', reason: 'enough', attempts: 1 });
      expect('failure' in outcome).toBe(kept);
    },
  );

  test.each(THROWN)('%s as the reason of a cancel is the same object in the outcome', async (_, make) => {
    const reason = make();
    const { outcome } = await mustNotEscape({
      spec: { run: (ctx) => ctx.sleep(1_000) },
      drive: (__, submission) => void submission.cancel(reason),
      outcome: 'canceled',
    });
    expect(outcome.kind === 'canceled' && Object.is(outcome.reason, reason)).toBe(true);
  });
});

describe('every user function is guarded', () => {
  interface UserFunction {
    readonly name: string;
    readonly around: (hostile: () => unknown) => Hostile;
    readonly check?: (survived: Survived, thrown: unknown, way: 'throws' | 'rejects') => void;
  }
  const USER_FUNCTIONS: readonly UserFunction[] = [
    {
      name: 'state',
      around: (state) => ({ spec: { state, run: (ctx) => ctx.state }, outcome: 'failed' }),
      check: ({ outcome }, thrown) => expectThrown(outcome, thrown),
    },
    {
      name: 'retryIf',
      around: (retryIf) => ({
        spec: { retryIf: retryIf as never, restart: 'onFailure', run: () => raise(boom) },
        outcome: 'failed',
      }),
      check: ({ outcome }, thrown, way) => {
        if (outcome.kind !== 'failed') throw new Error(outcome.kind);
        const { because, failure, retryIfError, attempts } = outcome;
        expect([because, failure.kind === 'thrown' && failure.error, attempts]).toEqual(['retryIf', boom, 1]);
        if (way === 'throws') expect(Object.is(retryIfError, thrown)).toBe(true);
        else expect(retryIfError).toBeInstanceOf(TypeError);
      },
    },
    {
      name: 'kill',
      around: (kill) => {
        const gate = gateBody();
        const run = { run: gate.body as never, kill: kill as never };
        return { spec: { run, graceMs: 10 }, drive: stopAndEnd(gate), outcome: 'canceled' };
      },
      check: ({ recorded }) => expect(recorded.of('overrun').map(({ action }) => action)).toEqual(['kill', 'hold']),
    },
    {
      name: 'an onCancel listener',
      around: (listener) => {
        const gate = gateBody();
        const run = (ctx: TaskContext<unknown>) => {
          ctx.onCancel(listener);
          return gate.body(ctx as never);
        };
        return { spec: { run }, drive: stopAndEnd(gate), outcome: 'canceled' };
      },
    },
    {
      name: 'aroundAttempt',
      around: (around) => ({
        options: { aroundAttempt: around as never },
        spec: {},
        outcome: 'failed',
        witness: 'failed',
      }),
      check: ({ outcome }, thrown) => expectThrown(outcome, thrown),
    },
    {
      name: 'aroundAttempt after next()',
      around: (around) => ({
        options: { aroundAttempt: (_, next) => next().then(around) as never },
        spec: {},
        outcome: 'failed',
        witness: 'failed',
      }),
      check: ({ outcome }, thrown) => expectThrown(outcome, thrown),
    },
    {
      name: 'a subscriber',
      around: (onEvent) => ({
        spec: { run: (ctx) => ctx.sleep(10) },
        drive: ({ supervisor }) => void supervisor.subscribe({ name: 'bad', onEvent: onEvent as never }),
        outcome: 'completed',
      }),
      check: ({ recorded }, thrown) => {
        const failures = recorded.of('subscriberFailed');
        expect(failures.length).toBeGreaterThan(0);
        expect(failures.every(({ subscriber, error }) => subscriber === 'bad' && Object.is(error, thrown))).toBe(true);
      },
    },
    {
      name: 'the acquire of a lease store',
      around: (acquire) => ({
        options: { leases: { acquire: acquire as never } },
        spec: {},
        outcome: 'rejected',
        witness: 'rejected',
      }),
      check: ({ outcome }, thrown) => {
        if (outcome.kind !== 'rejected') throw new Error(outcome.kind);
        expect(outcome.reason).toBe('leaseUnavailable');
        expect(Object.is(outcome.error, thrown)).toBe(true);
      },
    },
    {
      name: 'the release of a lease',
      around: (release) => ({
        options: { leases: { acquire: () => leaseWith({ release }) } },
        spec: {},
        outcome: 'completed',
      }),
    },
  ];

  for (const { name, around, check } of USER_FUNCTIONS)
    for (const way of ['throws', 'rejects'] as const)
      test.each(THROWN)(`when ${name} ${way} %s, nothing escapes`, async (_, make) => {
        const thrown = make();
        const survived = await mustNotEscape(
          around(way === 'throws' ? () => raise(thrown) : () => Promise.reject(thrown)),
        );
        check?.(survived, thrown, way);
      });
});
