import { getEventListeners } from 'node:events';
import {
  CanceledError,
  ClosedError,
  type KillableTask,
  type Lease,
  type Outcome,
  type StopCause,
  type Submission,
  Supervisor,
  type SupervisorOptions,
  type TaskContext,
  type TaskSpec,
  TimeoutError,
} from 'slotvisor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type GateBody, gateBody } from '../support/gate.ts';
import { type Setup, setup } from '../support/setup.ts';

const REASON = { why: 'enough' };
const GRACE = 1_000;

interface Running extends Setup {
  readonly submission: Submission;
  readonly body: GateBody<string>;
  readonly ctx: TaskContext;
  /** Takes the slot's lease away. */
  readonly lost: AbortController;
  /** The spec's signal. */
  readonly parent: AbortController;
}

/** A body that runs on slot `s`, looks at nothing, and ends when the test says so. */
async function running(
  spec: Partial<TaskSpec> = {},
  options: SupervisorOptions = {},
  kill?: KillableTask['kill'],
): Promise<Running> {
  const lost = new AbortController();
  const lease: Lease = { fence: 1n, lost: lost.signal, release: () => {} };
  const world = setup({ leases: { acquire: () => lease }, ...options });
  const parent = new AbortController();
  const body = gateBody();
  const submission = world.supervisor.submit({
    slot: 's',
    restart: 'never',
    graceMs: GRACE,
    signal: parent.signal,
    ...spec,
    run: kill === undefined ? body.body : { run: body.body, kill },
  });
  await world.clock.settle();
  return { ...world, submission, body, ctx: body.calls[0] as TaskContext, lost, parent };
}

interface Cause {
  readonly by: StopCause;
  readonly reason?: unknown;
  readonly ask: (world: Running) => unknown;
}

const DEADLINE = 500;
const CAUSES: readonly Cause[] = [
  { by: 'caller', reason: REASON, ask: ({ submission }) => void submission.cancel(REASON) },
  {
    by: 'replace',
    ask: ({ supervisor }) => supervisor.submit({ slot: 's', admission: 'replace', run: () => 'next' }),
  },
  { by: 'slot', reason: REASON, ask: ({ supervisor }) => void supervisor.slot('s').cancel(REASON) },
  { by: 'signal', reason: REASON, ask: ({ parent }) => parent.abort(REASON) },
  { by: 'deadline', ask: ({ clock }) => clock.advance(DEADLINE) },
  { by: 'shutdown', ask: ({ supervisor }) => void supervisor.shutdown() },
  { by: 'leaseLost', ask: ({ lost }) => lost.abort() },
];

/** What an outcome says of a cause: a reason that was not given is not shown. */
const of = ({ by, reason }: Cause) => ({ by, ...(reason !== undefined && { reason }) });

