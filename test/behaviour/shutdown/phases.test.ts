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
import { gateBody } from '../../support/gate.ts';
import { gatedSlot } from '../../support/gated-slot.ts';
import { settledAt } from '../../support/settling.ts';
import { setup } from '../../support/setup.ts';

const GRACE = 1_000;

const forever = (): Promise<never> => new Promise(() => {});

const polite = (ctx: TaskContext): Promise<void> => ctx.sleep(Infinity);

const stopped: Outcome = { kind: 'canceled', by: 'shutdown', attempts: 1 };

const shuttingDown: Outcome = { kind: 'rejected', reason: 'shuttingDown' };

const NONE = { completed: 0, failed: 0, fatal: 0, canceled: 0, killed: 0, abandoned: 0, rejected: 0 };

const fail = (): never => {
  throw new Error('boom');
};

const PLAIN = { firstMs: 100, factor: 1, jitter: 'none' } as const;

describe('step 1: admission closes (section 8)', () => {
  const doors: readonly [string, (supervisor: Supervisor) => unknown][] = [
    ['submit', (supervisor) => supervisor.submit({ run: forever })],
    ['slot.submit', (supervisor) => supervisor.slot('s').submit({ run: forever })],
    ['submitAll', (supervisor) => supervisor.submitAll([{ run: forever }])],
    ['check', (supervisor) => supervisor.check({ run: forever })],
  ];
  for (const [name, knock] of doors)
    test(`${name} throws ClosedError from the call of shutdown on, and after it`, async () => {
      const { supervisor } = setup();
      const report = supervisor.shutdown();
      expect(() => knock(supervisor)).toThrow(ClosedError);
      await report;
      expect(() => knock(supervisor)).toThrow(ClosedError);
      expect(supervisor.snapshot().totals.submitted).toBe(0);
    });

  test('run rejects with ClosedError, and listens to no signal', async () => {
    const { supervisor } = setup();
    await supervisor.shutdown();
    const before = process.listenerCount('SIGTERM');
    await expect(supervisor.run([{ run: forever }])).rejects.toThrow(ClosedError);
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });

  test('waiting work is rejected shuttingDown: in line, next, in a paused slot, for a lease', async () => {
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
      supervisor.submit({ slot: 's', admission: 'keepLatest', run }),
      supervisor.submit({ slot: 'paused', run }),
      supervisor.submit({ slot: 'elsewhere', run }),
      supervisor.submit({ slot: 's', admission: 'replace', run }),
    ];
    await clock.settle();
    expect(waiting.map(({ status }) => status)).toEqual(waiting.map(() => 'queued'));
    void supervisor.shutdown();
    expect(waiting.map(({ status }) => status)).toEqual(waiting.map(() => 'ended'));
    for (const one of waiting) expect(await one.outcome).toEqual(shuttingDown);
    body.open('out');
    expect(await owner.outcome).toMatchObject({ kind: 'canceled', by: 'replace' }); // the first cause
    const { counts } = await supervisor.closed;
    expect(counts).toEqual({ ...NONE, canceled: 1, rejected: 5 });
    expect(body.calls).toHaveLength(1);
  });
});

