// A shutdown, step by step.

import {
  ClosedError,
  type Outcome,
  type Submission,
  type Supervisor,
  type TaskContext,
  type TaskEvent,
} from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { CONSTANT_BACKOFF, never, polite } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { gatedSlot } from '../../support/gated-slot.ts';
import { stoppedByShutdown, ZERO_COUNTS } from '../../support/outcomes.ts';
import { settledAt } from '../../support/settling.ts';
import { setup } from '../../support/setup.ts';

const GRACE = 1_000;
const shuttingDown: Outcome = { kind: 'rejected', reason: 'shuttingDown' };

const fail = (): never => {
  throw new Error('boom');
};

describe('a shutdown closes admission', () => {
  const calls: readonly [string, (supervisor: Supervisor) => unknown][] = [
    ['submit', (supervisor) => supervisor.submit({ run: never })],
    ['slot.submit', (supervisor) => supervisor.slot('s').submit({ run: never })],
    ['submitAll', (supervisor) => supervisor.submitAll([{ run: never }])],
    ['check', (supervisor) => supervisor.check({ run: never })],
  ];
  for (const [name, call] of calls)
    test(`${name} throws ClosedError during and after a shutdown`, async () => {
      const { supervisor } = setup();
      const report = supervisor.shutdown();
      expect(() => call(supervisor)).toThrow(ClosedError);
      await report;
      expect(() => call(supervisor)).toThrow(ClosedError);
      expect(supervisor.snapshot().totals.submitted).toBe(0);
    });

  test('run() rejects with ClosedError after a shutdown, and adds no signal listener', async () => {
    const { supervisor } = setup();
    await supervisor.shutdown();
    const before = process.listenerCount('SIGTERM');
    await expect(supervisor.run([{ run: never }])).rejects.toThrow(ClosedError);
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });

  test('a shutdown rejects every waiting submission with shuttingDown: queued, replacing, in a paused slot or waiting for a lease', async () => {
    const { supervisor, clock } = setup({
      leases: {
        acquire: ({ slot, signal }) =>
          slot === 'elsewhere'
            ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
            : { fence: 1n, lost: new AbortController().signal, release: () => {} },
      },
    });
    const body = gateBody();
    const run = body.body;
    const owner = supervisor.submit({ slot: 's', run });
    await clock.settle();
    supervisor.slot('paused').pause();
    const waiting = [
      supervisor.submit({ slot: 's', run }),
      supervisor.submit({ slot: 'paused', run }),
      supervisor.submit({ slot: 'elsewhere', run }),
      supervisor.submit({ slot: 's', admission: 'replace', run }),
      supervisor.submit({ slot: 's', admission: 'keepLatest', run }),
    ];
    await clock.settle();
    expect(waiting.map(({ status }) => status)).toEqual(waiting.map(() => 'queued'));
    void supervisor.shutdown();
    expect(waiting.map(({ status }) => status)).toEqual(waiting.map(() => 'ended'));
    for (const one of waiting) expect(await one.outcome).toEqual(shuttingDown);
    body.open('out');
    expect(await owner.outcome).toMatchObject({ kind: 'canceled', by: 'replace' }); // the first cause
    const { counts } = await supervisor.closed;
    expect(counts).toEqual({ ...ZERO_COUNTS, canceled: 1, rejected: 5 });
    expect(body.calls).toHaveLength(1);
  });
});