describe('a stop request (section 6)', () => {
  for (const cause of CAUSES)
    test(`by ${cause.by} aborts the signal with a typed reason, tells onCancel, and waits for the body`, async () => {
      const world = await running({ deadlineMs: DEADLINE });
      const { ctx, clock, submission, body, recorded } = world;
      const heard: CanceledError[] = [];
      ctx.onCancel((reason) => heard.push(reason));
      expect([ctx.canceled, ctx.signal.aborted]).toEqual([false, false]);
      await cause.ask(world);
      expect(ctx.canceled).toBe(true);
      await clock.settle();
      expect(ctx.signal.reason).toBeInstanceOf(CanceledError);
      expect(ctx.signal.reason).toMatchObject(of(cause));
      expect((ctx.signal.reason as CanceledError).reason).toBe(cause.reason);
      expect(heard).toEqual([ctx.signal.reason]);
      expect(submission.status).toBe('stopping');
      expect(recorded.of('stopRequested')).toMatchObject([{ id: submission.id, by: cause.by }]);
      expect(recorded.types(submission.id)).not.toContain('finished');
      body.open('out');
      expect(await submission.outcome).toEqual({ kind: 'canceled', ...of(cause), attempts: 1 });
    });

  for (const first of CAUSES)
    test(`first cause wins: after ${first.by} no other cause is heard of`, async () => {
      for (const second of CAUSES) {
        const world = await running({ deadlineMs: DEADLINE });
        const { ctx, clock, submission, body, recorded } = world;
        const heard: unknown[] = [];
        ctx.onCancel((reason) => heard.push(reason));
        await first.ask(world);
        await clock.settle();
        if (first.by === 'shutdown' && second.by === 'replace')
          expect(() => second.ask(world)).toThrow(ClosedError); // there is no such second
        else await second.ask(world);
        await clock.settle();
        expect(recorded.of('stopRequested').filter(({ id }) => id === submission.id)).toHaveLength(1);
        expect(heard).toHaveLength(1);
        body.open('out');
        expect(await submission.outcome).toEqual({ kind: 'canceled', ...of(first), attempts: 1 });
      }
    });

  test('during a timed-out or stalled attempt that has not ended yet: canceled, by whoever asked', async () => {
    for (const spec of [{ timeoutMs: 100 }, { stallMs: 100 }])
      for (const cause of CAUSES) {
        const world = await running({ deadlineMs: DEADLINE, ...spec });
        const { ctx, clock, submission, body, recorded } = world;
        await clock.advance(100);
        expect(ctx.signal.reason).toBeInstanceOf(TimeoutError);
        const { reason } = ctx.signal;
        await cause.ask(world);
        body.open('late');
        expect(await submission.outcome).toMatchObject({ kind: 'canceled', ...of(cause), attempts: 1 });
        expect(ctx.signal.reason).toBe(reason);
        await clock.settle();
        const told = 'timeoutMs' in spec ? 'attemptTimedOut' : 'attemptStalled'; // what the attempt was, it stays
        expect(recorded.types(submission.id)).toContain(told);
      }
  });

  test('the grace runs from the first request: a later one neither prolongs it nor begins another', async () => {
    for (const first of ['timeout', 'restart'] as const) {
      const { clock, submission, recorded } = await running(first === 'timeout' ? { timeoutMs: 100 } : {});
      if (first === 'timeout') await clock.advance(100);
      else submission.restart();
      await clock.advance(400);
      void submission.cancel();
      await clock.advance(GRACE - 401);
      expect(submission.status).toBe('stopping');
      await clock.advance(1);
      expect(submission.status).toBe('overrun');
      await clock.advance(GRACE);
      expect(recorded.of('overrun')).toMatchObject([{ action: 'hold', sinceMs: GRACE }]);
    }
  });

  test('a timeout after a stop request changes nothing', async () => {
    const { clock, submission, body, recorded } = await running({ timeoutMs: 100, stallMs: 150 });
    void submission.cancel(REASON);
    await clock.advance(500);
    body.open('out');
    expect(await submission.outcome).toEqual({ kind: 'canceled', by: 'caller', reason: REASON, attempts: 1 });
    await clock.settle();
    expect(recorded.types(submission.id)).not.toContain('attemptTimedOut');
    expect(recorded.types(submission.id)).not.toContain('attemptStalled');
  });

  for (const [what, spec, options, status] of [
    ['the line', { slot: 'taken' }, {}, 'queued'],
    ['the gate', {}, { concurrency: 1 }, 'starting'],
    ['a backoff', { restart: 'onFailure' }, {}, 'backoff'],
    ['an infinite interval', { restart: 'always', intervalMs: Infinity }, {}, 'interval'],
  ] as const)
    test(`in ${what} it ends at once and leaves neither timer nor listener`, async () => {
      const { supervisor, clock } = setup(options);
      const blocker = gateBody();
      supervisor.submit({ slot: 'taken', run: blocker.body });
      const { signal } = new AbortController();
      let calls = 0;
      const submission = supervisor.submit({
        ...spec,
        signal,
        deadlineMs: 1e6,
        queueTimeoutMs: 1e6,
        run: () => {
          calls += 1;
          if (status === 'interval') return 'fine';
          throw new Error('no');
        },
      });
      await clock.settle();
      expect(submission.status).toBe(status);
      const outcome = submission.cancel(REASON);
      expect(submission.status).toBe('ended');
      expect(await outcome).toEqual(
        status === 'queued'
          ? { kind: 'rejected', reason: 'canceled' }
          : { kind: 'canceled', by: 'caller', reason: REASON, attempts: calls },
      );
      expect(clock.timers).toBe(0);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      blocker.open('done');
      await clock.advance(1e6);
      expect(calls).toBe(status === 'backoff' || status === 'interval' ? 1 : 0);
      expect(supervisor.snapshot()).toMatchObject({ running: 0, queued: 0, slots: [] });
    });

  test('asked for in the turn of submit no body is called', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ run: body.body });
    expect(await submission.cancel()).toEqual({ kind: 'canceled', by: 'caller', attempts: 0 });
    await clock.settle();
    expect(body.calls).toEqual([]);
  });

  for (const [where, answer] of [
    ['retryIf, which then agrees', true],
    ['retryIf, which then refuses', false],
    ['the source of chance for a backoff', undefined],
  ] as const)
    test(`asked for by ${where}: the task ends there, once, and the next owner is not touched (S1, S8)`, async () => {
      let ask = (): unknown => undefined;
      const random = () => {
        ask();
        return 0.5;
      };
      const { supervisor, clock } = setup({ random });
      const next = gateBody();
      let calls = 0;
      const submission = supervisor.submit({
        slot: 's',
        retryIf: () => {
          if (answer !== undefined) ask();
          return answer ?? true;
        },
        run: () => {
          calls += 1;
          throw new Error('no');
        },
      });
      ask = () => submission.cancel(REASON);
      const later = supervisor.submit({ slot: 's', run: next.body });
      expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'caller', attempts: 1 });
      await clock.advance(100_000);
      expect([calls, next.alive]).toEqual([1, 1]);
      expect(supervisor.snapshot()).toMatchObject({ running: 1, totals: { attempts: 2, canceled: 1, failed: 0 } });
      void later.cancel();
      expect(next.calls[0]?.canceled).toBe(true);
      next.open('out');
      expect(await later.outcome).toEqual({ kind: 'canceled', by: 'caller', attempts: 1 });
      expect(clock.timers).toBe(0);
    });
});

