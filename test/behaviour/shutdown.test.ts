import {
  ClosedError,
  FatalError,
  OptionError,
  type Outcome,
  type ShutdownReport,
  type Submission,
  Supervisor,
  type SupervisorOptions,
  type TaskContext,
  type TaskEvent,
  type TaskSpec,
} from 'slotvisor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type GateBody, gateBody } from '../support/gate.ts';
import { type Setup, setup } from '../support/setup.ts';

const GRACE = 1_000;
/** How long a killed task may take to die before it is abandoned. */
const PATIENCE = 5_000;

const forever = (): Promise<never> => new Promise(() => {});
const polite = (ctx: TaskContext): Promise<void> => ctx.sleep(Infinity);
const stopped: Outcome = { kind: 'canceled', by: 'shutdown', attempts: 1 };
const shuttingDown: Outcome = { kind: 'rejected', reason: 'shuttingDown' };
const NONE = { completed: 0, failed: 0, fatal: 0, canceled: 0, killed: 0, abandoned: 0, rejected: 0 };

/** Whether it has settled, without waiting for it. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = {};
  await new Promise((resolve) => setImmediate(resolve));
  return (await Promise.race([promise, Promise.resolve(open)])) !== open;
}

/** When it settles, in virtual ms. */
async function settledAt({ clock }: Setup, promise: Promise<unknown>): Promise<number> {
  let at: number | undefined;
  const note = () => {
    at = clock.now();
  };
  promise.then(note, note);
  await clock.settle();
  while (at === undefined && (await clock.next()));
  if (at === undefined) throw new Error('it never settles');
  return at;
}

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

