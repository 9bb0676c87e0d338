// supervisor.run() and its process signals.

import { FatalError, OptionError, OutcomeError, Supervisor, type SupervisorOptions } from 'slotvisor';
import { describe, expect, test, vi } from 'vitest';
import { never, polite } from '../../support/bodies.ts';
import { type GateBody, gateBody } from '../../support/gate.ts';
import { stoppedByShutdown } from '../../support/outcomes.ts';
import { type Setup, setup } from '../../support/setup.ts';

const GRACE = 1_000;

describe('supervisor.run()', () => {
  type Signal = 'SIGINT' | 'SIGTERM' | 'SIGUSR2';
  const SIGNALS: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGUSR2'];
  const listeners = () => SIGNALS.map((signal) => process.listenerCount(signal));
  const more = (before: number[]) => listeners().map((count, i) => count - (before[i] ?? 0));

  interface Run extends Setup {
    readonly body: GateBody<string>;
    readonly report: ReturnType<Supervisor['run']>;
    readonly before: number[];
  }
  /** Runs one task that ends on its stop request, and one that the test ends. */
  async function run(options: SupervisorOptions = {}, signals?: readonly Signal[] | false): Promise<Run> {
    const before = listeners();
    const world = setup({ shutdownGraceMs: GRACE, ...options });
    const body = gateBody();
    const specs = [
      { name: 'polite', run: polite },
      { name: 'gate', run: body.body },
    ];
    const report = world.supervisor.run(specs, signals === undefined ? {} : { signals });
    await world.clock.settle();
    return { ...world, body, report, before };
  }

  test('run() waits for every outcome, in the order given, and shuts down with the cause finished', async () => {
    const { supervisor } = setup();
    const before = listeners();
    const report = supervisor.run([{ run: () => 'one' }, { restart: 'never', run: () => Promise.reject('two') }]);
    expect(more(before)).toEqual([1, 1, 0]);
    const { outcomes, shutdown } = await report;
    expect(outcomes).toMatchObject([
      { kind: 'completed', value: 'one' },
      { kind: 'failed', failure: { error: 'two' } },
    ]);
    expect(shutdown).toMatchObject({ cause: 'finished', clean: true, counts: { completed: 1, failed: 1 } });
    expect(supervisor.snapshot().phase).toBe('closed');
    expect(more(before)).toEqual([0, 0, 0]);
  });

  test('run([]) finishes at once and stops the other tasks of the supervisor', async () => {
    const { supervisor, clock } = setup();
    const other = supervisor.submit({ run: polite });
    await clock.settle();
    expect(await supervisor.run([])).toMatchObject({ outcomes: [], shutdown: { cause: 'finished' } });
    expect(await other.outcome).toEqual(stoppedByShutdown);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    test(`${signal} shuts down, and bodies end within the grace`, async () => {
      const { supervisor, clock, body, report, before } = await run();
      process.emit(signal, signal);
      await clock.advance(GRACE - 1);
      expect(supervisor.snapshot()).toMatchObject({ phase: 'closing', owners: 1 });
      expect(more(before)).toEqual([1, 1, 0]); // a second signal must not end the process
      body.open('out');
      const { outcomes, shutdown } = await report;
      expect(outcomes).toEqual([stoppedByShutdown, { ...stoppedByShutdown, value: 'out' }]);
      expect(shutdown).toMatchObject({ cause: 'signal', clean: true });
      expect(more(before)).toEqual([0, 0, 0]);
      expect(clock.timers).toBe(0);
    });

  for (const second of ['SIGINT', 'SIGTERM'] as const)
    test(`a second signal (${second}) sets the grace to 0, and a third changes nothing`, async () => {
      const { clock, report, before } = await run();
      process.emit('SIGTERM', 'SIGTERM');
      await clock.advance(10);
      process.emit(second, second);
      process.emit(second, second);
      await clock.advance(0);
      const { outcomes, shutdown } = await report;
      expect(outcomes).toEqual([stoppedByShutdown, { kind: 'abandoned', by: 'shutdown', attempts: 1 }]);
      expect(shutdown).toMatchObject({ cause: 'signal', clean: false, abandoned: [{ name: 'gate' }] });
      expect(more(before)).toEqual([0, 0, 0]);
    });

  test('a first signal during a shutdown by a caller does not set its grace to 0', async () => {
    const { supervisor, clock, report } = await run();
    void supervisor.shutdown();
    process.emit('SIGTERM', 'SIGTERM');
    await clock.advance(GRACE - 1);
    expect(supervisor.snapshot().phase).toBe('closing');
    await clock.advance(1);
    expect((await report).shutdown).toMatchObject({ cause: 'caller', clean: false });
  });

  for (const [signals, expected] of [
    [['SIGUSR2'], [0, 0, 1]],
    [[], [0, 0, 0]],
    [false, [0, 0, 0]],
  ] as const)
    test(`with signals ${JSON.stringify(signals)} run() listens to these signals only`, async () => {
      const { supervisor, body, report, before } = await run({}, signals);
      expect(more(before)).toEqual(expected);
      if (signals !== false && signals.length > 0) process.emit('SIGUSR2', 'SIGUSR2');
      else void supervisor.shutdown();
      body.open('out');
      expect((await report).shutdown.cause).toBe(expected[2] === 1 ? 'signal' : 'caller');
      expect(more(before)).toEqual([0, 0, 0]);
    });

  test('deadFraction ends run()', async () => {
    const { supervisor } = setup({ deadFraction: 0.5, shutdownGraceMs: GRACE });
    const { outcomes, shutdown } = await supervisor.run([
      { run: polite },
      { run: () => Promise.reject(new FatalError('dead')) },
    ]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['canceled', 'fatal']);
    expect(shutdown).toMatchObject({ cause: 'deadFraction', counts: { canceled: 1, fatal: 1 } });
  });

  test('run() with an invalid spec rejects and keeps nothing, so it may be called again', async () => {
    const { supervisor } = setup();
    const before = listeners();
    await expect(supervisor.run([{ run: never }, { run: never, timeoutMs: -1 }])).rejects.toThrow(OptionError);
    expect(more(before)).toEqual([0, 0, 0]);
    expect(supervisor.snapshot()).toMatchObject({ phase: 'open', totals: { submitted: 0 } });
    expect((await supervisor.run([{ run: () => 'fine' }])).outcomes).toMatchObject([{ kind: 'completed' }]);
  });
});

describe('the signal of run()', () => {
  const listeners = () => process.listenerCount('SIGTERM');

  test('begins the shutdown when it aborts, with the cause signal', async () => {
    const { supervisor, clock } = setup();
    const controller = new AbortController();
    const running = supervisor.run([{ run: polite }], { signal: controller.signal });
    await clock.settle();
    controller.abort();
    expect(supervisor.phase).toBe('closing');
    expect(await running).toMatchObject({ outcomes: [stoppedByShutdown], shutdown: { cause: 'signal', clean: true } });
  });

  test('cancels everything and shuts down where it is aborted already', async () => {
    const { supervisor, clock } = setup();
    const other = supervisor.submit({ run: polite });
    await clock.settle();
    let called = false;
    const run = () => {
      called = true;
    };
    const specs = [{ slot: 's', run }, { slot: 's', admission: 'dropIfRunning', run } as const];
    const { outcomes, shutdown } = await supervisor.run(specs, { signal: AbortSignal.abort() });
    expect(outcomes).toEqual(Array(2).fill({ kind: 'rejected', reason: 'canceled' }));
    expect(shutdown).toMatchObject({ cause: 'signal', counts: { rejected: 2, canceled: 1 } });
    expect([called, (await other.outcome).kind]).toEqual([false, 'canceled']);
  });

  test('does not count as the first of two signals of the process', async () => {
    const { supervisor, clock } = setup({ shutdownGraceMs: GRACE });
    const controller = new AbortController();
    const running = supervisor.run([{ run: never }], { signal: controller.signal });
    await clock.settle();
    controller.abort();
    process.emit('SIGTERM', 'SIGTERM');
    await clock.advance(GRACE - 1);
    expect(supervisor.phase).toBe('closing');
    process.emit('SIGTERM', 'SIGTERM');
    await clock.advance(0);
    expect((await running).shutdown).toMatchObject({ cause: 'signal', clean: false });
  });

  test('is noticed where the lease store aborts it within the submit', async () => {
    const controller = new AbortController();
    const acquire = () => {
      controller.abort();
      return null;
    };
    const { supervisor } = setup({ leases: { acquire } });
    const { shutdown } = await supervisor.run([{ slot: 's', run: never }], { signal: controller.signal });
    expect(shutdown.cause).toBe('signal');
  });

  test('is left alone after the report', async () => {
    const { supervisor } = setup();
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    await supervisor.run([{ run: () => 'done' }], { signal });
    expect([added.mock.calls.length, removed.mock.calls.length]).toEqual([1, 1]);
  });

  test('is refused with an invalid spec all the same where it is aborted already', async () => {
    const { supervisor } = setup();
    const before = listeners();
    const run = supervisor.run([{ run: never, timeoutMs: -1 }], { signal: AbortSignal.abort() });
    await expect(run).rejects.toThrow(OptionError);
    expect([supervisor.phase, listeners()]).toEqual(['open', before]);
  });
});

describe('a run() that is turned away', () => {
  test('rejects with the OutcomeError of the first entry that has a reason of its own', async () => {
    const { supervisor, clock } = setup();
    const before = process.listenerCount('SIGTERM');
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, 'removeEventListener');
    const owner = supervisor.submit({ slot: 'busy', run: polite });
    await clock.settle();
    const specs = [
      { slot: 'free', name: 'innocent', run: never },
      { slot: 'busy', name: 'culprit', admission: 'dropIfRunning', run: never },
      { slot: 'busy', name: 'later', admission: 'dropIfRunning', run: never },
    ] as const;
    const error = await supervisor.run(specs, { signal }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OutcomeError);
    expect((error as OutcomeError).message).toMatch(/^culprit: rejected: slotBusy/);
    expect((error as OutcomeError).outcome).toEqual({ kind: 'rejected', reason: 'slotBusy', by: owner.id });
    expect([supervisor.phase, process.listenerCount('SIGTERM'), removed.mock.calls.length]).toEqual([
      'open',
      before,
      0,
    ]);
    await owner.cancel();
    expect((await supervisor.run([{ slot: 'busy', run: () => 'fine' }])).outcomes).toMatchObject([{ value: 'fine' }]);
  });

  test('is one with an entry whose own signal is aborted', async () => {
    const { supervisor } = setup();
    const run = supervisor.run([{ run: never }, { run: never, signal: AbortSignal.abort() }]);
    await expect(run).rejects.toMatchObject({ name: 'OutcomeError', outcome: { reason: 'canceled' } });
    expect(supervisor.phase).toBe('open');
  });
});

test('the tasks of run() are vital unless their spec says otherwise', async () => {
  const { supervisor, clock } = setup();
  const specs = [
    { slot: 'a', run: polite },
    { slot: 'b', vital: false, run: polite },
    { slot: 'c', vital: undefined, run: polite },
    { slot: 'd', timeoutMs: 1_000, run: polite },
  ];
  const running = supervisor.run(specs);
  supervisor.submit({ slot: 'e', run: polite });
  await clock.settle();
  expect(supervisor.vitalSlots().map(({ slot }) => slot)).toEqual(['a', 'c', 'd']);
  void supervisor.shutdown();
  await running;
});

for (const [what, signals, field, message] of [
  ['a single signal', 'SIGINT', 'signals', /^signals must be an array of signal names, or false, got "SIGINT"$/],
  [
    'a signal that cannot be caught',
    ['SIGTERM', 'SIGKILL'],
    'signals[1]',
    /^signals\[1\] must be a signal .*, got "SIGKILL"$/,
  ],
] as const)
  test(`run() rejects the option signals with ${what}`, async () => {
    const rejected = new Supervisor().run([], { signals: signals as never });
    await expect(rejected).rejects.toThrow(expect.objectContaining({ field, message: expect.stringMatching(message) }));
  });

test('run() with signals false adds no signal listener', async () => {
  const { supervisor, clock } = setup();
  const before = process.eventNames();
  const ended = supervisor.run([{ run: (ctx) => ctx.sleep(10) }], { signals: false });
  await clock.settle();
  expect(process.eventNames()).toEqual(before);
  await clock.advance(10);
  expect((await ended).outcomes).toMatchObject([{ kind: 'completed' }]);
});

test('run() counts a signal that is listed twice once', async () => {
  const { supervisor, clock } = setup({ shutdownGraceMs: 1_000 });
  const body = gateBody();
  const run = supervisor.run([{ run: body.body }], { signals: ['SIGUSR2', 'SIGUSR2'] });
  await clock.settle();
  process.emit('SIGUSR2');
  await clock.advance(500);
  expect(supervisor.snapshot().phase).toBe('closing');
  body.open('end');
  expect((await run).shutdown).toMatchObject({ cause: 'signal', clean: true });
});
