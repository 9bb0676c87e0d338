import {
  backoffDelayMs,
  CanceledError,
  type Failure,
  FatalError,
  type Outcome,
  RetryError,
  type Submission,
  type TaskContext,
  type TaskSpec,
  TimeoutError,
} from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../support/gate.ts';
import { type Setup, setup } from '../support/setup.ts';

const POLICIES = ['never', 'onFailure', 'always'] as const;
type Policy = (typeof POLICIES)[number];

/** 100, 200, 400 ... without chance, so that due times can be written down. */
const PLAIN = { firstMs: 100, jitter: 'none' } as const;

/** Runs the given steps one attempt each; the last one again and again. */
function script<T>(...steps: ((ctx: TaskContext) => T | PromiseLike<T>)[]): {
  run: (ctx: TaskContext) => T | PromiseLike<T>;
  starts: number[];
} {
  const starts: number[] = [];
  return {
    run: (ctx) => {
      starts.push(ctx.attempt);
      const step = steps[Math.min(ctx.attempt, steps.length) - 1];
      if (step === undefined) throw new Error('a script needs a step');
      return step(ctx);
    },
    starts,
  };
}

const fail = (message = 'no'): never => {
  throw new Error(message);
};

/** What an attempt's failure looks like in an outcome, whoever threw. */
const thrown = (error: unknown): Failure => expect.objectContaining({ kind: 'thrown', error }) as unknown as Failure;