describe('overrun (section 6)', () => {
  const timedOut = { kind: 'timedOut', afterMs: 100, message: 'timed out after 100 ms', fatal: false } as const;
  const stalled = { kind: 'stalled', silentMs: 100, message: 'no heartbeat for 100 ms', fatal: false } as const;
  const failed = (failure: typeof timedOut | typeof stalled): Outcome => ({
    kind: 'failed',
    failure,
    attempts: 1,
    because: 'policy',
  });
  const asked = { by: 'caller', reason: REASON, attempts: 1 } as const;
  type End = Outcome | 'a fresh attempt';

  const interruptions: readonly {
    readonly name: string;
    readonly spec: Partial<TaskSpec>;
    readonly ask: (world: Running) => unknown;
    readonly hold: End;
    readonly abandon: End;
    readonly kill: End;
  }[] = [
    {
      name: 'a cancel',
      spec: {},
      ask: ({ submission }) => void submission.cancel(REASON),
      hold: { kind: 'canceled', ...asked },
      abandon: { kind: 'abandoned', by: 'caller', attempts: 1 },
      kill: { kind: 'killed', by: 'caller', attempts: 1 },
    },
    {
      name: 'a timeout',
      spec: { timeoutMs: 100 },
      ask: ({ clock }) => clock.advance(100),
      hold: failed(timedOut),
      abandon: failed(timedOut),
      kill: failed(timedOut),
    },
    {
      name: 'a stall',
      spec: { stallMs: 100 },
      ask: ({ clock }) => clock.advance(100),
      hold: failed(stalled),
      abandon: failed(stalled),
      kill: failed(stalled),
    },
    {
      name: 'restart()',
      spec: {},
      ask: ({ submission }) => expect(submission.restart()).toBe(true),
      hold: 'a fresh attempt',
      abandon: 'a fresh attempt',
      kill: 'a fresh attempt',
    },
  ];

  for (const { name, spec, ask, ...ends } of interruptions)
    for (const action of ['hold', 'abandon', 'kill'] as const) {
      const end = ends[action];
      const claim = typeof end === 'string' ? end : end.kind;
      test(`${action} after ${name}: the grace is ${GRACE} ms, the slot is ${action === 'abandon' ? 'given on' : 'kept till the end'}, and then: ${claim}`, async () => {
        const kill = gateBody<void>();
        const onOverrun = action === 'abandon' ? action : undefined;
        const world = await running({ ...spec, onOverrun }, {}, action === 'kill' ? kill.body : undefined);
        const { supervisor, clock, submission, body, recorded } = world;
        const later = supervisor.submit({ slot: 's', run: () => 'later' });
        await ask(world);
        await clock.advance(GRACE - 1);
        expect(submission.status).toBe('stopping');
        expect([recorded.of('overrun'), supervisor.snapshot().overrun, kill.alive]).toEqual([[], 0, 0]);
        expect(submission.restart()).toBe(false); // refused while stopping
        await clock.advance(1);
        expect(recorded.of('overrun')).toMatchObject([{ id: submission.id, action, sinceMs: GRACE }]);
        if (action === 'abandon') expect(supervisor.snapshot()).toMatchObject({ overrun: 0, abandonedAlive: 1 });
        else {
          expect(submission.status).toBe('overrun');
          expect(submission.restart()).toBe(false); // and in overrun
          expect(supervisor.snapshot()).toMatchObject({
            overrun: 1,
            abandonedAlive: 0,
            slots: [{ phase: expect.stringMatching('running|stopping'), owner: { status: 'overrun' } }],
          });
          await clock.advance(1e6);
          expect([later.status, body.calls.length]).toEqual(['queued', 1]);
          expect(kill.calls).toEqual(action === 'kill' ? [body.calls[0]] : []);
          if (action === 'kill') kill.open();
          else body.open('at last');
        }
        await clock.settle();
        if (typeof end === 'string') {
          expect(body.calls.map(({ attempt, canceled }) => [attempt, canceled])).toEqual([
            [1, true],
            [2, false],
          ]);
          return;
        }
        expect(await submission.outcome).toEqual(end);
        expect(await later.value()).toBe('later');
        if (action === 'abandon') {
          body.fail(new Error('nobody waits for this any more'));
          await clock.settle();
          expect(await submission.outcome).toEqual(end);
        }
        expect(supervisor.snapshot()).toMatchObject({ overrun: 0, abandonedAlive: 0, slots: [] });
        expect(clock.timers).toBe(0);
      });
    }

  test('an abandoned attempt that timed out is retried after backoff, beside the body that was given up', async () => {
    const { supervisor, clock, submission, body, recorded } = await running({
      restart: 'onFailure',
      backoff: { firstMs: 50, jitter: 'none' },
      timeoutMs: 100,
      onOverrun: 'abandon',
    });
    await clock.advance(100 + GRACE);
    expect(recorded.of('attemptTimedOut')).toMatchObject([{ attempt: 1, durationMs: 100 + GRACE }]);
    await clock.advance(50);
    expect(body.alive).toBe(2);
    expect(supervisor.snapshot()).toMatchObject({ running: 1, abandonedAlive: 1 });
    body.open('too late');
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ running: 1, abandonedAlive: 0 });
    body.open('in time');
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 'in time', attempts: 2 });
  });

  for (const [what, spec, options, at] of [
    ["the spec's", { graceMs: 30 }, { graceMs: 20, defaults: { graceMs: 10 } }, 30],
    ["else the defaults'", { graceMs: undefined }, { graceMs: 20, defaults: { graceMs: 10 } }, 10],
    ["else the supervisor's", { graceMs: undefined }, { graceMs: 20 }, 20],
    ['else 60 s', { graceMs: undefined }, {}, 60_000],
  ] as const)
    test(`graceMs: ${what}`, async () => {
      const { clock, submission } = await running(spec, options);
      void submission.cancel();
      await clock.advance(at - 1);
      expect(submission.status).toBe('stopping');
      await clock.advance(1);
      expect(submission.status).toBe('overrun');
    });

  test('graceMs 0 overruns at once, but not within the call; Infinity never does', async () => {
    const none = await running({ graceMs: 0, onOverrun: 'abandon' });
    void none.submission.cancel();
    expect(none.submission.status).toBe('stopping');
    await none.clock.advance(0);
    expect(await none.submission.outcome).toEqual({ kind: 'abandoned', by: 'caller', attempts: 1 });

    const endless = await running({ graceMs: Infinity, onOverrun: 'abandon' });
    void endless.submission.cancel();
    await endless.clock.advance(1e12);
    expect(endless.submission.status).toBe('stopping');
    expect(endless.clock.timers).toBe(0);
  });

  test('a body that ends within its grace is not killed, and leaves no timer', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const kill = gateBody<void>();
    const submission = supervisor.submit({ run: { run: body.body, kill: kill.body }, graceMs: GRACE });
    await clock.settle();
    void submission.cancel();
    await clock.advance(GRACE - 1);
    body.open('out');
    expect(await submission.outcome).toEqual({ kind: 'canceled', by: 'caller', attempts: 1 });
    expect(clock.timers).toBe(0);
    await clock.advance(GRACE);
    expect(kill.calls).toEqual([]);
  });
});

