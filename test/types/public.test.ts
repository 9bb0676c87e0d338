// The types that users see. `tsc` checks the types; claims about values are also checked at run
// time.

import {
  type Admission,
  type Backoff,
  backoffDelayMs,
  type CanceledError,
  type EventOf,
  type FailedBecause,
  type Failure,
  FatalError,
  type GateOptions,
  type KillableTask,
  type Lease,
  OptionError,
  type Outcome,
  type OutcomeError,
  once,
  periodic,
  type RejectReason,
  type RetryError,
  type RunOptions,
  type RunReport,
  restartable,
  type ShutdownOptions,
  type ShutdownReport,
  type SlotOptions,
  type StopCause,
  type StopOnSignalsOptions,
  type Submission,
  type SubscribeOptions,
  type Subscriber,
  Supervisor,
  type SupervisorOptions,
  stopOnSignals,
  type TaskContext,
  type TaskEvent,
  type TaskEventType,
  type TaskId,
  type TaskSpec,
  type ViewOptions,
  type VitalSlot,
} from 'slotvisor';
import type { ScheduledTask } from 'slotvisor/cron';
import { recordEvents, type VirtualClock } from 'slotvisor/testing';
import { describe, expect, expectTypeOf, test } from 'vitest';

const supervisor = () => new Supervisor();
const kill = () => {};

describe('the type of a value is inferred from its body', () => {
  test('when the body is sync, async, returns a thenable or nothing, or throws', async () => {
    const to = supervisor();
    const sync = to.submit({ run: () => 1 });
    expectTypeOf(sync).toEqualTypeOf<Submission<number>>();
    expectTypeOf(await sync.value()).toEqualTypeOf<number>();
    expectTypeOf(await sync.outcome).toEqualTypeOf<Outcome<number>>();
    expectTypeOf(await sync.cancel()).toEqualTypeOf<Outcome<number>>();
    expect(await sync.value()).toBe(1);

    const asynchronous = to.submit({ slot: 's', run: async (ctx) => `slot ${ctx.slot}` });
    expectTypeOf(asynchronous).toEqualTypeOf<Submission<string>>();
    expect(await asynchronous.value()).toBe('slot s');

    expectTypeOf(to.submit({ run: (): PromiseLike<boolean> => Promise.resolve(true) })).toEqualTypeOf<
      Submission<boolean>
    >();
    expectTypeOf(to.submit({ run: () => {} })).toEqualTypeOf<Submission<void>>();
    const thrower = () => {
      throw new FatalError('no');
    };
    expectTypeOf(to.submit({ run: thrower as () => never })).toEqualTypeOf<Submission<never>>();
  });

  test('when the task is killable', async () => {
    const submission = supervisor().submit({ run: { run: async () => [1, 2], kill } });
    expectTypeOf(submission).toEqualTypeOf<Submission<number[]>>();
    expect(await submission.value()).toEqual([1, 2]);
    const task: KillableTask<number> = {
      run: () => 1,
      kill: (ctx) => void expectTypeOf(ctx).toEqualTypeOf<TaskContext>(),
    };
    expectTypeOf(supervisor().submit({ run: task })).toEqualTypeOf<Submission<number>>();
  });

  test('when a slot handle or a builder is used', async () => {
    const to = supervisor();
    expectTypeOf(to.slot('s').submit({ run: async () => 1 })).toEqualTypeOf<Submission<number>>();
    expectTypeOf(to.submit(once(async () => 1))).toEqualTypeOf<Submission<number>>();
    expectTypeOf(to.submit(restartable(() => 'x', { slot: 's' }))).toEqualTypeOf<Submission<string>>();
    const tick = to.submit(periodic(10, () => true, { maxRetries: 1 }));
    expectTypeOf(tick).toEqualTypeOf<Submission<boolean>>();
    expect((await tick.cancel()).kind).toBe('canceled');
  });

  test('for each entry of a batch: the result is a tuple in the order of the batch', async () => {
    const [one, two, three, ...rest] = supervisor().submitAll([
      { run: () => 1 },
      { run: async (ctx) => ctx.name },
      { run: { run: () => Promise.resolve(true), kill } },
    ]);
    expectTypeOf(one).toEqualTypeOf<Submission<number>>();
    expectTypeOf(two).toEqualTypeOf<Submission<string>>();
    expectTypeOf(three).toEqualTypeOf<Submission<boolean>>();
    expectTypeOf(rest).toEqualTypeOf<[]>();
    expect(await Promise.all([one.value(), two.value(), three.value()])).toEqual([1, two.id, true]);

    const built = supervisor().submitAll([once(() => 1), { run: () => 'x' }, restartable(async () => true)]);
    expectTypeOf(built).toEqualTypeOf<readonly [Submission<number>, Submission<string>, Submission<boolean>]>();

    const many = supervisor().submitAll([1, 2, 3].map((n) => ({ run: () => n })));
    expectTypeOf(many[0]).toEqualTypeOf<Submission<number> | undefined>();
    expect(many).toHaveLength(3);
  });

  test('such that a `Submission<number>` extends `Submission`, but not the reverse', () => {
    expectTypeOf<Submission<number>>().toExtend<Submission>();
    expectTypeOf<Submission>().not.toExtend<Submission<number>>();
    expectTypeOf<TaskSpec<number>>().toExtend<TaskSpec>();
    expectTypeOf(supervisor().get).returns.toEqualTypeOf<Submission | undefined>();
  });
});