describe('the table of restart policies (section 5)', () => {
  interface Row {
    readonly name: string;
    readonly spec: Partial<TaskSpec>;
    /** Brings the first attempt to its end. */
    readonly end: (world: Setup, submission: Submission, body: ReturnType<typeof gateBody>) => Promise<void>;
    readonly event: string;
    readonly expected: Record<Policy, Outcome | 'again after backoff' | 'again after the interval'>;
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
      name: 'a value, but a stop was requested',
      spec: {},
      end: async (_, submission, body) => {
        void submission.cancel(reason);
        body.open('value');
      },
      event: 'attemptSucceeded',
      expected: everywhere({ kind: 'canceled', by: 'caller', reason, attempts: 1 }),
    },
    {
      name: 'a throw',
      spec: {},
      end: async (_, __, body) => body.fail(boom),
      event: 'attemptFailed',
      expected: failing(thrown(boom)),
    },
    {
      name: 'its timeout',
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
      name: 'an error of its own while its stop was requested',
      spec: {},
      end: async (_, submission, body) => {
        void submission.cancel(reason);
        body.fail(boom);
      },
      event: 'attemptCanceled',
      expected: everywhere({ kind: 'canceled', by: 'caller', reason, failure: thrown(boom), attempts: 1 }),
    },
    {
      name: 'a FatalError while its stop was requested',
      spec: {},
      end: async (_, submission, body) => {
        void submission.cancel(reason);
        body.fail(fatal);
      },
      event: 'attemptCanceled',
      expected: everywhere({ kind: 'canceled', by: 'caller', reason, failure: thrown(fatal), attempts: 1 }),
    },
    {
      name: "the stop's own reason",
      spec: {},
      end: async (_, submission, body) => {
        void submission.cancel(reason);
        body.fail(body.calls[0]?.signal.reason);
      },
      event: 'attemptCanceled',
      expected: everywhere({ kind: 'canceled', by: 'caller', reason, attempts: 1 }),
    },
    {
      name: 'a CanceledError that nobody asked for',
      spec: {},
      end: async (_, __, body) => body.fail(new CanceledError('I am done', { reason })),
      event: 'attemptCanceled',
      expected: everywhere({ kind: 'canceled', by: 'task', reason, attempts: 1 }),
    },
  ];

  for (const row of rows)
    for (const restart of POLICIES) {
      const expected = row.expected[restart];
      const claim = typeof expected === 'string' ? expected : expected.kind;
      test(`restart '${restart}': an attempt that ends with ${row.name} is followed by: ${claim}`, async () => {
        const world = setup();
        const { supervisor, clock, recorded } = world;
        const body = gateBody();
        const submission = supervisor.submit({
          slot: 's',
          restart,
          backoff: PLAIN,
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

  test('an AbortError from elsewhere, with no stop requested here, is an ordinary failure', async () => {
    const { supervisor, clock } = setup();
    const body = script<unknown>(
      () => AbortSignal.abort().throwIfAborted(),
      () => 'second',
    );
    const submission = supervisor.submit({ backoff: PLAIN, run: body.run });
    await clock.advance(100);
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 'second', attempts: 2 });
  });

  test('the stop of another task, thrown on by a body, is an ordinary failure of this one', async () => {
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

  test("what the platform makes of the stop's reason is no failure: an AbortError whose cause it is", async () => {
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

  test('the thrown error is the same object in the failure of the outcome and of the event (section 7)', async () => {
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
    const [told] = recorded.of('attemptFailed');
    expect(outcome.kind === 'failed' && outcome.failure.kind === 'thrown' && outcome.failure.error).toBe(error);
    expect(told?.failure.kind === 'thrown' && told.failure.error).toBe(error);
  });
});

describe('attempts and streaks (section 5)', () => {
  test('attempt numbers go from 1 over the whole life and never reset, not after a success and not by restart()', async () => {
    const { supervisor, clock } = setup();
    const body = script<unknown>(
      () => fail(),
      () => 'fine',
      () => fail(),
      () => new Promise(() => {}),
    );
    const submission = supervisor.submit({ restart: 'always', intervalMs: 10, backoff: PLAIN, run: body.run });
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
      backoff: PLAIN,
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
    test(`maxRetries ${maxRetries} means ${maxRetries} retries after the first failure, then failed`, async () => {
      const { supervisor, clock } = setup();
      const last = new Error('the last one');
      const submission = supervisor.submit({
        maxRetries,
        backoff: PLAIN,
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

  test('the default is onFailure with unlimited retries', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({ run: ({ attempt }) => (attempt < 60 ? fail() : attempt) });
    await clock.advance(60 * 30_000);
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 60, attempts: 60 });
  });
});

describe('retryIf (section 5)', () => {
  test('false ends the task failed, because retryIf, and it is shown the failure', async () => {
    const { supervisor } = setup();
    const shown: Failure[] = [];
    const error = new Error('not worth it');
    const submission = supervisor.submit({
      run: () => {
        throw error;
      },
      retryIf: (failure) => {
        shown.push(failure);
        return false;
      },
    });
    expect(await submission.outcome).toEqual({
      kind: 'failed',
      failure: thrown(error),
      attempts: 1,
      because: 'retryIf',
    });
    expect(shown).toEqual([thrown(error)]);
  });

  test('true retries', async () => {
    const { supervisor, clock } = setup();
    const body = script(
      () => fail(),
      () => 'second',
    );
    const submission = supervisor.submit({ backoff: PLAIN, retryIf: () => true, run: body.run });
    await clock.advance(100);
    expect(await submission.value()).toBe('second');
  });

  test('a throw counts as false, and what it threw is attached', async () => {
    const { supervisor } = setup();
    const trap = new Error('predicate');
    const submission = supervisor.submit({
      run: () => fail('body'),
      retryIf: () => {
        throw trap;
      },
    });
    const outcome = await submission.outcome;
    expect(outcome).toMatchObject({ kind: 'failed', because: 'retryIf', failure: { message: 'body' } });
    expect(outcome.kind === 'failed' && outcome.retryIfError).toBe(trap);
  });

  for (const [what, promise] of [
    ['resolves', () => Promise.resolve(true)],
    ['rejects', () => Promise.reject(new Error('nobody waits for this'))],
  ] as const)
    test(`a promise that ${what} is no answer: failed, because retryIf, saying so`, async () => {
      const { supervisor, clock } = setup();
      const submission = supervisor.submit({
        run: () => fail(),
        retryIf: promise as unknown as () => boolean,
      });
      const outcome = await submission.outcome;
      await clock.settle(); // a rejection left alone would be reported here
      expect(outcome).toMatchObject({ kind: 'failed', because: 'retryIf', attempts: 1 });
      expect(outcome.kind === 'failed' && outcome.retryIfError).toBeInstanceOf(TypeError);
    });

  test('it is not asked about a failure that would not be retried anyway', async () => {
    const { supervisor } = setup();
    let asked = 0;
    const retryIf = (): boolean => {
      asked += 1;
      return true;
    };
    const ends = [
      supervisor.submit({ restart: 'never', retryIf, run: () => fail() }),
      supervisor.submit({ maxRetries: 0, retryIf, run: () => fail() }),
      supervisor.submit({
        retryIf,
        run: () => {
          throw new FatalError('x');
        },
      }),
    ];
    const outcomes = await Promise.all(ends.map(({ outcome }) => outcome));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['failed', 'failed', 'fatal']);
    expect(asked).toBe(0);
  });
});

describe('RetryError (section 5)', () => {
  test("afterMs takes the backoff's place for that retry alone", async () => {
    const { supervisor, clock, recorded } = setup();
    const body = script(
      () => fail(),
      () => {
        throw new RetryError('later', { afterMs: 5_000 });
      },
      () => {
        throw new RetryError('now', { afterMs: 0 });
      },
      () => fail(),
      () => 'done',
    );
    const submission = supervisor.submit({ backoff: PLAIN, run: body.run });
    await clock.advance(100);
    await clock.advance(4_999);
    expect(body.starts).toEqual([1, 2]);
    await clock.advance(1);
    expect(body.starts).toEqual([1, 2, 3, 4]);
    await clock.advance(800);
    expect(await submission.value()).toBe('done');
    expect(recorded.of('backoffScheduled').map(({ delayMs }) => delayMs)).toEqual([100, 5_000, 0, 800]);
  });

  test('it is still subject to maxRetries', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({
      maxRetries: 1,
      run: () => {
        throw new RetryError('again', { afterMs: 10 });
      },
    });
    await clock.advance(10);
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'maxRetries', attempts: 2 });
  });

  for (const afterMs of [undefined, Number.NaN, -1])
    test(`without a delay that can be meant (${afterMs}) the backoff holds`, async () => {
      const { supervisor, clock, recorded } = setup();
      const body = script(
        () => {
          throw new RetryError('later', afterMs === undefined ? {} : { afterMs });
        },
        () => 'done',
      );
      const submission = supervisor.submit({ backoff: PLAIN, run: body.run });
      await clock.advance(100);
      expect(await submission.value()).toBe('done');
      expect(recorded.of('backoffScheduled')).toMatchObject([{ delayMs: 100 }]);
    });

  test('Infinity waits until it is stopped, and holds no timer', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({
      run: () => {
        throw new RetryError('when told', { afterMs: Infinity });
      },
    });
    await clock.advance(10 ** 12);
    expect(submission.status).toBe('backoff');
    expect(clock.timers).toBe(0);
    expect(await submission.cancel()).toEqual({ kind: 'canceled', by: 'caller', attempts: 1 });
  });

  test('restart() ends even an infinite wait', async () => {
    const { supervisor, clock } = setup();
    const body = script<string>(
      () => {
        throw new RetryError('when told', { afterMs: Infinity });
      },
      () => 'told',
    );
    const submission = supervisor.submit({ run: body.run });
    await clock.settle();
    expect(submission.restart()).toBe(true);
    expect(await submission.value()).toBe('told');
  });

  for (const [what, make] of [
    ['a RetryError whose afterMs throws', () => new RetryError('x')],
    ['a CanceledError whose by throws', () => new CanceledError('x')],
    ['a CanceledError whose reason throws', () => new CanceledError('x')],
  ] as const)
    test(`${what} is captured like any other (panics)`, async () => {
      const { supervisor, clock } = setup();
      const field = what.includes('afterMs') ? 'afterMs' : what.includes('by') ? 'by' : 'reason';
      const error = Object.defineProperty(make(), field, {
        get: () => {
          throw new Error('trap');
        },
      });
      const submission = supervisor.submit({
        maxRetries: 1,
        backoff: PLAIN,
        run: () => {
          throw error;
        },
      });
      await clock.advance(100);
      expect(submission.status).toBe('ended');
      expect(supervisor.snapshot().slots).toEqual([]);
    });
});

describe('restartLimit (section 5)', () => {
  test('more restarts than that inside the sliding window end the task failed, because restartLimit', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({
      backoff: { firstMs: 100, factor: 1, jitter: 'none' },
      restartLimit: { restarts: 3, withinMs: 1_000 },
      run: () => fail(),
    });
    await clock.advance(10_000);
    expect(submission.status).toBe('ended');
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'restartLimit', attempts: 4 });
    expect(clock.timers).toBe(0);
  });

  test('the window slides: restarts that are far enough apart go on for ever', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({
      backoff: { firstMs: 500, factor: 1, jitter: 'none' },
      restartLimit: { restarts: 2, withinMs: 1_000 },
      run: () => fail(),
    });
    await clock.advance(50_000);
    expect(submission.status).toBe('backoff');
    expect(supervisor.tasks()).toMatchObject([{ attempt: 101 }]);
  });

  test('repeats after a success do not count', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({
      restart: 'always',
      intervalMs: 1,
      backoff: { firstMs: 1, factor: 1, jitter: 'none' },
      restartLimit: { restarts: 1, withinMs: 1_000 },
      run: ({ attempt }) => attempt !== 50 || fail(),
    });
    await clock.advance(200);
    expect(submission.status).toBe('interval');
    expect(supervisor.tasks()).toMatchObject([{ attempt: 201, retries: 1 }]);
  });

  test('restarts 0 ends it with the first failure', async () => {
    const { supervisor } = setup();
    const submission = supervisor.submit({ restartLimit: { restarts: 0, withinMs: 1_000 }, run: () => fail() });
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'restartLimit', attempts: 1 });
  });
});