describe('a shutdown stops the owners and gives them one grace', () => {
  test('a shutdown stops every owner at once, and owners between two attempts end at once', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    const body = gateBody();
    const running = supervisor.submit({ run: body.body });
    const between: Submission[] = [
      supervisor.submit({
        run: () => {
          throw new Error('no');
        },
      }),
      supervisor.submit({ restart: 'always', intervalMs: 1e6, run: () => {} }),
    ];
    await clock.settle();
    supervisor.pause();
    const atTheGate = supervisor.submit({ run: never });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: GRACE });
    expect(body.calls[0]?.canceled).toBe(true);
    expect(supervisor.snapshot()).toMatchObject({ phase: 'closing', owners: 1 });
    for (const one of between) expect(await one.outcome).toEqual(stoppedByShutdown);
    expect(await atTheGate.outcome).toEqual({ ...stoppedByShutdown, attempts: 0 });
    body.open('out');
    expect(await running.outcome).toEqual({ ...stoppedByShutdown, value: 'out' });
    expect(await report).toMatchObject({ clean: true, counts: { ...ZERO_COUNTS, canceled: 4 } });
    expect(clock.now()).toBe(0); // the grace was not needed
    expect(clock.timers).toBe(0);
  });

  test('a shutdown ends all participants of a shared body', async () => {
    const { supervisor, clock } = setup();
    const shared = ['a', 'b', 'c'].map(() => supervisor.submit({ slot: 's', admission: 'join', run: polite }));
    await clock.settle();
    await supervisor.shutdown();
    expect(await Promise.all(shared.map(({ outcome }) => outcome))).toEqual([
      stoppedByShutdown,
      stoppedByShutdown,
      stoppedByShutdown,
    ]);
  });

  test('each submission settles when its own body ends, and an overrunning body delays no other outcome (S9)', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    const tasks = [100, 900, Infinity].map((endsAfter) => {
      const body = gateBody();
      return { endsAfter, body, submission: supervisor.submit({ run: body.body }) };
    });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: GRACE });
    for (const { endsAfter, body } of tasks) if (endsAfter < GRACE) clock.setTimer(endsAfter, () => body.open('out'));
    const ends = Promise.all(tasks.map(({ submission }) => settledAt(world, submission.outcome)));
    expect(await ends).toEqual([100, 900, GRACE]);
    expect((await report).counts).toEqual({ ...ZERO_COUNTS, canceled: 2, abandoned: 1 });
  });

  for (const [what, options, graceMs, at] of [
    ['the graceMs of the call', { shutdownGraceMs: 7_000 }, 2_000, 2_000],
    ['the shutdownGraceMs of the supervisor', { shutdownGraceMs: 7_000 }, undefined, 7_000],
    ['the default of 25 s', {}, undefined, 25_000],
    ['a graceMs of 0', {}, 0, 0],
  ] as const)
    test(`a shutdown gives all tasks one grace, even those with a longer graceMs: ${what}`, async () => {
      const world = setup(options);
      const { supervisor } = world;
      for (let n = 0; n < 3; n += 1) supervisor.submit({ graceMs: 1e6, run: never });
      await world.clock.settle();
      const report = supervisor.shutdown({ graceMs });
      expect(await settledAt(world, report)).toBe(at);
      expect(await report).toMatchObject({ clean: false, counts: { abandoned: 3 } });
    });

  test('a task with a shorter graceMs overruns during a shutdown, and is held, abandoned or killed as its spec says', async () => {
    const world = setup();
    const { supervisor, clock, recorded } = world;
    const held = supervisor.submit({ name: 'held', graceMs: 10, run: never });
    const left = supervisor.submit({ name: 'left', graceMs: 10, onOverrun: 'abandon', run: never });
    const killed = supervisor.submit({ name: 'killed', graceMs: 10, run: { run: never, kill: () => {} } });
    await clock.settle();
    void supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(10);
    expect(held.status).toBe('overrun');
    expect(await left.outcome).toEqual({ kind: 'abandoned', by: 'shutdown', attempts: 1 });
    expect(await killed.outcome).toEqual({ kind: 'killed', by: 'shutdown', attempts: 1 });
    expect(await settledAt(world, supervisor.closed)).toBe(GRACE);
    expect(await held.outcome).toEqual({ kind: 'abandoned', by: 'shutdown', attempts: 1 });
    expect(recorded.of('overrun').map(({ name, action }) => [name, action])).toEqual([
      ['held', 'hold'],
      ['left', 'abandon'],
      ['killed', 'kill'],
      ['held', 'abandon'],
    ]);
  });
});