describe('the context of a body', () => {
  test('has the type of the state that the spec creates', async () => {
    const counted = supervisor().submit({
      state: () => ({ n: 41 }),
      run: (ctx) => {
        expectTypeOf(ctx).toEqualTypeOf<TaskContext<{ n: number }>>();
        return ctx.state.n + 1;
      },
    });
    expectTypeOf(counted).toEqualTypeOf<Submission<number>>();
    expect(await counted.value()).toBe(42);
  });

  test('has the type of the state in a killable task, with a slot handle and with a builder', async () => {
    const to = supervisor();
    const state = () => new Map<string, number>();
    const killable = to.submit({
      state,
      run: {
        run: (ctx) => ctx.state.size,
        kill: (ctx) => void expectTypeOf(ctx.state).toEqualTypeOf<Map<string, number>>(),
      },
    });
    const slotted = to.slot('s').submit({ state, run: (ctx) => ctx.state });
    const built = to.submit(once((ctx: TaskContext<Map<string, number>>) => ctx.state.size, { state }));
    expectTypeOf(slotted).toEqualTypeOf<Submission<Map<string, number>>>();
    expect([await killable.value(), await slotted.value(), await built.value()]).toEqual([0, new Map(), 0]);
  });

  test('has no state by default, and keeps the types of stop reasons and awaited values', async () => {
    const submission = supervisor().submit({
      run: async (ctx) => {
        expectTypeOf(ctx.state).toEqualTypeOf<undefined>();
        expectTypeOf(ctx.id).toEqualTypeOf<TaskId>();
        expectTypeOf(ctx.fence).toEqualTypeOf<bigint>();
        expectTypeOf(ctx.meta).toEqualTypeOf<unknown>();
        ctx.onCancel((reason) => expectTypeOf(reason).toEqualTypeOf<CanceledError>());
        return ctx.untilCanceled(Promise.resolve(7));
      },
    });
    expectTypeOf(submission).toEqualTypeOf<Submission<number>>();
    expect(await submission.value()).toBe(7);
  });
});