describe('always (section 5)', () => {
  test('without an interval starts are at least 1 ms apart, and no backoffScheduled is told', async () => {
    const { supervisor, clock, recorded } = setup();
    const starts: number[] = [];
    const submission = supervisor.submit({ restart: 'always', run: () => void starts.push(clock.now()) });
    await clock.advance(5);
    expect(starts).toEqual([0, 1, 2, 3, 4, 5]);
    expect(recorded.of('backoffScheduled')).toEqual([]);
    await submission.cancel();
    expect(clock.timers).toBe(0);
  });

  test('without an interval a body that took its time is followed at once', async () => {
    const { supervisor, clock } = setup();
    const starts: number[] = [];
    supervisor.submit({
      restart: 'always',
      run: async (ctx) => {
        starts.push(clock.now());
        await ctx.sleep(10);
      },
    });
    await clock.advance(30);
    expect(starts).toEqual([0, 10, 20, 30]);
  });

  test('an instant body cannot starve the event loop: timers and I/O of the process go on', async () => {
    const { supervisor, clock } = setup();
    let runs = 0;
    // The clock jumps in the body, so that no pause is due: the next attempt may follow at once, for ever.
    const submission = supervisor.submit({
      restart: 'always',
      run: () => {
        runs += 1;
        clock.block(1);
      },
    });
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(runs).toBeGreaterThan(1);
    expect(await submission.cancel()).toMatchObject({ kind: 'canceled', by: 'caller' });
  });

  test('the interval is measured from the end of the attempt', async () => {
    const { supervisor, clock, recorded } = setup();
    const starts: number[] = [];
    const submission = supervisor.submit({
      restart: 'always',
      intervalMs: 100,
      run: async (ctx) => {
        starts.push(clock.now());
        await ctx.sleep(30);
      },
    });
    await clock.advance(30);
    expect(submission.status).toBe('interval');
    expect(supervisor.tasks()).toMatchObject([{ status: 'interval', nextAttemptInMs: 100 }]);
    await clock.advance(99);
    expect(starts).toEqual([0]);
    await clock.advance(131);
    expect(starts).toEqual([0, 130, 260]);
    expect(recorded.of('backoffScheduled')).toMatchObject([
      { attempt: 1, delayMs: 100, after: 'success' },
      { attempt: 2, delayMs: 100, after: 'success' },
    ]);
  });

  test('an infinite interval waits until restart(), and holds no timer', async () => {
    const { supervisor, clock } = setup();
    const body = script(() => 'again');
    const submission = supervisor.submit({ restart: 'always', intervalMs: Infinity, run: body.run });
    await clock.advance(10 ** 10);
    expect(body.starts).toEqual([1]);
    expect(clock.timers).toBe(0);
    expect(submission.restart()).toBe(true);
    await clock.settle();
    expect(body.starts).toEqual([1, 2]);
  });
});

