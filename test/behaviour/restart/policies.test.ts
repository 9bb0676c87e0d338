// What each restart policy does after each end of an attempt.

import { CanceledError, type Failure, FatalError, type Outcome, type Submission, type TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { RESTART_POLICIES, type RestartPolicy } from '../../../src/model/settings.ts';
import { PLAIN_BACKOFF } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { fail, script, thrown } from '../../support/scripted-body.ts';
import { type Setup, setup } from '../../support/setup.ts';

describe('the restart policies', () => {
  interface Row {
    readonly name: string;
    readonly spec: Partial<TaskSpec>;
    /** Ends the first attempt. */
    readonly end: (world: Setup, submission: Submission, body: ReturnType<typeof gateBody>) => Promise<void>;
    readonly event: string;
    readonly expected: Record<RestartPolicy, Outcome | 'again after backoff' | 'again after the interval'>;
  }

  const boom = new Error('boom');
  const fatal = new FatalError('for good');
  const reason = { why: 'enough' };
  const timedOut: Failure = { kind: 'timedOut', afterMs: 50, message: 'timed out after 50 ms', fatal: false };
  const stalled: Failure = { kind: 'stalled', silentMs: 40, message: 'no heartbeat for 40 ms', fatal: false };
  const everywhere = (outcome: Outcome): Row['expected'] => ({ never: outcome, onFailure: outcome, always: outcome });
  const failing = (failure: Failure): Row['expected'] => ({
    never: { kind: 'failed', failure, attempts: 1, because: 'policy' },
    onFailure: 'again after backoff',
    always: 'again after backoff',
  });

  const rows: readonly Row[] = [
    {
      name: 'a value',
      spec: {},
      end: async (_, __, body) => body.open('value'),
      event: 'attemptSucceeded',
      expected: {
        never: { kind: 'completed', value: 'value', attempts: 1 },
        onFailure: { kind: 'completed', value: 'value', attempts: 1 },
        always: 'again after the interval',
      },
    },
    {
      name: 'a value after a stop request',
      spec: {},
      end: async (_, submission, body) => {
        void submission.cancel(reason);
        body.open('value');
      },
      event: 'attemptSucceeded',
      expected: everywhere({ kind: 'canceled', by: 'caller', reason, value: 'value', attempts: 1 }),
    },
    {
      name: 'a throw',
      spec: {},
      end: async (_, __, body) => body.fail(boom),
      event: 'attemptFailed',
      expected: failing(thrown(boom)),
    },
    {
      name: 'a timeout',
      spec: { timeoutMs: 50 },
      end: async ({ clock }, _, body) => {
        await clock.advance(50);
        body.fail(boom);
      },
      event: 'attemptTimedOut',
      expected: failing(timedOut),
    },
    {
      name: 'a stall',
      spec: { stallMs: 40 },
      end: async ({ clock }, _, body) => {
        await clock.advance(40);
        body.open('too late');
      },
      event: 'attemptStalled',
      expected: failing(stalled),
    },
    {
      name: 'a FatalError',
      spec: {},
      end: async (_, __, body) => body.fail(fatal),
      event: 'attemptFailed',
      expected: everywhere({
        kind: 'fatal',
        failure: { kind: 'thrown', error: fatal, message: 'for good', fatal: true },
        attempts: 1,
      }),
    },
    {
      name: 'an error after a stop request',
      spec: {},
      end: async (_, submission, body) => {
        void submission.cancel(reason);
        body.fail(boom);
      },
      event: 'attemptCanceled',
      expected: everywhere({ kind: 'canceled', by: 'caller', reason, failure: thrown(boom), attempts: 1 }),
    },
    {
      name: 'a FatalError after a stop request',
      spec: {},
      end: async (_, submission, body) => {
        void submission.cancel(reason);
        body.fail(fatal);
      },
      event: 'attemptCanceled',
      expected: everywhere({ kind: 'canceled', by: 'caller', reason, failure: thrown(fatal), attempts: 1 }),
    },
    {
      name: 'the reason of the stop request',
      spec: {},
      end: async (_, submission, body) => {
        void submission.cancel(reason);
        body.fail(body.calls[0]?.signal.reason);
      },
      event: 'attemptCanceled',
      expected: everywhere({ kind: 'canceled', by: 'caller', reason, attempts: 1 }),
    },
    {
      name: 'a CanceledError without a stop request',
      spec: {},
      end: async (_, __, body) => body.fail(new CanceledError('I am done', { reason })),
      event: 'attemptCanceled',
      expected: everywhere({ kind: 'canceled', by: 'task', reason, attempts: 1 }),
    },
  ];

  for (const row of rows)
    for (const restart of RESTART_POLICIES) {
      const expected = row.expected[restart];
      const claim = typeof expected === 'string' ? expected : expected.kind;
      test(`with restart '${restart}' an attempt that ends with ${row.name} leads to: ${claim}`, async () => {
        const world = setup();
        const { supervisor, clock, recorded } = world;
        const body = gateBody();
        const submission = supervisor.submit({
          slot: 's',
          restart,
          backoff: PLAIN_BACKOFF,
          ...(restart === 'always' && { intervalMs: 700 }),
          ...row.spec,
          run: body.body,
        });
        await clock.settle();
        await row.end(world, submission, body);
        await clock.settle();
        expect(recorded.types(submission.id)).toContain(row.event);
        if (typeof expected !== 'string') {
          expect(await submission.outcome).toEqual(expected);
          expect(recorded.of('backoffScheduled')).toEqual([]);
          expect(body.calls).toHaveLength(1);
          expect(supervisor.snapshot().slots).toEqual([]);
          expect(clock.timers).toBe(0);
          return;
        }
        const [after, delayMs] = expected === 'again after backoff' ? ['failure', 100] : ['success', 700];
        expect(recorded.of('backoffScheduled')).toMatchObject([{ attempt: 1, after, delayMs }]);
        await clock.advance(Number(delayMs) - 1);
        expect(body.calls).toHaveLength(1);
        await clock.advance(1);
        expect(body.calls.map(({ attempt }) => attempt)).toEqual([1, 2]);
        expect(submission.status).toBe('running');
      });
    }

  test('an AbortError without a stop request is an ordinary failure', async () => {
    const { supervisor, clock } = setup();
    const body = script<unknown>(
      () => AbortSignal.abort().throwIfAborted(),
      () => 'second',
    );
    const submission = supervisor.submit({ backoff: PLAIN_BACKOFF, run: body.run });
    await clock.advance(100);
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 'second', attempts: 2 });
  });

  test('the stop reason of another task, thrown by a body, is an ordinary failure', async () => {
    const { supervisor, clock } = setup();
    const other = gateBody();
    const stopped = supervisor.submit({ run: other.body });
    await clock.settle();
    void stopped.cancel();
    const foreign: unknown = other.calls[0]?.signal.reason;
    expect(foreign).toBeInstanceOf(CanceledError);
    const submission = supervisor.submit({
      restart: 'never',
      run: () => {
        throw foreign;
      },
    });
    expect(await submission.outcome).toEqual({
      kind: 'failed',
      failure: thrown(foreign),
      attempts: 1,
      because: 'policy',
    });
  });

  test('an AbortError whose cause is the stop reason counts as canceled', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({
      run: (ctx) =>
        new Promise((_, reject) => {
          ctx.onCancel((cause) => reject(new DOMException('aborted', { name: 'AbortError', cause })));
        }),
    });
    await clock.settle();
    expect(await submission.cancel()).toEqual({ kind: 'canceled', by: 'caller', attempts: 1 });
  });

  test('the thrown error is the same object in the outcome and in the event', async () => {
    const { supervisor, recorded, clock } = setup();
    const error = Object.freeze({ code: 7 });
    const submission = supervisor.submit({
      restart: 'never',
      run: (): unknown => {
        throw error;
      },
    });
    const outcome: Outcome = await submission.outcome;
    await clock.settle();
    const [event] = recorded.of('attemptFailed');
    expect(outcome.kind === 'failed' && outcome.failure.kind === 'thrown' && outcome.failure.error).toBe(error);
    expect(event?.failure.kind === 'thrown' && event.failure.error).toBe(error);
  });
});