describe('narrowing', () => {
  test('by `kind` covers every outcome', async () => {
    const describeOutcome = (outcome: Outcome<number>): string => {
      switch (outcome.kind) {
        case 'completed':
          expectTypeOf(outcome.value).toEqualTypeOf<number>();
          return `${outcome.value + 1}`;
        case 'failed':
          expectTypeOf(outcome.because).toEqualTypeOf<
            'policy' | 'maxRetries' | 'restartLimit' | 'retryIf' | 'shuttingDown'
          >();
          expectTypeOf(outcome.failure).toEqualTypeOf<Failure>();
          return outcome.because;
        case 'fatal':
          return outcome.failure.message;
        case 'canceled':
          expectTypeOf(outcome.by).toEqualTypeOf<StopCause>();
          expectTypeOf(outcome.failure).toEqualTypeOf<Failure | undefined>();
          return outcome.by;
        case 'killed':
        case 'abandoned':
          expectTypeOf(outcome.by).toEqualTypeOf<StopCause | 'overrun'>();
          return outcome.by;
        case 'rejected':
          expectTypeOf(outcome.reason).toEqualTypeOf<RejectReason>();
          expectTypeOf(outcome.by).toEqualTypeOf<TaskId | undefined>();
          return outcome.reason;
        default:
          expectTypeOf(outcome).toBeNever();
          return '';
      }
    };
    expect(describeOutcome(await supervisor().submit({ run: () => 1 }).outcome)).toBe('2');
    expect(describeOutcome({ kind: 'rejected', reason: 'slotBusy' })).toBe('slotBusy');
  });

  test('by `kind` covers every failure', () => {
    const detailOf = (failure: Failure): unknown => {
      if (failure.kind === 'thrown') return failure.error;
      expectTypeOf(failure).not.toHaveProperty('error');
      if (failure.kind === 'timedOut') return failure.afterMs;
      if (failure.kind === 'stalled') return failure.silentMs;
      expectTypeOf(failure.kind).toEqualTypeOf<'exited'>();
      return failure.exitCode;
    };
    expect(detailOf({ kind: 'timedOut', afterMs: 5, message: '', fatal: false })).toBe(5);
  });

  test('by `type` covers every event', async () => {
    expectTypeOf<EventOf<'rejected'>['reason']>().toEqualTypeOf<RejectReason>();
    expectTypeOf<EventOf<'finished'>['outcome']>().toEqualTypeOf<Outcome['kind']>();
    expectTypeOf<EventOf<'finished'>['because']>().toEqualTypeOf<FailedBecause | undefined>();
    expectTypeOf<EventOf<'attemptTimedOut'>['failure']>().toEqualTypeOf<Failure>();
    expectTypeOf<EventOf<'started'>['fence']>().toEqualTypeOf<bigint>();
    expectTypeOf<EventOf<'joined'>['leader']>().toEqualTypeOf<TaskId>();
    expectTypeOf<EventOf<'overrun'>['action']>().toEqualTypeOf<'hold' | 'kill' | 'abandon'>();
    expectTypeOf<EventOf<'shutdownStarted'>>().not.toHaveProperty('id');

    const about: Record<TaskEventType, 'task' | 'slot' | 'supervisor'> = {
      submitted: 'task',
      queued: 'task',
      joined: 'task',
      rejected: 'task',
      started: 'task',
      attemptStarted: 'task',
      attemptSucceeded: 'task',
      attemptCanceled: 'task',
      attemptFailed: 'task',
      attemptTimedOut: 'task',
      attemptStalled: 'task',
      backoffScheduled: 'task',
      stopRequested: 'task',
      overrun: 'task',
      finished: 'task',
      slotPaused: 'slot',
      slotResumed: 'slot',
      leaseStalled: 'slot',
      shutdownStarted: 'supervisor',
      shutdownFinished: 'supervisor',
      subscriberFailed: 'supervisor',
      eventsDropped: 'supervisor',
    };
    const to = supervisor();
    const values: number[] = [];
    to.subscribe(
      (event) => {
        expectTypeOf(event).toEqualTypeOf<TaskEvent>();
        if (event.type === 'attemptSucceeded' || event.type === 'attemptFailed') values.push(event.attempt);
      },
      { types: Object.keys(about) as TaskEventType[] },
    );
    expectTypeOf(to.events()).toEqualTypeOf<AsyncIterableIterator<TaskEvent>>();
    await to.submit({ run: () => 1 }).outcome;
    await to.shutdown();
    expect(values).toEqual([1]);
  });
});