describe('state() (section 5)', () => {
  test('is called before each attempt, so a restart starts from fresh state', async () => {
    const { supervisor, clock } = setup();
    let made = 0;
    const seen: { serial: number; touched: boolean }[] = [];
    const submission = supervisor.submit({
      backoff: PLAIN,
      state: () => {
        made += 1;
        return { serial: made, touched: false };
      },
      run: (ctx) => {
        seen.push({ ...ctx.state });
        ctx.state.touched = true;
        return ctx.attempt < 3 ? fail() : 'done';
      },
    });
    expect(made).toBe(0); // no user code inside submit
    await clock.advance(300);
    expect(await submission.value()).toBe('done');
    expect(seen).toEqual([1, 2, 3].map((serial) => ({ serial, touched: false })));
  });

  test('throwing fails the attempt, and the body is not called', async () => {
    const { supervisor, clock } = setup();
    const body = script(() => 'ran');
    let calls = 0;
    const submission = supervisor.submit({
      backoff: PLAIN,
      state: () => {
        calls += 1;
        return calls === 1 ? fail('no state') : undefined;
      },
      run: body.run,
    });
    await clock.advance(100);
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 'ran', attempts: 2 });
    expect(body.starts).toEqual([2]);
  });

  test('throwing a FatalError is fatal', async () => {
    const { supervisor } = setup();
    const submission = supervisor.submit({
      state: () => {
        throw new FatalError('nothing to start from');
      },
      run: () => 'never',
    });
    expect(await submission.outcome).toMatchObject({ kind: 'fatal', attempts: 1 });
  });
});

