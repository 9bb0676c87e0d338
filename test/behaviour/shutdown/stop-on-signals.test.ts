// stopOnSignals on a real supervisor. test/api/signal-stop.test.ts has its steps one by one, and
// test/process/signals.test.ts real signals.

import { OptionError, type ShutdownReport, Supervisor, stopOnSignals } from 'slotvisor';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { never, polite } from '../../support/bodies.ts';
import { stoppedByShutdown } from '../../support/outcomes.ts';
import { setup } from '../../support/setup.ts';

const exit = vi.spyOn(process, 'exit');
beforeEach(() => void exit.mockReset().mockReturnValue(undefined as never));

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGUSR2'] as const;
const listeners = () => SIGNALS.map((signal) => process.listenerCount(signal));
const before = listeners();
const added = () => listeners().map((count, i) => count - (before[i] ?? 0));
afterEach(() => expect(added()).toEqual([0, 0, 0]));

describe('stopOnSignals', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    test(`shuts down on ${signal} by default, and removes its handlers with the report`, async () => {
      const { supervisor, clock } = setup();
      const task = supervisor.submit({ run: polite });
      await clock.settle();
      const reports: ShutdownReport[] = [];
      stopOnSignals(supervisor, { after: (report) => reports.push(report) });
      expect(added()).toEqual([1, 1, 0]);
      process.emit(signal, signal);
      expect(supervisor.phase).toBe('closing');
      expect(await task.outcome).toEqual(stoppedByShutdown);
      const report = await supervisor.closed;
      await clock.settle();
      expect(report).toMatchObject({ cause: 'signal', clean: true });
      expect(reports).toEqual([report]);
      expect([added(), exit.mock.calls]).toEqual([[0, 0, 0], []]);
    });

  test('goes on with tasks and accepts new ones until before and the delay are over', async () => {
    const { supervisor, clock } = setup();
    const inFlight = () => supervisor.submit({ run: () => 'answered' }).value();
    const answers: string[] = [];
    stopOnSignals(supervisor, { before: async () => void answers.push(await inFlight()), delayMs: 100 });
    process.emit('SIGTERM', 'SIGTERM');
    await clock.advance(99);
    answers.push(await inFlight());
    expect(supervisor.phase).toBe('open');
    await clock.advance(1);
    expect([supervisor.phase, answers]).toEqual(['closed', ['answered', 'answered']]);
  });

  test('gives the shutdown its own times', async () => {
    const { supervisor, clock, recorded } = setup();
    stopOnSignals(supervisor, { graceMs: 70, finishMs: 5 });
    process.emit('SIGTERM', 'SIGTERM');
    await clock.settle();
    expect(recorded.of('shutdownStarted')).toMatchObject([{ cause: 'signal', graceMs: 70, finishMs: 5 }]);
  });

  test('ends the grace at a second signal, and exits because of the body that was given up', async () => {
    const { supervisor, clock } = setup();
    supervisor.submit({ run: never });
    await clock.settle();
    stopOnSignals(supervisor, { exitCode: 9 });
    process.emit('SIGINT', 'SIGINT');
    await clock.advance(10);
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('SIGTERM', 'SIGTERM');
    await clock.advance(0);
    expect(await supervisor.closed).toMatchObject({ clean: false, cause: 'signal' });
    await clock.settle();
    expect(exit.mock.calls).toEqual([[9]]);
  });

  test('begins a shutdown at the second signal while before hangs', async () => {
    const { supervisor, clock } = setup();
    stopOnSignals(supervisor, { before: never, delayMs: 1_000 });
    process.emit('SIGTERM', 'SIGTERM');
    await clock.advance(60_000);
    expect(supervisor.phase).toBe('open');
    process.emit('SIGTERM', 'SIGTERM');
    await clock.settle();
    expect([supervisor.phase, clock.timers]).toEqual(['closed', 0]);
  });

  test('joins a shutdown that before itself begins and awaits', async () => {
    const { supervisor, clock } = setup();
    const after = vi.fn();
    stopOnSignals(supervisor, { before: () => supervisor.shutdown(), delayMs: 1_000, after });
    process.emit('SIGTERM', 'SIGTERM');
    await clock.settle();
    expect(after.mock.calls).toEqual([[await supervisor.closed]]);
    expect([(await supervisor.closed).cause, clock.timers]).toEqual(['caller', 0]);
  });

  test('does not shorten the grace of a shutdown that a caller has begun', async () => {
    const { supervisor, clock } = setup({ shutdownGraceMs: 1_000 });
    supervisor.submit({ run: never });
    await clock.settle();
    stopOnSignals(supervisor);
    void supervisor.shutdown();
    process.emit('SIGTERM', 'SIGTERM');
    await clock.advance(999);
    expect(supervisor.phase).toBe('closing');
    await clock.advance(1);
    expect((await supervisor.closed).cause).toBe('caller');
  });

  test('removes its handlers when the supervisor is shut down by other means', async () => {
    const { supervisor, clock } = setup();
    const after = vi.fn();
    stopOnSignals(supervisor, { before: after, after });
    await supervisor.shutdown();
    await clock.settle();
    expect([added(), after.mock.calls]).toEqual([[0, 0, 0], []]);
  });

  test('adds no handler to a supervisor that is closed', async () => {
    const { supervisor } = setup();
    await supervisor.shutdown();
    stopOnSignals(supervisor);
    await Promise.resolve();
    expect(added()).toEqual([0, 0, 0]);
  });

  test('returns what takes it back', async () => {
    const { supervisor } = setup();
    const takeBack = stopOnSignals(supervisor, { signals: ['SIGUSR2'] });
    expect(added()).toEqual([0, 0, 1]);
    takeBack();
    takeBack();
    process.emit('SIGUSR2', 'SIGUSR2');
    expect([supervisor.phase, added()]).toEqual(['open', [0, 0, 0]]);
  });

  test('stops each supervisor of the process by its own options', async () => {
    const [first, second, third] = [setup(), setup(), setup()];
    stopOnSignals(first.supervisor);
    stopOnSignals(second.supervisor, { signals: ['SIGUSR2', 'SIGTERM'], delayMs: 5 });
    stopOnSignals(third.supervisor, { signals: false });
    process.emit('SIGTERM', 'SIGTERM');
    await first.clock.settle();
    expect([first, second, third].map(({ supervisor }) => supervisor.phase)).toEqual(['closed', 'open', 'open']);
    await second.clock.advance(5);
    expect(second.supervisor.phase).toBe('closed');
  });

  test('refuses a finish time that is more than the grace, before a signal comes', () => {
    const { supervisor } = setup({ shutdownGraceMs: 10 });
    expect(() => stopOnSignals(supervisor, { finishMs: 11 })).toThrow(expect.objectContaining({ field: 'finishMs' }));
  });

  test.for([undefined, null, {}, Object.create(Supervisor.prototype)])('refuses what is no supervisor', (value) => {
    expect(() => stopOnSignals(value as Supervisor)).toThrow(OptionError);
    expect(() => stopOnSignals(value as Supervisor)).toThrow(/^supervisor must be a Supervisor, got /);
  });
});