describe('events of some types', () => {
  type Every = { [Type in TaskEventType]: Extract<TaskEvent, { type: Type }> };

  test('each type of event is one member of the union', () => {
    expectTypeOf<Every[TaskEventType]>().toEqualTypeOf<TaskEvent>();
    expectTypeOf<{ [Type in TaskEventType]: Every[Type]['type'] }>().toEqualTypeOf<{ [T in TaskEventType]: T }>();
    expectTypeOf<EventOf<'attemptFailed'>>().toEqualTypeOf<Every['attemptFailed']>();
    expectTypeOf<EventOf<'overrun' | 'queued'>>().toEqualTypeOf<Every['overrun'] | Every['queued']>();
  });

  test('narrow what a subscriber gets; eventsDropped comes always', async () => {
    const to = supervisor();
    const seen: string[] = [];
    to.subscribe(
      (event) => {
        expectTypeOf(event).toEqualTypeOf<EventOf<'attemptFailed' | 'finished' | 'eventsDropped'>>();
        if (event.type === 'attemptFailed') seen.push(event.failure.message);
        else if (event.type === 'finished') seen.push(event.outcome);
        else expectTypeOf(event.count).toEqualTypeOf<number>();
      },
      { types: ['attemptFailed', 'finished'] },
    );
    const named: Subscriber<'finished'> = {
      onEvent: (event) => void expectTypeOf(event).toEqualTypeOf<EventOf<'finished' | 'eventsDropped'>>(),
    };
    to.subscribe(named, { types: ['finished'] });
    // @ts-expect-error the listener would get every type
    to.subscribe((event: EventOf<'finished'>) => event.outcome);
    // @ts-expect-error eventsDropped has no outcome
    to.subscribe((event) => event.outcome, { types: ['finished'] });
    const every: Subscriber = { onEvent: (event) => void expectTypeOf(event).toEqualTypeOf<TaskEvent>() };
    to.subscribe(every, { types: ['finished'] });
    to.subscribe((_event: TaskEvent) => {}, { types: ['finished'] });
    expectTypeOf(to.events({ types: ['rejected'] })).toEqualTypeOf<
      AsyncIterableIterator<EventOf<'rejected' | 'eventsDropped'>>
    >();
    const given: SubscribeOptions = { types: ['rejected'] };
    expectTypeOf(to.events(given)).toEqualTypeOf<AsyncIterableIterator<TaskEvent>>();
    await to.submit({ run: () => Promise.reject(new Error('boom')), restart: 'never' }).outcome;
    await to.shutdown();
    expect(seen).toEqual(['boom', 'failed']);
  });

  test('narrow what a recorder finds', () => {
    const recorded = recordEvents(supervisor());
    expectTypeOf(recorded.of('attemptStalled')).toEqualTypeOf<EventOf<'attemptStalled'>[]>();
    expectTypeOf(recorded.of('slotPaused')).items.toHaveProperty('slot');
  });
});