describe('kill (section 6)', () => {
  const boom = new Error('the signal could not be sent');
  const killed: Outcome = { kind: 'killed', by: 'caller', attempts: 1 };
  const rows: readonly {
    readonly what: string;
    readonly kill: (ctx: TaskContext) => void | PromiseLike<void>;
    /** Whether `kill` proves the end; else the body itself has to. */
    readonly dies: boolean;
    readonly failed?: boolean;
  }[] = [
    { what: 'returns', kill: () => {}, dies: true },
    { what: 'resolves', kill: async () => {}, dies: true },
    { what: 'hangs', kill: () => new Promise(() => {}), dies: false },
    {
      what: 'throws',
      kill: () => {
        throw boom;
      },
      dies: false,
      failed: true,
    },
    { what: 'rejects', kill: () => Promise.reject(boom), dies: false, failed: true },
    {
      what: 'returns a thenable that throws',
      kill: () => ({
        // biome-ignore lint/suspicious/noThenProperty: the hostile thenable is what is tested
        then: () => {
          throw boom;
        },
      }),
      dies: false,
      failed: true,
    },
  ];
  for (const { what, kill, dies, failed } of rows)
    test(`one that ${what} ${dies ? 'frees the slot' : `keeps the slot blocked${failed ? ', says so,' : ''} until the body ends`}`, async () => {
      const { supervisor, clock, recorded } = setup();
      const body = gateBody();
      let kills = 0;
      const submission = supervisor.submit({
        slot: 's',
        graceMs: GRACE,
        run: {
          run: body.body,
          kill: (ctx) => {
            kills += 1;
            return kill(ctx);
          },
        },
      });
      const later = supervisor.submit({ slot: 's', run: () => 'later' });
      await clock.settle();
      void submission.cancel();
      await clock.advance(GRACE);
      if (!dies) {
        await clock.advance(1e6);
        expect([submission.status, later.status]).toEqual(['overrun', 'queued']);
        body.open('at last');
      }
      expect(await submission.outcome).toEqual(
        failed === true
          ? { kind: 'canceled', by: 'caller', attempts: 1 } // nothing was killed
          : killed,
      );
      expect(await later.value()).toBe('later');
      expect(kills).toBe(1);
      expect(recorded.of('overrun').map(({ action }) => action)).toEqual(failed === true ? ['kill', 'hold'] : ['kill']);
      body.fail(new Error('the pipe broke')); // what ends after its proof of end harms nobody
      await clock.settle();
      expect(await submission.outcome).toMatchObject({ kind: failed === true ? 'canceled' : 'killed' });
      expect(clock.timers).toBe(0);
    });

  test('is called as a method of its task, with the context of the attempt', async () => {
    class Worker implements KillableTask<string> {
      seen: unknown[] = [];
      run(ctx: TaskContext): Promise<string> {
        this.seen.push(ctx);
        return new Promise(() => {});
      }
      kill(ctx: TaskContext): void {
        this.seen.push(ctx);
      }
    }
    const worker = new Worker();
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({ run: worker, graceMs: 0 });
    await clock.settle();
    void submission.cancel();
    await clock.advance(0);
    expect(await submission.outcome).toEqual(killed);
    expect(worker.seen).toHaveLength(2);
    expect(worker.seen[0]).toBe(worker.seen[1]);
  });

  test('a shorter grace of a shutdown hastens it; the first cause stays', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({ run: { run: () => new Promise(() => {}), kill: () => {} }, graceMs: 1e6 });
    const stubborn = supervisor.submit({ run: () => new Promise(() => {}), graceMs: 1e6 });
    await clock.settle();
    void submission.cancel();
    void stubborn.cancel();
    await clock.advance(10);
    void supervisor.shutdown({ graceMs: 100 });
    await clock.advance(99);
    expect([submission.status, stubborn.status]).toEqual(['stopping', 'stopping']);
    await clock.advance(1);
    expect(await submission.outcome).toEqual(killed);
    expect(await stubborn.outcome).toEqual({ kind: 'abandoned', by: 'caller', attempts: 1 });
  });
});