describe('restart() (section 5)', () => {
  test('a running attempt is stopped and, once ended, a fresh one follows at once; it is not a failure', async () => {
    const { supervisor, clock, recorded } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ slot: 's', restart: 'never', maxRetries: 0, run: body.body });
    await clock.settle();
    expect(submission.restart()).toBe(true);
    await clock.settle();
    expect(body.calls[0]?.canceled).toBe(true);
    expect(submission.status).toBe('stopping');
    expect(body.alive).toBe(1); // the slot waits for proof of end here too
    body.fail(new Error('on its way out'));
    await clock.settle();
    expect(body.calls).toHaveLength(2);
    expect(body.calls[1]?.canceled).toBe(false);
    expect(recorded.of('backoffScheduled')).toEqual([]);
    expect(supervisor.tasks()).toMatchObject([{ attempt: 2, retries: 0 }]);
    body.open('fresh');
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 'fresh', attempts: 2 });
  });

  test('the value of an attempt that was told to restart is not the outcome', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ restart: 'never', run: body.body });
    await clock.settle();
    submission.restart();
    body.open('old');
    await clock.settle();
    body.open('new');
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 'new', attempts: 2 });
  });

  test('a backoff is cut short, and its timer goes', async () => {
    const { supervisor, clock } = setup();
    const body = script<unknown>(
      () => fail(),
      () => new Promise(() => {}),
    );
    const submission = supervisor.submit({ backoff: PLAIN, run: body.run });
    await clock.settle();
    expect(submission.status).toBe('backoff');
    expect(supervisor.restart(submission.id)).toBe(true);
    await clock.settle();
    expect(body.starts).toEqual([1, 2]);
    expect(clock.timers).toBe(0);
  });

  test('an interval is cut short', async () => {
    const { supervisor, clock } = setup();
    const body = script(() => 'again');
    const submission = supervisor.submit({ restart: 'always', intervalMs: 1_000, run: body.run });
    await clock.settle();
    expect(submission.restart()).toBe(true);
    await clock.settle();
    expect(body.starts).toEqual([1, 2]);
    expect(clock.timers).toBe(1); // the next interval's alone
  });

  test('it resets the retry streak and the backoff exponent', async () => {
    const { supervisor, clock, recorded } = setup();
    const submission = supervisor.submit({ maxRetries: 2, backoff: PLAIN, run: () => fail() });
    await clock.advance(100); // two failures; the second retry is due in 200 ms
    expect(submission.restart()).toBe(true);
    await clock.advance(10_000);
    expect(recorded.of('backoffScheduled').map(({ delayMs }) => delayMs)).toEqual([100, 200, 100, 200]);
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'maxRetries', attempts: 5 });
  });

  test('it is refused where there is nothing to restart: queued, at the gate, joined to nothing, ended, unknown', async () => {
    const { supervisor, clock } = setup({ concurrency: 1 });
    const body = gateBody();
    const owner = supervisor.submit({ slot: 's', run: body.body });
    const queued = supervisor.submit({ slot: 's', run: body.body });
    const atTheGate = supervisor.submit({ slot: 'other', run: body.body });
    await clock.settle();
    expect([queued.status, atTheGate.status]).toEqual(['queued', 'starting']);
    expect([queued.restart(), atTheGate.restart()]).toEqual([false, false]);
    expect(owner.restart()).toBe(true);
    expect(owner.restart()).toBe(false); // it is stopping
    void queued.cancel();
    void atTheGate.cancel();
    void owner.cancel();
    body.open('end');
    await owner.outcome;
    expect(owner.restart()).toBe(false);
    expect(supervisor.restart(owner.id)).toBe(false);
    expect(body.calls).toHaveLength(1);
  });

  test('a stop request after it wins: no fresh attempt', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ run: body.body });
    await clock.settle();
    submission.restart();
    void submission.cancel('rather not');
    body.fail(body.calls[0]?.signal.reason);
    expect(await submission.outcome).toEqual({ kind: 'canceled', by: 'caller', reason: 'rather not', attempts: 1 });
    expect(body.calls).toHaveLength(1);
  });

  test('a body that restarts itself and ends starts again', async () => {
    const { supervisor, clock } = setup();
    let self: Submission | undefined;
    const answers: (boolean | undefined)[] = [];
    self = supervisor.submit({
      restart: 'never',
      run: (ctx) => {
        if (ctx.attempt < 3) answers.push(self?.restart());
        return ctx.attempt;
      },
    });
    await clock.settle();
    expect(await self.outcome).toEqual({ kind: 'completed', value: 3, attempts: 3 });
    expect(answers).toEqual([true, true]);
  });
});

