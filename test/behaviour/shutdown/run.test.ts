// supervisor.run() and its process signals.

import { FatalError, OptionError, Supervisor, type SupervisorOptions } from 'slotvisor';
import { describe, expect, test } from 'vitest';
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
    expect(shutdown).toMatchObject({ cause: 'finished', withinGrace: true, counts: { completed: 1, failed: 1 } });
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
      expect(outcomes).toEqual([stoppedByShutdown, stoppedByShutdown]);
      expect(shutdown).toMatchObject({ cause: 'signal', withinGrace: true });
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
      expect(shutdown).toMatchObject({ cause: 'signal', withinGrace: false, abandoned: [{ name: 'gate' }] });
      expect(more(before)).toEqual([0, 0, 0]);
    });

  test('a first signal during a shutdown by a caller does not set its grace to 0', async () => {
    const { supervisor, clock, report } = await run();
    void supervisor.shutdown();
    process.emit('SIGTERM', 'SIGTERM');
    await clock.advance(GRACE - 1);
    expect(supervisor.snapshot().phase).toBe('closing');
    await clock.advance(1);
    expect((await report).shutdown).toMatchObject({ cause: 'caller', withinGrace: false });
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
  expect((await run).shutdown).toMatchObject({ cause: 'signal', withinGrace: true });
});