describe('what a body sees of its stop (section 6)', () => {
  test('canceled and throwIfCanceled know at once, with the reason; before they are quiet', async () => {
    const { ctx, submission } = await running();
    expect(ctx.canceled).toBe(false);
    expect(() => ctx.throwIfCanceled()).not.toThrow();
    void submission.cancel(REASON);
    expect(ctx.canceled).toBe(true);
    expect(() => ctx.throwIfCanceled()).toThrow(CanceledError);
    expect(() => ctx.throwIfCanceled()).toThrow(expect.objectContaining({ by: 'caller', reason: REASON }));
  });

  test('no listener of the body runs inside the call that asks (section 4)', async () => {
    for (const { by, ask } of CAUSES.filter((cause) => cause.by !== 'deadline')) {
      const world = await running();
      let heard = 0;
      world.ctx.onCancel(() => {
        heard += 1;
      });
      world.ctx.signal.addEventListener('abort', () => {
        heard += 1;
      });
      ask(world);
      expect([by, heard]).toEqual([by, 0]);
      await world.clock.settle();
      expect([by, heard]).toEqual([by, 2]);
    }
  });

  test("signal is the attempt's own: another attempt has another, and neither is the parent", async () => {
    const { ctx, clock, submission, body, parent } = await running();
    expect(ctx.signal).toBe(ctx.signal);
    expect(ctx.signal).not.toBe(parent.signal);
    submission.restart();
    body.open('first');
    await clock.settle();
    const fresh = body.calls[1];
    expect([ctx.signal.aborted, fresh?.signal.aborted, parent.signal.aborted]).toEqual([true, false, false]);
    expect(fresh?.signal).not.toBe(ctx.signal);
  });

  test('signal, looked at for the first time after the stop, is aborted with the same reason', async () => {
    const { ctx, clock, submission } = await running();
    void submission.cancel(REASON);
    await clock.settle();
    expect(ctx.signal.aborted).toBe(true);
    expect(() => ctx.throwIfCanceled()).toThrow(ctx.signal.reason);
  });

  test('onCancel: each listener is told once, in order; a removed one is not; a late one is told all the same', async () => {
    const { ctx, clock, submission } = await running();
    const heard: string[] = [];
    const twice = () => void heard.push('twice');
    ctx.onCancel(twice);
    const remove = ctx.onCancel(() => void heard.push('removed'));
    ctx.onCancel(twice);
    remove();
    remove();
    void submission.cancel();
    await clock.settle();
    expect(heard).toEqual(['twice', 'twice']);
    ctx.onCancel(() => void heard.push('late'));
    expect(heard).toHaveLength(2); // on a turn of its own
    await clock.settle();
    expect(heard).toEqual(['twice', 'twice', 'late']);
  });

  for (const [how, listener] of [
    [
      'throws',
      (error: unknown) => {
        throw error;
      },
    ],
    ['rejects', (error: unknown) => Promise.reject(error)],
  ] as const)
    test(`an onCancel listener that ${how} harms no other, and is told as the failure of the stop`, async () => {
      const { ctx, clock, submission, body } = await running();
      const error = new Error('in a listener');
      let heard = 0;
      ctx.onCancel(() => listener(error));
      ctx.onCancel(() => {
        heard += 1;
      });
      void submission.cancel(REASON);
      await clock.settle();
      expect(heard).toBe(1);
      body.fail(ctx.signal.reason);
      expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'caller', failure: { error } });
    });

  test('sleep lasts that long, and rejects with the reason as soon as the attempt is stopped, leaving no timer', async () => {
    const { clock, supervisor } = setup();
    const woken: unknown[] = [];
    const submission = supervisor.submit({
      run: async (ctx) => {
        await ctx.sleep(100);
        woken.push(clock.now());
        await ctx.sleep(1e6).catch((error: unknown) => {
          woken.push(error, ctx.canceled);
          throw error;
        });
      },
    });
    await clock.advance(99);
    expect(woken).toEqual([]);
    await clock.advance(1);
    expect(woken).toEqual([100]);
    expect(await submission.cancel(REASON)).toEqual({ kind: 'canceled', by: 'caller', reason: REASON, attempts: 1 });
    expect(woken).toEqual([100, expect.any(CanceledError), true]);
    expect([clock.timers, clock.now()]).toEqual([0, 100]);
  });

  test('untilCanceled settles as its work does, or rejects with the reason, whichever comes first', async () => {
    const { ctx, clock, submission } = await running();
    const error = new Error('of the work');
    expect(await ctx.untilCanceled(Promise.resolve('value'))).toBe('value');
    await expect(ctx.untilCanceled(Promise.reject(error))).rejects.toBe(error);
    const endless = ctx.untilCanceled(new Promise(() => {}));
    let late: ((error: unknown) => void) | undefined;
    const failing = ctx.untilCanceled(new Promise((_, reject) => (late = reject)));
    void submission.cancel(REASON);
    await clock.settle();
    const { reason } = ctx.signal;
    expect(reason).toBeInstanceOf(CanceledError);
    await expect(endless).rejects.toBe(reason);
    late?.(error); // nobody looks at it any more
    await expect(failing).rejects.toBe(reason);
  });

  test('begun after the stop, sleep and untilCanceled reject with the reason, without waiting', async () => {
    const { ctx, clock, submission } = await running({ graceMs: Infinity });
    void submission.cancel();
    const sameTurn = ctx.sleep(1e6);
    await clock.settle();
    const later = [ctx.sleep(0), ctx.sleep(Infinity), ctx.untilCanceled(new Promise(() => {}))];
    for (const wait of [sameTurn, ...later]) await expect(wait).rejects.toBe(ctx.signal.reason);
    expect([clock.timers, clock.now()]).toEqual([0, 0]);
  });

  test('a wait that a body left behind ends with its attempt: no timer outlives it', async () => {
    const { supervisor, clock } = setup();
    const left: Promise<unknown>[] = [];
    const run = (ctx: TaskContext): string => {
      left.push(ctx.sleep(1e6), ctx.untilCanceled(new Promise(() => {})));
      return 'done';
    };
    expect(await supervisor.submit({ run }).value()).toBe('done');
    expect(clock.timers).toBe(0);
    for (const wait of left) await expect(wait).rejects.toThrow(/has ended/);
  });

  test('a sleep begun after its attempt has ended holds no timer either', async () => {
    const { ctx, supervisor, clock, submission, body } = await running();
    body.open('done');
    await submission.outcome;
    await supervisor.shutdown();
    const wait = ctx.sleep(1e6);
    await clock.settle();
    expect(clock.timers).toBe(0);
    await expect(wait).rejects.toThrow(/has ended/);
  });

  test('an abandoned body still hears of its stop, and its waits end', async () => {
    const { supervisor, clock } = setup();
    const ends: unknown[] = [];
    const body = gateBody();
    const submission = supervisor.submit({
      graceMs: 0,
      onOverrun: 'abandon',
      run: async (ctx) => {
        await body.body(ctx);
        await ctx.sleep(1e6).catch((error: unknown) => ends.push(error));
      },
    });
    await clock.settle();
    void submission.cancel(REASON);
    await clock.advance(0);
    expect(await submission.outcome).toEqual({ kind: 'abandoned', by: 'caller', attempts: 1 });
    expect(body.calls[0]?.signal.reason).toMatchObject({ by: 'caller', reason: REASON });
    body.open('on my way');
    await clock.settle();
    expect(ends).toEqual([body.calls[0]?.signal.reason]);
    expect(clock.timers).toBe(0);
    expect(supervisor.snapshot().abandonedAlive).toBe(0);
  });
});