describe('attempt numbers and retry streaks', () => {
  test('attempt numbers count from 1 and are reset neither by a success nor by restart()', async () => {
    const { supervisor, clock } = setup();
    const body = script<unknown>(
      () => fail(),
      () => 'fine',
      () => fail(),
      () => new Promise(() => {}),
    );
    const submission = supervisor.submit({ restart: 'always', intervalMs: 10, backoff: PLAIN_BACKOFF, run: body.run });
    await clock.advance(100);
    expect(body.starts).toEqual([1, 2]);
    await clock.advance(10);
    expect(body.starts).toEqual([1, 2, 3]);
    expect(submission.restart()).toBe(true);
    await clock.settle();
    expect(body.starts).toEqual([1, 2, 3, 4]);
    expect(supervisor.tasks()).toMatchObject([{ attempt: 4, retries: 2 }]);
  });

  test('a success resets the retry streak and the backoff exponent', async () => {
    const { supervisor, clock, recorded } = setup();
    const outcomes = [false, false, true, false, false, true, false, false, false];
    const submission = supervisor.submit({
      restart: 'always',
      intervalMs: 5,
      maxRetries: 2,
      backoff: PLAIN_BACKOFF,
      run: ({ attempt }) => outcomes[attempt - 1] || fail(),
    });
    await clock.advance(3_000);
    expect(recorded.of('backoffScheduled').map(({ after, delayMs }) => [after, delayMs])).toEqual([
      ['failure', 100],
      ['failure', 200],
      ['success', 5],
      ['failure', 100],
      ['failure', 200],
      ['success', 5],
      ['failure', 100],
      ['failure', 200],
    ]);
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'maxRetries', attempts: 9 });
  });

  for (const maxRetries of [0, 1, 3])
    test(`with maxRetries ${maxRetries} a task fails after ${maxRetries} retries`, async () => {
      const { supervisor, clock } = setup();
      const last = new Error('the last one');
      const submission = supervisor.submit({
        maxRetries,
        backoff: PLAIN_BACKOFF,
        run: ({ attempt }) => {
          throw attempt === maxRetries + 1 ? last : new Error('an earlier one');
        },
      });
      await clock.advance(10_000);
      expect(submission.status).toBe('ended');
      expect(await submission.outcome).toEqual({
        kind: 'failed',
        failure: thrown(last),
        attempts: maxRetries + 1,
        because: 'maxRetries',
      });
      expect(supervisor.snapshot().totals).toMatchObject({ attempts: maxRetries + 1, retries: maxRetries, failed: 1 });
      expect(clock.timers).toBe(0);
    });

  test('the default restart policy is onFailure with unlimited retries', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({ run: ({ attempt }) => (attempt < 60 ? fail() : attempt) });
    await clock.advance(60 * 30_000);
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 60, attempts: 60 });
  });
});