describe('step 4: killables are killed, the rest is abandoned and named (section 8)', () => {
  test('the report names both, with what is known of them', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    const late = gateBody();
    const meta = { owner: 'billing' };
    const stubborn = supervisor.submit({ name: 'stubborn', slot: 'a', meta, run: late.body });
    const worker = supervisor.submit({ name: 'worker', slot: 'b', run: { run: forever, kill: () => {} } });
    supervisor.submit({ name: 'polite', run: polite });
    supervisor.submit({ name: 'fast', run: () => 'done' });
    await clock.settle();
    const promise = supervisor.shutdown({ graceMs: GRACE });
    expect(await settledAt(world, promise)).toBe(GRACE);
    const report = await promise;
    const { id } = stubborn;
    expect(report).toEqual({
      withinGrace: false,
      cause: 'caller',
      counts: { ...NONE, completed: 1, canceled: 1, killed: 1, abandoned: 1 },
      killed: [expect.objectContaining({ id: worker.id, name: 'worker', slot: 'b', attempt: 1, status: 'ended' })],
      abandoned: [expect.objectContaining({ id, name: 'stubborn', slot: 'a', attempt: 1, status: 'overrun', meta })],
      eventsDropped: 0,
    } satisfies Record<keyof ShutdownReport, unknown>);
    expect(await stubborn.outcome).toEqual({ kind: 'abandoned', by: 'shutdown', attempts: 1 });
    expect(await worker.outcome).toEqual({ kind: 'killed', by: 'shutdown', attempts: 1 });
  });

  test('abandonedAlive counts a straggler until it ends, during the shutdown and after it (section 1)', async () => {
    const { supervisor, clock } = setup();
    const bodies = [gateBody(), gateBody()];
    for (const { body } of bodies) supervisor.submit({ run: body });
    const slow = supervisor.submit({ run: { run: forever, kill: forever } });
    await clock.settle();
    void supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(GRACE);
    expect([supervisor.snapshot().abandonedAlive, slow.status]).toEqual([2, 'overrun']);
    bodies[0]?.open('late');
    await clock.settle();
    expect(supervisor.snapshot().abandonedAlive).toBe(1);
    await clock.advance(PATIENCE);
    expect((await supervisor.closed).abandoned).toHaveLength(3); // all that were given up stay named
    expect(supervisor.snapshot()).toMatchObject({ phase: 'closed', abandonedAlive: 2 });
    bodies[1]?.fail(new Error('later still'));
    await clock.settle();
    expect(supervisor.snapshot().abandonedAlive).toBe(1);
  });

  test('a kill that succeeds after its body was given up is proof of end as well (section 1)', async () => {
    const { supervisor, clock } = setup();
    const kill = gateBody<void>();
    supervisor.submit({ run: { run: forever, kill: kill.body } });
    await clock.settle();
    void supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(GRACE + PATIENCE);
    expect(supervisor.snapshot()).toMatchObject({ phase: 'closed', abandonedAlive: 1 });
    kill.open();
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ abandonedAlive: 0, totals: { abandoned: 1, killed: 0 } });
  });

  test('a kill that failed earlier is tried once more when the grace ends', async () => {
    const { supervisor, clock } = setup();
    let kills = 0;
    const kill = () => {
      kills += 1;
      if (kills === 1) throw new Error('not this time');
    };
    const submission = supervisor.submit({ graceMs: 10, run: { run: forever, kill } });
    await clock.settle();
    void submission.cancel();
    await clock.advance(10);
    expect([kills, submission.status]).toEqual([1, 'overrun']);
    void supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(GRACE);
    expect(await submission.outcome).toEqual({ kind: 'killed', by: 'caller', attempts: 1 });
    expect((await supervisor.closed).abandoned).toEqual([]);
  });

  test('a body that was given up before the shutdown, and is alive still, is named too; one that has ended is not', async () => {
    const { supervisor, clock } = setup();
    const ended = gateBody();
    const spec = { graceMs: 0, onOverrun: 'abandon' } as const;
    const given = [
      supervisor.submit({ ...spec, name: 'alive', run: forever }),
      supervisor.submit({ ...spec, name: 'ended', run: ended.body }),
    ];
    await clock.settle();
    for (const one of given) void one.cancel();
    await clock.advance(0);
    ended.open('late');
    await clock.settle();
    const { abandoned, counts } = await supervisor.shutdown();
    expect(abandoned.map(({ name }) => name)).toEqual(['alive']);
    expect(counts).toEqual({ ...NONE, abandoned: 2 });
  });

  for (const [what, kill] of [
    ['hangs', forever],
    ['rejects', () => Promise.reject(new Error('no such process'))],
    [
      'throws',
      () => {
        throw new Error('no such process');
      },
    ],
  ] as const)
    test(`a kill that ${what}: after ${PATIENCE} ms more the body is abandoned and named`, async () => {
      const world = setup();
      const { supervisor } = world;
      const submission = supervisor.submit({ name: 'immortal', run: { run: forever, kill } });
      await world.clock.settle();
      const promise = supervisor.shutdown({ graceMs: GRACE });
      expect(await settledAt(world, promise)).toBe(GRACE + PATIENCE);
      const { killed, abandoned, withinGrace } = await promise;
      expect([withinGrace, killed]).toEqual([false, []]);
      expect(abandoned).toMatchObject([{ id: submission.id, name: 'immortal' }]);
      expect(await submission.outcome).toEqual({ kind: 'abandoned', by: 'shutdown', attempts: 1 });
      expect(world.clock.timers).toBe(0);
    });

  test('a kill that is under way when the grace ends is not repeated', async () => {
    const { supervisor, clock, recorded } = setup();
    const kill = gateBody<void>();
    const submission = supervisor.submit({ graceMs: 10, run: { run: forever, kill: kill.body } });
    await clock.settle();
    void supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(GRACE);
    expect([kill.alive, recorded.of('overrun').length]).toEqual([1, 1]);
    kill.open();
    expect(await submission.outcome).toEqual({ kind: 'killed', by: 'shutdown', attempts: 1 });
  });

  test('a kill that takes its time, but less than that, is waited for', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    const kill = () => new Promise<void>((resolve) => void clock.setTimer(PATIENCE - 1, resolve));
    supervisor.submit({ name: 'slow', run: { run: forever, kill } });
    await clock.settle();
    const promise = supervisor.shutdown({ graceMs: GRACE });
    expect(await settledAt(world, promise)).toBe(GRACE + PATIENCE - 1);
    expect(await promise).toMatchObject({ withinGrace: false, killed: [{ name: 'slow' }], abandoned: [] });
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

describe('one shared operation (section 8)', () => {
  afterEach(() => void vi.useRealTimers());

  test('an idle supervisor reports at once, and leaves nothing', async () => {
    const { supervisor, clock } = setup();
    expect(await isSettled(supervisor.closed)).toBe(false);
    expect([supervisor.phase, supervisor.snapshot().phase]).toEqual(['open', 'open']);
    const report = await supervisor.shutdown();
    expect(report).toEqual({
      withinGrace: true,
      cause: 'caller',
      counts: NONE,
      killed: [],
      abandoned: [],
      eventsDropped: 0,
    });
    expect(await supervisor.closed).toBe(report);
    expect([supervisor.snapshot().phase, clock.now(), clock.timers]).toEqual(['closed', 0, 0]);
  });

  test('the phase is draining from the call on, through grace, force and the last news, and closed with the report', async () => {
    const { supervisor, clock } = setup();
    const phases: string[] = [];
    supervisor.subscribe(async () => {
      await Promise.resolve();
      phases.push(supervisor.phase);
    });
    const overrunning = supervisor.submit({ run: forever });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: GRACE });
    expect(supervisor.phase).toBe('draining');
    await clock.advance(GRACE);
    expect(await overrunning.outcome).toMatchObject({ kind: 'abandoned' });
    await report;
    expect([supervisor.phase, supervisor.snapshot().phase]).toEqual(['closed', 'closed']);
    expect([...new Set(phases)]).toEqual(['open', 'draining']);
  });

  test('later callers join it: one report, told once, also for those who come after the end', async () => {
    const { supervisor, clock, recorded } = setup();
    supervisor.submit({ run: polite });
    await clock.settle();
    const reports = await Promise.all([supervisor.shutdown(), supervisor.shutdown(), supervisor.closed]);
    reports.push(await supervisor.shutdown({ graceMs: 0 }));
    expect(new Set(reports).size).toBe(1);
    expect(recorded.of('shutdownStarted')).toHaveLength(1);
    expect(recorded.of('shutdownFinished')).toHaveLength(1);
  });

  for (const [what, first, later, at] of [
    ['shorter hastens', 10_000, 100, 600],
    ['longer changes nothing', 1_000, 100_000, 1_000],
    ['0 ends it at once', 10_000, 0, 500],
    ['shorter, but due later, changes nothing', 1_000, 900, 1_000],
    ['finite ends an infinite one', Infinity, 100, 600],
  ] as const)
    test(`a second grace, asked for after 500 ms: ${what}`, async () => {
      const world = setup();
      const { supervisor, clock } = world;
      supervisor.submit({ run: forever });
      await clock.settle();
      const report = supervisor.shutdown({ graceMs: first });
      await clock.advance(500);
      void supervisor.shutdown({ graceMs: later });
      expect(await settledAt(world, report)).toBe(at);
      expect(clock.timers).toBe(0);
    });

  test('a submit from an outcome handler during it throws ClosedError there, and harms nothing', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({ slot: 's', run: polite });
    const again = submission.outcome.then(() => supervisor.submit({ slot: 's', run: forever }));
    await clock.settle();
    void supervisor.shutdown();
    await expect(again).rejects.toThrow(ClosedError);
    expect(await supervisor.closed).toMatchObject({ withinGrace: true, counts: { ...NONE, canceled: 1 } });
  });

  test('from inside a body it does not deadlock: the body is itself told to stop', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    let heard: ShutdownReport | undefined;
    const deaf = supervisor.submit({
      name: 'deaf',
      run: async () => {
        heard = await supervisor.shutdown({ graceMs: GRACE });
      },
    });
    expect(await settledAt(world, supervisor.closed)).toBe(GRACE);
    expect(await deaf.outcome).toEqual({ kind: 'abandoned', by: 'shutdown', attempts: 1 });
    expect(heard).toBe(await supervisor.closed);
    expect(heard?.abandoned).toMatchObject([{ name: 'deaf' }]);
    expect(clock.timers).toBe(0);
  });

  test('a body that waits for it only until it is canceled ends within the grace', async () => {
    const { supervisor, clock } = setup();
    const heedful = supervisor.submit({ run: (ctx) => ctx.untilCanceled(supervisor.shutdown()) });
    expect(await heedful.outcome).toEqual(stopped);
    expect(await supervisor.closed).toMatchObject({ withinGrace: true });
    expect(clock.now()).toBe(0);
  });

  test('a subscriber that awaits it is left after its own grace', async () => {
    const world = setup({ subscriberGraceMs: 300 });
    const { supervisor } = world;
    supervisor.subscribe(async () => void (await supervisor.shutdown()));
    const submission = supervisor.submit({ run: polite }); // its first event brings the shutdown
    expect(await settledAt(world, supervisor.closed)).toBe(300);
    expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'shutdown' });
  });

  test('await using ends it with the scope, and waits for the bodies', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    supervisor.submit({ run: body.body });
    await clock.settle();
    const disposed = supervisor[Symbol.asyncDispose]();
    expect(await isSettled(disposed)).toBe(false);
    body.open('out');
    expect(await disposed).toBeUndefined();
    let inScope: Supervisor;
    {
      await using own = new Supervisor({ clock });
      inScope = own;
      own.submit({ run: polite });
      await clock.settle();
    }
    expect(inScope.snapshot()).toMatchObject({ phase: 'closed', running: 0, totals: { canceled: 1 } });
  });

  test('on the platform clock no timer is left either', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const supervisor = new Supervisor();
    supervisor.subscribe(() => {});
    const specs: Partial<TaskSpec>[] = [{ timeoutMs: 1e6 }, { deadlineMs: 1e6 }, { stallMs: 1e6 }];
    for (const spec of specs) supervisor.submit({ ...spec, run: (ctx) => ctx.sleep(1e6) });
    supervisor.submit({ graceMs: 1e6, run: { run: forever, kill: () => {} } });
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(6); // three sleeps, three bounds
    void supervisor.shutdown({ graceMs: GRACE });
    await vi.advanceTimersByTimeAsync(GRACE + 1); // the grace, and a turn for those who end with it
    expect(await supervisor.closed).toMatchObject({ counts: { canceled: 3, killed: 1 } });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('deadFraction (section 8)', () => {
  const fails = () => {
    throw new Error('dead');
  };
  const fatal = () => {
    throw new FatalError('dead for good');
  };
  for (const [deadFraction, bodies, dead] of [
    [0, [polite], false],
    [0, [polite, polite, polite, fails], true],
    [0.5, [polite, polite, fails], false],
    [0.5, [polite, polite, fails, fails], true],
    [0.5, [polite, fails, fatal, fails], true],
    [1, [fails, fatal, polite], false],
    [1, [fails, fatal], true],
    [undefined, [fails, fatal], false],
  ] as const)
    test(`${deadFraction}: ${bodies.map(({ name }) => name)} ${dead ? 'shuts down' : 'goes on'}`, async () => {
      const { supervisor, clock, recorded } = setup({ deadFraction });
      for (const run of bodies) supervisor.submit({ restart: 'never', run });
      await clock.settle();
      expect(supervisor.snapshot().phase).toBe(dead ? 'closed' : 'open');
      expect(recorded.of('shutdownStarted').map(({ cause }) => cause)).toEqual(dead ? ['deadFraction'] : []);
      expect((await supervisor.shutdown()).cause).toBe(dead ? 'deadFraction' : 'caller');
    });

  test('the canceled and the completed are not dead', async () => {
    const { supervisor, clock } = setup({ deadFraction: 0 });
    const canceled = supervisor.submit({ run: polite });
    await supervisor.submit({ run: () => 'fine' }).outcome;
    await canceled.cancel();
    await clock.settle();
    expect(supervisor.snapshot().phase).toBe('open');
  });
});

describe('the static mode: run (section 8)', () => {
  type Signal = 'SIGINT' | 'SIGTERM' | 'SIGUSR2';
  const SIGNALS: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGUSR2'];
  const listeners = () => SIGNALS.map((signal) => process.listenerCount(signal));
  const more = (before: number[]) => listeners().map((count, i) => count - (before[i] ?? 0));

  interface Run extends Setup {
    readonly body: GateBody<string>;
    readonly report: ReturnType<Supervisor['run']>;
    readonly before: number[];
  }
  /** One polite task, and one that the test opens. */
  async function run(options: SupervisorOptions = {}, signals?: readonly Signal[] | false): Promise<Run> {
    const before = listeners();
    const world = setup({ graceMs: GRACE, ...options });
    const body = gateBody();
    const specs = [
      { name: 'polite', run: polite },
      { name: 'gate', run: body.body },
    ];
    const report = world.supervisor.run(specs, signals === undefined ? {} : { signals });
    await world.clock.settle();
    return { ...world, body, report, before };
  }

  test('waits for every outcome, in the order given, and shuts down: finished', async () => {
    const { supervisor } = setup();
    const before = listeners();
    const report = supervisor.run([{ run: () => 'one' }, { restart: 'never', run: () => Promise.reject('two') }]);
    expect(more(before)).toEqual([1, 1, 0]);
    const { outcomes, shutdown } = await report;
    expect(outcomes).toMatchObject([
      { kind: 'completed', value: 'one' },
      { kind: 'failed', failure: { error: 'two' } },
    ]);
    expect(shutdown).toMatchObject({ cause: 'finished', withinGrace: true, counts: { completed: 1, failed: 1 } });
    expect(supervisor.snapshot().phase).toBe('closed');
    expect(more(before)).toEqual([0, 0, 0]);
  });

  test('of nothing it is finished at once; what else runs there is told to stop', async () => {
    const { supervisor, clock } = setup();
    const other = supervisor.submit({ run: polite });
    await clock.settle();
    expect(await supervisor.run([])).toMatchObject({ outcomes: [], shutdown: { cause: 'finished' } });
    expect(await other.outcome).toEqual(stopped);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    test(`${signal} drains: bodies end within the grace`, async () => {
      const { supervisor, clock, body, report, before } = await run();
      process.emit(signal, signal);
      await clock.advance(GRACE - 1);
      expect(supervisor.snapshot()).toMatchObject({ phase: 'draining', running: 1 });
      expect(more(before)).toEqual([1, 1, 0]); // a second one must not end the process
      body.open('out');
      const { outcomes, shutdown } = await report;
      expect(outcomes).toEqual([stopped, stopped]);
      expect(shutdown).toMatchObject({ cause: 'signal', withinGrace: true });
      expect(more(before)).toEqual([0, 0, 0]);
      expect(clock.timers).toBe(0);
    });

  for (const second of ['SIGINT', 'SIGTERM'] as const)
    test(`a second signal (${second}) makes the grace 0; a third changes nothing`, async () => {
      const { clock, report, before } = await run();
      process.emit('SIGTERM', 'SIGTERM');
      await clock.advance(10);
      process.emit(second, second);
      process.emit(second, second);
      await clock.advance(0);
      const { outcomes, shutdown } = await report;
      expect(outcomes).toEqual([stopped, { kind: 'abandoned', by: 'shutdown', attempts: 1 }]);
      expect(shutdown).toMatchObject({ cause: 'signal', withinGrace: false, abandoned: [{ name: 'gate' }] });
      expect(more(before)).toEqual([0, 0, 0]);
    });

  test('a first signal during a shutdown that somebody else began does not make its grace 0', async () => {
    const { supervisor, clock, report } = await run();
    void supervisor.shutdown();
    process.emit('SIGTERM', 'SIGTERM');
    await clock.advance(GRACE - 1);
    expect(supervisor.snapshot().phase).toBe('draining');
    await clock.advance(1);
    expect((await report).shutdown).toMatchObject({ cause: 'caller', withinGrace: false });
  });

  for (const [signals, expected] of [
    [['SIGUSR2'], [0, 0, 1]],
    [[], [0, 0, 0]],
    [false, [0, 0, 0]],
  ] as const)
    test(`signals ${JSON.stringify(signals)}: only these are listened to`, async () => {
      const { supervisor, body, report, before } = await run({}, signals);
      expect(more(before)).toEqual(expected);
      if (signals !== false && signals.length > 0) process.emit('SIGUSR2', 'SIGUSR2');
      else void supervisor.shutdown();
      body.open('out');
      expect((await report).shutdown.cause).toBe(expected[2] === 1 ? 'signal' : 'caller');
      expect(more(before)).toEqual([0, 0, 0]);
    });

  test('deadFraction ends it as well', async () => {
    const { supervisor } = setup({ deadFraction: 0.5, graceMs: GRACE });
    const { outcomes, shutdown } = await supervisor.run([
      { run: polite },
      { run: () => Promise.reject(new FatalError('dead')) },
    ]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['canceled', 'fatal']);
    expect(shutdown).toMatchObject({ cause: 'deadFraction', counts: { canceled: 1, fatal: 1 } });
  });

  test('a spec that is refused rejects it, with nothing kept: it may be asked again', async () => {
    const { supervisor } = setup();
    const before = listeners();
    await expect(supervisor.run([{ run: forever }, { run: forever, timeoutMs: -1 }])).rejects.toThrow(OptionError);
    expect(more(before)).toEqual([0, 0, 0]);
    expect(supervisor.snapshot()).toMatchObject({ phase: 'open', totals: { submitted: 0 } });
    expect((await supervisor.run([{ run: () => 'fine' }])).outcomes).toMatchObject([{ kind: 'completed' }]);
  });
});