describe('the signal of a spec (section 6)', () => {
  const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

  test('aborted already: rejected, canceled, and no slot is taken', async () => {
    const { supervisor, clock, recorded } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ slot: 's', signal: AbortSignal.abort(), run: body.body });
    expect(submission.admission).toBe('rejected');
    expect(supervisor.snapshot().slots).toEqual([]);
    expect(await submission.outcome).toEqual({ kind: 'rejected', reason: 'canceled' });
    await clock.settle();
    expect(recorded.types(submission.id)).toEqual(['submitted', 'rejected']);
    expect(body.calls).toEqual([]);
  });

  test('aborted while the lease store is asked: told to stop like any other', async () => {
    const parent = new AbortController();
    const lease: Lease = { fence: 1n, lost: new AbortController().signal, release: () => {} };
    const acquire = () => {
      parent.abort(REASON);
      return lease;
    };
    const { supervisor, clock } = setup({ leases: { acquire } });
    const body = gateBody();
    const submission = supervisor.submit({ signal: parent.signal, run: body.body });
    await clock.settle();
    body.open('heard of nothing');
    expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'signal', reason: REASON });
  });

  test('one signal stops everything that was submitted with it, waiting or running', async () => {
    const { supervisor, clock } = setup();
    const parent = new AbortController();
    const submissions = ['a', 'a', 'b', 'c'].map((slot) =>
      supervisor.submit({ slot, signal: parent.signal, run: (ctx) => ctx.sleep(1e6) }),
    );
    const other = supervisor.submit({ slot: 'a', run: () => 'other' });
    await clock.settle();
    expect(listeners(parent.signal)).toBe(1); // however many wait for it
    parent.abort(REASON);
    const outcomes = await Promise.all(submissions.map(({ outcome }) => outcome));
    const stopped = { kind: 'canceled', by: 'signal', reason: REASON, attempts: 1 };
    expect(outcomes).toEqual([stopped, { kind: 'rejected', reason: 'canceled' }, stopped, stopped]);
    expect(await other.value()).toBe('other');
    expect(listeners(parent.signal)).toBe(0);
  });

  test('thousands of submissions, however they end, leave no listener on it', async () => {
    const { supervisor, clock } = setup();
    const { signal } = new AbortController();
    const bodies: ((ctx: TaskContext) => unknown)[] = [
      () => 'value',
      () => {
        throw new Error('failed');
      },
      (ctx) => ctx.sleep(1e6),
      async (ctx) => ctx.signal.aborted,
    ];
    const submissions: Submission[] = [];
    for (let n = 0; n < 4_000; n += 1) {
      const run = bodies[n % 4] as TaskSpec['run'];
      const admission = (['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'] as const)[n % 5] ?? 'queue';
      submissions.push(supervisor.submit({ slot: `s${n % 999}`, admission, restart: 'never', signal, run }));
    }
    expect(listeners(signal)).toBe(1);
    await clock.advance(1);
    for (const submission of submissions) void submission.cancel();
    const outcomes = await Promise.all(submissions.map(({ outcome }) => outcome));
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['completed', 'failed', 'canceled', 'rejected']));
    expect(listeners(signal)).toBe(0);
    await supervisor.idle(); // bodies whose sharers have all left
    expect(clock.timers).toBe(0);
  });
});