describe('steps 2 and 3: owners are told to stop and get the grace together (section 8)', () => {
  test('every owner is told at once; at the gate, in backoff and in an interval they end at once', async () => {
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
    const atTheGate = supervisor.submit({ run: forever });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: GRACE });
    expect(body.calls[0]?.canceled).toBe(true);
    expect(supervisor.snapshot()).toMatchObject({ phase: 'draining', running: 1 });
    for (const one of between) expect(await one.outcome).toEqual(stopped);
    expect(await atTheGate.outcome).toEqual({ ...stopped, attempts: 0 });
    body.open('out');
    expect(await running.outcome).toEqual(stopped);
    expect(await report).toMatchObject({ withinGrace: true, counts: { ...NONE, canceled: 4 } });
    expect(clock.now()).toBe(0); // nobody waited for the grace
    expect(clock.timers).toBe(0);
  });

  test('those who share an outcome all get it', async () => {
    const { supervisor, clock } = setup();
    const shared = ['a', 'b', 'c'].map(() => supervisor.submit({ slot: 's', admission: 'join', run: polite }));
    await clock.settle();
    await supervisor.shutdown();
    expect(await Promise.all(shared.map(({ outcome }) => outcome))).toEqual([stopped, stopped, stopped]);
  });

  test('every submission settles as its own body ends: a stubborn one delays no other outcome', async () => {
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
    expect((await report).counts).toEqual({ ...NONE, canceled: 2, abandoned: 1 });
  });

  for (const [what, options, graceMs, at] of [
    ['as asked', { graceMs: 7_000 }, 2_000, 2_000],
    ["else the supervisor's", { graceMs: 7_000 }, undefined, 7_000],
    ['else 60 s', {}, undefined, 60_000],
    ['0: at once', {}, 0, 0],
  ] as const)
    test(`the grace is one for all, whatever a task's own is: ${what}`, async () => {
      const world = setup(options);
      const { supervisor } = world;
      for (let n = 0; n < 3; n += 1) supervisor.submit({ graceMs: 1e6, run: forever });
      await world.clock.settle();
      const report = supervisor.shutdown({ graceMs });
      expect(await settledAt(world, report)).toBe(at);
      expect(await report).toMatchObject({ withinGrace: false, counts: { abandoned: 3 } });
    });

  test("a task's own shorter grace holds as well: hold is said and waited on, abandon gives up, kill kills", async () => {
    const world = setup();
    const { supervisor, clock, recorded } = world;
    const held = supervisor.submit({ name: 'held', graceMs: 10, run: forever });
    const left = supervisor.submit({ name: 'left', graceMs: 10, onOverrun: 'abandon', run: forever });
    const killed = supervisor.submit({ name: 'killed', graceMs: 10, run: { run: forever, kill: () => {} } });
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

describe('step 5: subscribers get a bounded time to drain (section 8)', () => {
  test('those that catch up miss nothing, the last event being shutdownFinished', async () => {
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
    expect(seen.at(-1)).toMatchObject({ type: 'shutdownFinished', withinGrace: true, stuck: [] });
    expect((await report).eventsDropped).toBe(0);
  });

  test('all together get subscriberGraceMs, then they are left, and what they never saw is counted', async () => {
    for (const options of [{ subscriberGraceMs: 300 }, {}]) {
      const world = setup(options);
      const { supervisor, recorded } = world;
      for (let n = 0; n < 3; n += 1) supervisor.subscribe(forever);
      supervisor.submit({ run: polite });
      const report = supervisor.shutdown();
      expect(await settledAt(world, report)).toBe(options.subscriberGraceMs ?? 5_000);
      expect((await report).eventsDropped).toBe(3 * (recorded.events.length - 1)); // each of them saw one
      expect(world.clock.timers).toBe(0);
    }
  });

  test('the events tell the cause and the grace, then who is stuck', async () => {
    const world = setup();
    const { supervisor, recorded } = world;
    supervisor.submit({ name: 'stubborn', run: forever });
    await world.clock.settle();
    await settledAt(world, supervisor.shutdown({ graceMs: GRACE }));
    expect(recorded.of('shutdownStarted')).toMatchObject([{ cause: 'caller', graceMs: GRACE }]);
    expect(recorded.types().slice(3)).toEqual([
      'shutdownStarted',
      'stopRequested',
      'overrun',
      'attemptCanceled',
      'finished',
      'shutdownFinished',
    ]);
    expect(recorded.of('shutdownFinished')).toMatchObject([{ withinGrace: false, stuck: ['stubborn'] }]);
  });

  test('afterwards a subscription gets nothing, and an iterator ends', async () => {
    const { supervisor } = setup();
    const types: string[] = [];
    const listening = (async () => {
      for await (const { type } of supervisor.events()) types.push(type);
    })();
    await supervisor.shutdown();
    await listening;
    expect(types).toEqual(['shutdownStarted', 'shutdownFinished']);
    expect(await supervisor.events().next()).toEqual({ done: true, value: undefined });
    expect(() => supervisor.subscribe(() => {})()).not.toThrow();
  });
});

describe('shutdown', () => {
  // Differs: a submit throws ClosedError.
  test('shutdown 1 admission closes, what waits is rejected, what backs off ends without an attempt, what runs is told to stop, nothing starts', async () => {
    const { supervisor, clock, gate, submit } = gatedSlot();
    const attempts: number[] = [];
    const retried = (ctx: TaskContext) => {
      attempts.push(ctx.attempt);
      return fail();
    };
    const running = submit();
    const waiting = submit();
    const backingOff = submit({ slot: 't', run: retried, restart: 'onFailure', backoff: PLAIN });
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

  test('shutdown 2 stragglers are named and abandoned, and are counted until they end; a late end changes no outcome', async () => {
    const { supervisor, clock, gate, submit } = gatedSlot();
    const straggler = submit({ name: 'straggler' });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: 10 });
    await clock.advance(10);
    expect((await report).abandoned.map(({ name }) => name)).toEqual(['straggler']);
    const outcome = await straggler.outcome;
    expect([outcome.kind, supervisor.snapshot().abandonedAlive]).toEqual(['abandoned', 1]);
    gate.open('late');
    await clock.settle();
    expect(await straggler.outcome).toBe(outcome);
    expect(supervisor.snapshot()).toMatchObject({ abandonedAlive: 0, totals: { abandoned: 1, completed: 0 } });
  });

  // Differs: the library never exits the process, a second signal makes the grace 0.
  test('shutdown 3 a second, shorter shutdown hastens the first and none lengthens it; both have one report', async () => {
    const { supervisor, clock, submit } = gatedSlot();
    submit();
    await clock.settle();
    const first = supervisor.shutdown({ graceMs: 1_000 });
    void supervisor.shutdown({ graceMs: 9_000 });
    const hastened = supervisor.shutdown({ graceMs: 0 });
    await clock.settle();
    await clock.advance(0);
    expect(await first).toBe(await hastened);
    expect([(await first).withinGrace, clock.now()]).toEqual([false, 0]);
  });
});
