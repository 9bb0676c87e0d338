// What a signal does to a supervisor that is played here. The real one is in
// test/behaviour/shutdown/stop-on-signals.test.ts.

import { VirtualClock } from 'slotvisor/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseStopOptions, type StopOnSignalsOptions } from '../../src/api/call-options.ts';
import { SignalStop, type Stoppable } from '../../src/api/signal-stop.ts';
import { deferred } from '../../src/kernel/deferred.ts';
import type { ShutdownReport } from '../../src/model/view.ts';

const exit = vi.spyOn(process, 'exit');
const warn = vi.spyOn(process, 'emitWarning');
beforeEach(() => {
  exit.mockReset().mockReturnValue(undefined as never);
  warn.mockReset().mockReturnValue();
});
afterEach(() => {
  expect(process.listenerCount('SIGUSR2')).toBe(0);
});

const signal = () => void process.emit('SIGUSR2', 'SIGUSR2');
const report = { clean: true } as ShutdownReport;

/** A supervisor that logs its calls. The test closes it. */
function setup(options: StopOnSignalsOptions = {}, exitCode: number | null = options.exitCode ?? 1) {
  const clock = new VirtualClock();
  const closed = deferred<ShutdownReport>();
  const calls: string[] = [];
  const world = { abandonedAlive: 0 };
  const supervisor: Stoppable = {
    clock,
    closed: closed.promise,
    get abandonedAlive() {
      return world.abandonedAlive;
    },
    times: ({ graceMs = 90, finishMs = 30 }) => ({ graceMs, finishMs }),
    stop: ({ graceMs, finishMs }) => void calls.push(`${clock.now()} stop ${graceMs} ${finishMs}`),
  };
  const stop = new SignalStop(supervisor, {
    ...parseStopOptions(options),
    signals: ['SIGUSR2'],
    exitCode: exitCode ?? undefined,
  });
  const close = async (abandonedAlive = 0): Promise<void> => {
    world.abandonedAlive = abandonedAlive;
    closed.resolve(report);
    await clock.settle();
  };
  return { clock, calls, stop, close, world };
}

describe('the first signal', () => {
  test('stops the supervisor within the signal, with the given times', async () => {
    const { calls, close } = setup({ graceMs: 50 });
    signal();
    expect(calls).toEqual(['0 stop 50 30']);
    await close();
  });

  test('waits for before, then for the delay, and after gets the report', async () => {
    const gate = deferred<void>();
    const after = vi.fn();
    const { clock, calls, close } = setup({ before: () => gate.promise, delayMs: 10, after });
    signal();
    await clock.advance(100);
    gate.resolve();
    await clock.advance(9);
    expect(calls).toEqual([]);
    await clock.advance(1);
    expect(calls).toEqual(['110 stop 90 30']);
    expect(after).not.toHaveBeenCalled();
    await close();
    expect(after.mock.calls).toEqual([[report]]);
  });

  test.for(['throws', 'rejects'] as const)('goes on when a callback %s, and warns of it', async (how) => {
    const boom = new Error('boom\n\u001b[2J');
    const fails = () => {
      if (how === 'throws') throw boom;
      return Promise.reject(boom);
    };
    const { clock, calls, close } = setup({ before: fails, after: fails });
    signal();
    await clock.settle();
    expect(calls).toEqual(['0 stop 90 30']);
    await close();
    const about = { type: 'SlotvisorWarning', code: 'SLOTVISOR_CALLBACK_FAILED' };
    expect(warn.mock.calls).toEqual([
      ['before of stopOnSignals failed: boom\\u000a\\u001b[2J', about],
      ['after of stopOnSignals failed: boom\\u000a\\u001b[2J', about],
    ]);
  });
});

describe('a second signal', () => {
  test('leaves no grace', async () => {
    const { calls, close } = setup();
    for (let n = 0; n < 3; n += 1) signal();
    expect(calls).toEqual(['0 stop 90 30', '0 stop 0 0', '0 stop 0 0']);
    await close();
  });

  test.for<readonly [what: string, options: StopOnSignalsOptions]>([
    ['before', { before: () => new Promise(() => {}), delayMs: 10 }],
    ['the delay', { delayMs: 10 }],
  ])('ends %s at once, and leaves no timer', async ([, options]) => {
    const { clock, calls, close } = setup(options);
    signal();
    await clock.advance(5);
    signal();
    expect(calls).toEqual(['5 stop 0 0']);
    await clock.settle();
    expect(clock.timers).toBe(0);
    await close();
  });
});

describe('the end of the supervisor', () => {
  test('removes the handlers, and calls nothing without a signal', async () => {
    const after = vi.fn();
    const { close } = setup({ after });
    expect(process.listenerCount('SIGUSR2')).toBe(1);
    await close(1);
    expect([process.listenerCount('SIGUSR2'), after.mock.calls, exit.mock.calls]).toEqual([0, [], []]);
  });

  test('ends the wait for before, and after gets the report', async () => {
    const after = vi.fn();
    const { close } = setup({ before: () => new Promise(() => {}), after });
    signal();
    await close();
    expect(after.mock.calls).toEqual([[report]]);
  });
});

test('taking it back removes the handlers, and what a signal has begun goes on', async () => {
  const { clock, calls, stop, close } = setup({ delayMs: 10 });
  signal();
  stop.end();
  expect(process.listenerCount('SIGUSR2')).toBe(0);
  await clock.advance(10);
  expect(calls).toEqual(['10 stop 90 30']);
  await close();
});

describe('the process exits', () => {
  test('with the exit code when a body that was given up is alive, after `after`', async () => {
    const gate = deferred<void>();
    const { clock, close } = setup({ after: () => gate.promise, exitCode: 7 });
    signal();
    await close(1);
    expect(exit).not.toHaveBeenCalled();
    gate.resolve();
    await clock.settle();
    expect(exit.mock.calls).toEqual([[7]]);
  });

  test('not where no body is alive that was given up', async () => {
    const { close } = setup();
    signal();
    await close(0);
    expect(exit).not.toHaveBeenCalled();
  });

  test('not where there is no exit code, as in run', async () => {
    const { close } = setup({}, null);
    signal();
    await close(1);
    expect(exit).not.toHaveBeenCalled();
  });

  test('not before the last supervisor has ended that a signal has begun to stop', async () => {
    const stuck = setup({ exitCode: 3 });
    const slow = setup({ exitCode: 4 });
    const untouched = setup();
    untouched.stop.end();
    signal();
    await stuck.close(1);
    expect(exit).not.toHaveBeenCalled();
    await slow.close(0);
    expect(exit.mock.calls).toEqual([[3]]);
    await untouched.close(1);
    expect(exit).toHaveBeenCalledTimes(1);
  });

  test('not where the body that was given up has ended meanwhile', async () => {
    const first = setup();
    const second = setup();
    signal();
    await first.close(1);
    first.world.abandonedAlive = 0;
    await second.close();
    expect(exit).not.toHaveBeenCalled();
  });
});