describe('a blocked event loop and a stop (section 5)', () => {
  test('blocks between silences do not count, the silences add up', async () => {
    const { clock, ctx } = await running({ stallMs: 800 });
    await clock.advance(300);
    clock.block(5_000);
    await clock.advance(200);
    clock.block(5_000);
    await clock.advance(0); // each block is told apart to within an eighth of the bound
    expect(ctx.canceled).toBe(false);
    await clock.advance(300);
    expect(ctx.canceled).toBe(true);
    expect(ctx.signal.reason).toBeInstanceOf(TimeoutError);
  });

  test('a body that blocks the loop past its timeout is timed out, not stalled', async () => {
    const { clock, submission, body } = await running({ stallMs: 100, timeoutMs: 1_000 });
    clock.block(5_000);
    await clock.advance(0);
    body.open('late');
    expect(await submission.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'timedOut', afterMs: 1_000 } });
  });
});

describe('delays longer than a platform timer can hold (section 6)', () => {
  const MONTH = 30 * 24 * 3_600_000;
  afterEach(() => void vi.useRealTimers());

  for (const [what, spec, stop] of [
    ['a sleep', {}, false],
    ['deadlineMs', { deadlineMs: MONTH }, false],
    ['timeoutMs', { timeoutMs: MONTH }, false],
    ['stallMs', { stallMs: MONTH }, false],
    ['graceMs', { graceMs: MONTH, onOverrun: 'abandon' }, true],
  ] as const)
    test(`${what} of a month is split on the platform's timers, and never fires early`, async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const supervisor = new Supervisor();
      const submission = supervisor.submit({
        restart: 'never',
        ...spec,
        run: (ctx) => (what === 'a sleep' ? ctx.sleep(MONTH) : stop ? new Promise(() => {}) : ctx.sleep(Infinity)),
      });
      await vi.advanceTimersByTimeAsync(0);
      if (stop) void submission.cancel();
      await vi.advanceTimersByTimeAsync(MONTH - 1_000);
      expect(submission.status).toBe(stop ? 'stopping' : 'running');
      await vi.advanceTimersByTimeAsync(1_000);
      expect(submission.status).toBe('ended');
      expect(vi.getTimerCount()).toBe(0);
    });

  test('Infinity sleeps until stopped, holds no timer, and is no bound anywhere', async () => {
    const { supervisor, clock } = setup({ defaults: { timeoutMs: 5, deadlineMs: 5, stallMs: 5, graceMs: 5 } });
    const none = { timeoutMs: Infinity, deadlineMs: Infinity, stallMs: Infinity, queueTimeoutMs: Infinity };
    const submission = supervisor.submit({ ...none, graceMs: Infinity, run: (ctx) => ctx.sleep(Infinity) });
    await clock.advance(1e12);
    expect([submission.status, clock.timers]).toEqual(['running', 0]);
    expect(await submission.cancel()).toEqual({ kind: 'canceled', by: 'caller', attempts: 1 });
  });
});