describe('timeoutMs (section 5)', () => {
  test("aborts the attempt's signal with a TimeoutError, and the retry waits for the end of the late body", async () => {
    const { supervisor, clock, recorded } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ slot: 's', timeoutMs: 50, backoff: PLAIN, run: body.body });
    await clock.advance(49);
    expect(body.calls[0]?.canceled).toBe(false);
    await clock.advance(1);
    expect(body.calls[0]?.signal.reason).toBeInstanceOf(TimeoutError);
    await clock.advance(5_000);
    expect(body.calls).toHaveLength(1);
    expect(recorded.of('attemptTimedOut')).toEqual([]); // it ends when the body has settled
    expect(submission.status).toBe('stopping');
    body.open('too late');
    await clock.settle();
    expect(recorded.of('attemptTimedOut')).toMatchObject([{ attempt: 1, durationMs: 5_050 }]);
    await clock.advance(100);
    expect(body.calls).toHaveLength(2);
    expect(body.alive).toBe(1);
    body.open('in time');
    expect(await submission.value()).toBe('in time');
    expect(clock.timers).toBe(0);
  });

  test('an attempt past its deadline is timedOut whatever the body does after: even a FatalError', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ restart: 'never', timeoutMs: 50, run: body.body });
    await clock.advance(50);
    body.fail(new FatalError('too late'));
    expect(await submission.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'timedOut', afterMs: 50 } });
  });

  test('bounds each attempt on its own, from the start of its body', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ timeoutMs: 50, backoff: PLAIN, run: body.body });
    await clock.advance(40);
    body.fail(new Error('first'));
    await clock.advance(100 + 49);
    expect(body.calls[1]?.canceled).toBe(false);
    await clock.advance(1);
    expect(body.calls[1]?.canceled).toBe(true);
    void submission.cancel();
    body.open('end');
    expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'caller', attempts: 2 });
  });

  test('longer than a platform timer can hold never fires early', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    supervisor.submit({ timeoutMs: 2 ** 33, run: body.body });
    await clock.advance(2 ** 33 - 1);
    expect(body.calls[0]?.canceled).toBe(false);
    await clock.advance(1);
    expect(body.calls[0]?.canceled).toBe(true);
  });
});