describe('an option that is undefined counts as absent, except the slot of a spec', () => {
  /** Every optional key, with the value `undefined`. */
  type Nothing<Options> = { [Key in keyof Options as undefined extends Options[Key] ? Key : never]-?: undefined };

  test('for the compiler, in every options object', () => {
    expectTypeOf<Nothing<Omit<TaskSpec, 'slot'>> & Pick<TaskSpec, 'run'>>().toExtend<TaskSpec>();
    expectTypeOf<keyof Omit<TaskSpec, 'run' | 'slot'>>().toEqualTypeOf<keyof Nothing<Omit<TaskSpec, 'slot'>>>();
    expectTypeOf<{ run: () => 1; slot: undefined }>().not.toExtend<TaskSpec>();
    expectTypeOf<{ run: () => 1; slot: undefined }>().not.toExtend<ScheduledTask>();
    expectTypeOf<Nothing<Backoff>>().toExtend<Backoff>();
    expectTypeOf<Nothing<SlotOptions>>().toExtend<SlotOptions>();
    expectTypeOf<Nothing<GateOptions>>().toExtend<GateOptions>();
    expectTypeOf<Nothing<SupervisorOptions>>().toExtend<SupervisorOptions>();
    expectTypeOf<{ slots: undefined; pending: undefined }>().toExtend<NonNullable<SupervisorOptions['limits']>>();
    expectTypeOf<Nothing<RunOptions>>().toExtend<RunOptions>();
    expectTypeOf<Nothing<ShutdownOptions>>().toExtend<ShutdownOptions>();
    expectTypeOf<Nothing<StopOnSignalsOptions>>().toExtend<StopOnSignalsOptions>();
    expectTypeOf<Nothing<ViewOptions>>().toExtend<ViewOptions>();
    expectTypeOf<Supervisor['vitalSlots']>().returns.toEqualTypeOf<readonly VitalSlot[]>();
    expectTypeOf<Nothing<SubscribeOptions>>().toExtend<SubscribeOptions>();
    expectTypeOf<{ x: undefined }>().not.toExtend<{ x?: number }>(); // control
  });

  test('at run time', async () => {
    const to = new Supervisor({
      shutdownGraceMs: undefined,
      finishMs: undefined,
      clock: undefined,
      limits: { slots: undefined },
      slots: undefined,
    });
    to.slot('s').configure({ queueLimit: undefined, admission: undefined });
    to.configure({ concurrency: undefined, rate: undefined });
    const submission = to.submit({
      run: () => 1,
      name: undefined,
      timeoutMs: undefined,
      backoff: { firstMs: undefined },
    });
    expect(await submission.value()).toBe(1);
    expect((await to.shutdown({ graceMs: undefined })).clean).toBe(true);
  });
});

