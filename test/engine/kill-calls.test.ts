import { describe, expect, test, vi } from 'vitest';
import { KillCalls, type KilledAttempt } from '../../src/engine/kill-calls.ts';
import type { Kill } from '../../src/model/task.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const boom = new Error('no such process');

function setup(answer: Kill) {
  const clock = new VirtualClock();
  const calledAt: number[] = [];
  const killSucceeded = vi.fn();
  const killFailed = vi.fn();
  const host = { submission: { context: null }, runtime: { clock } };
  const attempt = { host, context: {}, killSucceeded, killFailed } as unknown as KilledAttempt;
  const calls = new KillCalls(attempt, (ctx) => {
    calledAt.push(clock.now());
    return answer(ctx);
  });
  return { clock, calls, calledAt, killSucceeded, killFailed };
}

const failures: readonly (readonly [what: string, kill: Kill])[] = [
  [
    'throws',
    () => {
      throw boom;
    },
  ],
  ['rejects', () => Promise.reject(boom)],
];

describe.for(failures)('a kill that %s', ([, kill]) => {
  test('is called again after 1 s, then after twice as long each time, at most 30 s', async () => {
    const { clock, calls, calledAt, killFailed } = setup(kill);
    calls.call();
    await clock.advance(130_000);
    expect(calledAt).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000, 61_000, 91_000, 121_000]);
    expect(killFailed.mock.calls.map(([error, isFirst]) => [error === boom, isFirst])).toEqual(
      calledAt.map((_, n) => [true, n === 0]),
    );
  });

  test('can be called before its time, which takes the place of the next call', async () => {
    const { clock, calls, calledAt } = setup(kill);
    calls.call();
    await clock.advance(400);
    calls.call();
    await clock.advance(2_000);
    expect([calledAt, clock.timers]).toEqual([[0, 400, 2_400], 1]);
  });

  test('is not called again, and leaves no timer, once the attempt has ended', async () => {
    const { clock, calls, calledAt } = setup(kill);
    calls.call();
    await clock.settle();
    calls.stop();
    await clock.advance(100_000);
    expect([calledAt, clock.timers]).toEqual([[0], 0]);
  });
});

test('a kill that is pending is not called again, and counts as pending until it fails', async () => {
  let fail = (_: Error) => {};
  const { clock, calls, calledAt } = setup(
    () =>
      new Promise((_, reject) => {
        fail = reject;
      }),
  );
  calls.call();
  await clock.advance(100_000);
  expect([calledAt, calls.isPending, clock.timers]).toEqual([[0], true, 0]);
  fail(boom);
  await clock.settle();
  expect([calls.isPending, clock.timers]).toEqual([false, 1]);
  await clock.advance(1_000);
  expect([calledAt, calls.isPending]).toEqual([[0, 101_000], true]);
});

test('a kill that fails after the attempt has ended is not reported, and leaves no timer', async () => {
  const { clock, calls, killFailed } = setup(() => Promise.reject(boom));
  calls.call();
  calls.stop();
  await clock.settle();
  expect([killFailed.mock.calls, clock.timers]).toEqual([[], 0]);
});

test('a kill that succeeds after failures is the last call', async () => {
  let failing = true;
  const { clock, calls, calledAt, killSucceeded } = setup(async () => {
    if (failing) throw boom;
  });
  calls.call();
  await clock.advance(999);
  failing = false;
  await clock.advance(100_000);
  expect([calledAt, killSucceeded.mock.calls.length, clock.timers]).toEqual([[0, 1_000], 1, 0]);
});