describe('a shutdown gives subscribers a bounded time', () => {
  test('a slow subscriber that catches up gets every event, and shutdownFinished is the last one', async () => {
    const world = setup();
    const { supervisor, clock, recorded } = world;
    const seen: TaskEvent[] = [];
    supervisor.subscribe(async (event) => {
      await new Promise<void>((resolve) => void clock.setTimer(100, resolve));
      seen.push(event);
    });
    supervisor.submit({ name: 'polite', run: polite });
    const report = supervisor.shutdown();
    await settledAt(world, report);
    expect(seen).toEqual(recorded.events);
    expect(seen.at(-1)).toMatchObject({ type: 'shutdownFinished', clean: true, stuck: [] });
    expect((await report).eventsDropped).toBe(0);
  });

  test('all subscribers together get subscriberGraceMs, and the events they never got are counted', async () => {
    for (const options of [{ subscriberGraceMs: 300 }, {}]) {
      const world = setup(options);
      const { supervisor, recorded } = world;
      for (let n = 0; n < 3; n += 1) supervisor.subscribe(never);
      supervisor.submit({ run: polite });
      const report = supervisor.shutdown();
      expect(await settledAt(world, report)).toBe(options.subscriberGraceMs ?? 5_000);
      expect((await report).eventsDropped).toBe(3 * (recorded.events.length - 1)); // each of them got one
      expect(world.clock.timers).toBe(0);
    }
  });

  test('shutdownStarted has the cause, the grace and the finish time, and shutdownFinished names the stuck tasks', async () => {
    const world = setup();
    const { supervisor, recorded } = world;
    supervisor.submit({ name: 'stubborn', run: never });
    await world.clock.settle();
    await settledAt(world, supervisor.shutdown({ graceMs: GRACE }));
    expect(recorded.of('shutdownStarted')).toMatchObject([{ cause: 'caller', graceMs: GRACE, finishMs: GRACE / 2 }]);
    expect(recorded.types().slice(3)).toEqual([
      'shutdownStarted',
      'stopRequested',
      'overrun',
      'attemptCanceled',
      'finished',
      'shutdownFinished',
    ]);
    expect(recorded.of('shutdownFinished')).toMatchObject([{ clean: false, stuck: ['stubborn'] }]);
  });

  test('after a shutdown a new subscription gets no event, and an iterator ends', async () => {
    const { supervisor } = setup();
    const types: string[] = [];
    const iterating = (async () => {
      for await (const { type } of supervisor.events()) types.push(type);
    })();
    await supervisor.shutdown();
    await iterating;
    expect(types).toEqual(['shutdownStarted', 'shutdownFinished']);
    expect(await supervisor.events().next()).toEqual({ done: true, value: undefined });
    expect(() => supervisor.subscribe(() => {})()).not.toThrow();
  });
});

describe('a shutdown as a whole', () => {
  test('a shutdown makes submit() throw, rejects waiting work, ends a backoff, stops running bodies and starts nothing (S7)', async () => {
    const { supervisor, clock, gate, submit } = gatedSlot();
    const attempts: number[] = [];
    const retried = (ctx: TaskContext) => {
      attempts.push(ctx.attempt);
      return fail();
    };
    const running = submit();
    const waiting = submit();
    const backingOff = submit({ slot: 't', run: retried, restart: 'onFailure', backoff: CONSTANT_BACKOFF });
    await clock.settle();
    const unstarted = submit({ slot: 'u' });
    void supervisor.shutdown({ graceMs: 1_000 });
    expect(() => submit()).toThrow(ClosedError);
    expect(await waiting.outcome).toEqual({ kind: 'rejected', reason: 'shuttingDown' });
    expect(await backingOff.outcome).toMatchObject({ kind: 'canceled', by: 'shutdown', attempts: 1 });
    expect(await unstarted.outcome).toMatchObject({ kind: 'canceled', by: 'shutdown', attempts: 0 });
    await clock.advance(500);
    expect([running.status, gate.calls[0]?.signal.aborted]).toEqual(['stopping', true]);
    expect([gate.calls.length, attempts]).toEqual([1, [1]]);
  });

  test('a body that outlasts the shutdown is abandoned, named and counted until it ends, and its late end changes no outcome (S8)', async () => {
    const { supervisor, clock, gate, submit } = gatedSlot();
    const overrunning = submit({ name: 'overrunning' });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: 10 });
    await clock.advance(10);
    expect((await report).abandoned.map(({ name }) => name)).toEqual(['overrunning']);
    const outcome = await overrunning.outcome;
    expect([outcome.kind, supervisor.snapshot().abandonedAlive]).toEqual(['abandoned', 1]);
    gate.open('late');
    await clock.settle();
    expect(await overrunning.outcome).toBe(outcome);
    expect(supervisor.snapshot()).toMatchObject({ abandonedAlive: 0, totals: { abandoned: 1, completed: 0 } });
  });

  test('a second shutdown with a shorter grace shortens the first, a longer one changes nothing, and all have one report', async () => {
    const { supervisor, clock, submit } = gatedSlot();
    submit();
    await clock.settle();
    const first = supervisor.shutdown({ graceMs: 1_000 });
    void supervisor.shutdown({ graceMs: 9_000 });
    const shorter = supervisor.shutdown({ graceMs: 0 });
    await clock.settle();
    await clock.advance(0);
    expect(await first).toBe(await shorter);
    expect([(await first).clean, clock.now()]).toEqual([false, 0]);
  });
});