describe('the compiler and the library reject', () => {
  const run = () => 1;
  const rows: readonly [field: string, call: (to: Supervisor) => unknown][] = [
    // @ts-expect-error a spec needs a body
    ['run', (to) => to.submit({ slot: 's' })],
    // @ts-expect-error a killable task needs `kill`
    ['run.kill', (to) => to.submit({ run: { run } })],
    // @ts-expect-error no such policy
    ['admission', (to) => to.submit({ run, admission: 'drop' })],
    // @ts-expect-error a rate is an object or false
    ['rate', (to) => to.configure({ rate: true })],
    // @ts-expect-error a supervisor is made with it
    ['graceMs', (to) => to.configure({ graceMs: 1 })],
    // @ts-expect-error no such restart policy
    ['restart', (to) => to.submit({ run, restart: 'sometimes' })],
    // @ts-expect-error no such action
    ['onOverrun', (to) => to.submit({ run, onOverrun: 'kill' })],
    // @ts-expect-error onShutdown is 'stop' or 'finish'
    ['onShutdown', (to) => to.submit({ run, onShutdown: 'drain' })],
    // @ts-expect-error a stage is a number
    ['shutdownStage', (to) => to.submit({ run, shutdownStage: 'last' })],
    // @ts-expect-error vital or not
    ['vital', (to) => to.submit({ run, vital: 'yes' })],
    // @ts-expect-error no default is vital
    ['defaults.vital', () => new Supervisor({ defaults: { vital: true } })],
    // @ts-expect-error a function
    ['before', (to) => stopOnSignals(to, { before: 5 })],
    // @ts-expect-error a finish time is a number
    ['finishMs', (to) => to.shutdown({ finishMs: '5' })],
    // @ts-expect-error no such jitter
    ['backoff.jitter', (to) => to.submit({ run, backoff: { jitter: 'some' } })],
    // @ts-expect-error a number of ms, not a string
    ['timeoutMs', (to) => to.submit({ run, timeoutMs: '5s' })],
    // @ts-expect-error null is not absent
    ['slot', (to) => to.submit({ run, slot: null })],
    // @ts-expect-error no such option
    ['timeout', (to) => to.submit({ run, timeout: 5 })],
    // @ts-expect-error both fields or none
    ['restartLimit.withinMs', (to) => to.submit({ run, restartLimit: { restarts: 1 } })],
    // @ts-expect-error the handle already names the slot
    ['slot', (to) => to.slot('s').submit({ run, slot: 'other' })],
    // @ts-expect-error no such value
    ['onFull', (to) => to.slot('s').configure({ onFull: 'drop' })],
    // @ts-expect-error no such event
    ['types[0]', (to) => to.subscribe(() => {}, { types: ['ended'] })],
    // @ts-expect-error an object, not a number
    ['options', (to) => to.shutdown(5)],
    // @ts-expect-error a body is not a default
    ['defaults.run', () => new Supervisor({ defaults: { run } })],
    // @ts-expect-error no such option
    ['concurency', () => new Supervisor({ concurency: 1 })],
    // @ts-expect-error no such jitter
    ['backoff.jitter', () => backoffDelayMs({ jitter: 'some' }, 0)],
    // @ts-expect-error a period is a number of ms
    ['everyMs', () => periodic('1m', run)],
  ];
  for (const [field, call] of rows)
    test(`an invalid \`${field}\``, async () => {
      let refusal: unknown;
      try {
        await call(supervisor());
      } catch (error) {
        refusal = error;
      }
      expect(refusal).toBeInstanceOf(OptionError);
      expect((refusal as OptionError).field.split('.').at(-1)).toBe(field.split('.').at(-1));
    });
});

test('the compiler rejects a plain string as an id, and writes to a submission or a snapshot', async () => {
  const to = supervisor();
  // @ts-expect-error only the library makes ids
  expect(to.get('text')).toBeUndefined();
  const [one, other] = [to.submit({ run: () => 1 }), to.submit({ run: () => 1 })];
  // @ts-expect-error the id is read-only
  const write = () => (one.id = other.id);
  expect(write).toThrow(TypeError);
  const { totals } = to.snapshot();
  // @ts-expect-error the totals are read-only, and a copy
  totals.started = 7;
  expect(to.snapshot().totals.started).toBe(2);
});

test('the methods of the supervisor have precise return types', async () => {
  await using to = supervisor();
  expectTypeOf<Supervisor>().toExtend<AsyncDisposable>();
  const submission = to.submit({ run: () => 1 });
  expectTypeOf(submission.admission).toEqualTypeOf<Admission>();
  expectTypeOf<Admission>().toEqualTypeOf<'started' | 'queued' | 'joined' | 'waiting' | 'rejected'>();
  expectTypeOf(to.run).returns.toEqualTypeOf<Promise<RunReport>>();
  expectTypeOf(to.closed).toEqualTypeOf<Promise<ShutdownReport>>();
  expectTypeOf(to.phase).toEqualTypeOf<'open' | 'closing' | 'closed'>();
  expectTypeOf(to.check<number>).returns.toEqualTypeOf<void>();
  expectTypeOf(to.cancel).returns.toEqualTypeOf<Promise<Outcome | undefined>>();
  expectTypeOf<OutcomeError['outcome']>().toEqualTypeOf<Outcome>();
  expectTypeOf<RetryError['afterMs']>().toEqualTypeOf<number | undefined>();
  expectTypeOf<VirtualClock>().toExtend<NonNullable<SupervisorOptions['clock']>>();
  expectTypeOf<Lease['revoked']>().toEqualTypeOf<AbortSignal | undefined>();
  expect(submission.admission).toBe('started');
});
