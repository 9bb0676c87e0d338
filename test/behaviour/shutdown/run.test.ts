// supervisor.run() and its process signals.

import { FatalError, OptionError, type Outcome, Supervisor, type SupervisorOptions, type TaskContext } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { type GateBody, gateBody } from '../../support/gate.ts';
import { type Setup, setup } from '../../support/setup.ts';

const GRACE = 1_000;

const forever = (): Promise<never> => new Promise(() => {});

const polite = (ctx: TaskContext): Promise<void> => ctx.sleep(Infinity);

const stopped: Outcome = { kind: 'canceled', by: 'shutdown', attempts: 1 };

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

for (const [what, signals, field, message] of [
  ['a single signal', 'SIGINT', 'signals', /^signals must be an array of signal names, or false, got "SIGINT"$/],
  [
    'one that nobody can catch',
    ['SIGTERM', 'SIGKILL'],
    'signals[1]',
    /^signals\[1\] must be a signal .*, got "SIGKILL"$/,
  ],
] as const)
  test(`run refuses ${what}`, async () => {
    const refused = new Supervisor().run([], { signals: signals as never });
    await expect(refused).rejects.toThrow(expect.objectContaining({ field, message: expect.stringMatching(message) }));
  });

test('run with signals: false listens to none', async () => {
  const { supervisor, clock } = setup();
  const heard = process.eventNames();
  const ended = supervisor.run([{ run: (ctx) => ctx.sleep(10) }], { signals: false });
  await clock.settle();
  expect(process.eventNames()).toEqual(heard);
  await clock.advance(10);
  expect((await ended).outcomes).toMatchObject([{ kind: 'completed' }]);
});