describe('stallMs (section 5)', () => {
  test('a heartbeat holds it off; silence for that long aborts the signal with a TimeoutError', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ restart: 'never', stallMs: 100, run: body.body });
    for (let beat = 0; beat < 5; beat += 1) {
      await clock.advance(90);
      expect(submission.status).toBe('running');
      body.calls[0]?.heartbeat();
    }
    await clock.advance(99);
    expect(body.calls[0]?.canceled).toBe(false);
    await clock.advance(1);
    expect(body.calls[0]?.signal.reason).toBeInstanceOf(TimeoutError);
    expect(submission.status).toBe('stopping'); // it ends when the body has settled
    body.open('late');
    expect(await submission.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'stalled', silentMs: 100 } });
    expect(clock.timers).toBe(0);
  });

  test('time in which the event loop itself did not turn is not counted', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    supervisor.submit({ stallMs: 100, run: body.body });
    await clock.settle();
    clock.block(10_000);
    await clock.advance(0); // everything late fires now
    expect(body.calls[0]?.canceled).toBe(false);
    await clock.advance(87); // a block is told apart to within an eighth of the bound
    expect(body.calls[0]?.canceled).toBe(false);
    await clock.advance(13);
    expect(body.calls[0]?.canceled).toBe(true);
  });

  test('a body that beats again after a block has not stalled', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    supervisor.submit({ stallMs: 100, run: body.body });
    for (let round = 0; round < 5; round += 1) {
      await clock.settle();
      clock.block(500);
      await clock.advance(0);
      body.calls[0]?.heartbeat();
      await clock.advance(80);
      expect(body.calls[0]?.canceled).toBe(false);
    }
    await clock.advance(20);
    expect(body.calls[0]?.canceled).toBe(true);
  });

  test('each attempt is watched anew, and a stalled one is retried after backoff', async () => {
    const { supervisor, clock, recorded } = setup();
    const submission = supervisor.submit({
      stallMs: 100,
      backoff: PLAIN,
      run: async (ctx) => {
        await ctx.sleep(ctx.attempt === 1 ? 1_000 : 60);
        return ctx.attempt;
      },
    });
    await clock.advance(100 + 100 + 60);
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 2, attempts: 2 });
    expect(recorded.of('attemptStalled')).toMatchObject([{ attempt: 1, failure: { kind: 'stalled', silentMs: 100 } }]);
  });

  test('a heartbeat without stallMs, or after the end, does nothing', async () => {
    const { supervisor, clock } = setup();
    let kept: TaskContext | undefined;
    const run = (ctx: TaskContext): string => {
      kept = ctx;
      ctx.heartbeat();
      return 'ok';
    };
    expect(await supervisor.submit({ run }).value()).toBe('ok');
    expect(await supervisor.submit({ stallMs: 10, run }).value()).toBe('ok');
    kept?.heartbeat();
    expect(clock.timers).toBe(0);
  });
});

describe('backoff (section 5)', () => {
  /** The delays of so many retries in a row. */
  async function delaysOf(spec: Partial<TaskSpec>, retries: number): Promise<number[]> {
    const { supervisor, clock, recorded } = setup();
    const submission = supervisor.submit({ ...spec, maxRetries: retries, run: () => fail() });
    while (submission.status !== 'ended') if (!(await clock.next())) break;
    await clock.settle();
    return recorded.of('backoffScheduled').map(({ delayMs }) => delayMs);
  }

  test('the default is 200 ms x2 up to 30 s with equal jitter: half the base to the base', async () => {
    const delays = await delaysOf({}, 40);
    expect(delays).toHaveLength(40);
    delays.forEach((delay, n) => {
      const base = Math.min(200 * 2 ** n, 30_000);
      expect(delay).toBeGreaterThanOrEqual(base / 2);
      expect(delay).toBeLessThanOrEqual(base);
    });
    expect(new Set(delays).size).toBe(40); // chance is in it
  });

  for (const [what, backoff, expected] of [
    ['none: the base', { firstMs: 100, jitter: 'none' }, [100, 200, 400, 800]],
    ['a constant delay is factor 1', { firstMs: 70, factor: 1, jitter: 'none' }, [70, 70, 70, 70]],
    ['at most maxMs', { firstMs: 100, factor: 3, maxMs: 500, jitter: 'none' }, [100, 300, 500, 500]],
    ['at least floorMs', { firstMs: 10, maxMs: 1_000, floorMs: 30, jitter: 'none' }, [30, 30, 40, 80]],
    ['fractions are kept', { firstMs: 1.5, factor: 1.5, jitter: 'none' }, [1.5, 2.25, 3.375, 5.0625]],
    ['zero stays zero', { firstMs: 0, jitter: 'none' }, [0, 0, 0, 0]],
    ['at least min(1, maxMs) if the base is above zero', { firstMs: 0.01, factor: 1, jitter: 'none' }, [1, 1, 1, 1]],
    ['a maxMs below 1 still caps', { firstMs: 0.25, maxMs: 0.5, jitter: 'none' }, [0.5, 0.5, 0.5, 0.5]],
    [
      'overflow gives maxMs',
      { firstMs: 1e300, factor: 1e300, maxMs: 1e301, jitter: 'none' },
      [1e300, 1e301, 1e301, 1e301],
    ],
  ] as const)
    test(`${what}: events tell the delays ${expected.join(', ')}`, async () => {
      if (what.startsWith('overflow')) {
        // Beyond what a clock can add up: the arithmetic alone.
        expect([0, 1, 2, 3].map((n) => backoffDelayMs(backoff, n))).toEqual(expected);
        return;
      }
      expect(await delaysOf({ backoff }, 4)).toEqual(expected);
    });

  for (const [jitter, low, high] of [
    ['full', () => 0, (base: number) => base],
    ['equal', (base: number) => base / 2, (base: number) => base],
    ['band', () => 100, (base: number) => Math.min(3 * base, 2_000)],
    ['decorrelated', () => 100, (_: number, previous: number) => Math.min(3 * previous, 2_000)],
  ] as const)
    test(`jitter ${jitter} stays inside its bounds, retry by retry`, async () => {
      const delays = await delaysOf({ backoff: { firstMs: 100, maxMs: 2_000, jitter } }, 60);
      let previous = 100;
      delays.forEach((delay, n) => {
        const base = Math.min(100 * 2 ** n, 2_000);
        expect(delay).toBeGreaterThanOrEqual(Math.max(low(base), 1));
        expect(delay).toBeLessThanOrEqual(high(base, previous));
        previous = delay;
      });
      expect(new Set(delays).size).toBeGreaterThan(10);
    });

  test('delays longer than a platform timer can hold are never cut short', async () => {
    const { supervisor, clock } = setup();
    const body = script<string>(
      () => fail(),
      () => 'after a month',
    );
    const month = 30 * 24 * 3_600_000;
    expect(month).toBeGreaterThan(2 ** 31);
    const submission = supervisor.submit({ backoff: { firstMs: month, jitter: 'none' }, run: body.run });
    await clock.advance(month - 1);
    expect(body.starts).toEqual([1]);
    expect(supervisor.tasks()).toMatchObject([{ status: 'backoff', nextAttemptInMs: 1 }]);
    await clock.advance(1);
    expect(await submission.value()).toBe('after a month');
  });

  test('a jump of the wall clock changes no delay', async () => {
    const { supervisor, clock } = setup();
    const body = script<string>(
      () => fail(),
      () => 'second',
    );
    const submission = supervisor.submit({ backoff: PLAIN, run: body.run });
    await clock.settle();
    clock.setWall(0);
    await clock.advance(99);
    clock.setWall(Date.UTC(2100, 0, 1));
    expect(body.starts).toEqual([1]);
    await clock.advance(1);
    expect(await submission.value()).toBe('second');
  });
});
