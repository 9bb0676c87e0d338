// The delay before a retry.

import { backoffDelayMs, type TaskContext, type TaskSpec } from 'slotvisor';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { PLAIN_BACKOFF } from '../../support/bodies.ts';
import { boom, mustNotEscape, raise, revoked, trap } from '../../support/must-not-escape.ts';
import { fail, script } from '../../support/scripted-body.ts';
import { setup } from '../../support/setup.ts';

describe('backoff', () => {
  /** The delays of the given number of retries in a row. */
  async function delaysOf(spec: Partial<TaskSpec>, retries: number): Promise<number[]> {
    const { supervisor, clock, recorded } = setup();
    const submission = supervisor.submit({ ...spec, maxRetries: retries, run: () => fail() });
    while (submission.status !== 'ended') if (!(await clock.next())) break;
    await clock.settle();
    return recorded.of('backoffScheduled').map(({ delayMs }) => delayMs);
  }

  test('the default backoff is 200 ms, doubled up to 30 s, with equal jitter: half the base to the base', async () => {
    const delays = await delaysOf({}, 40);
    expect(delays).toHaveLength(40);
    delays.forEach((delay, n) => {
      const base = Math.min(200 * 2 ** n, 30_000);
      expect(delay).toBeGreaterThanOrEqual(base / 2);
      expect(delay).toBeLessThanOrEqual(base);
    });
    expect(new Set(delays).size).toBe(40); // they are random
  });

  for (const [what, backoff, expected] of [
    ['jitter none gives the base', { firstMs: 100, jitter: 'none' }, [100, 200, 400, 800]],
    ['factor 1 gives a constant delay', { firstMs: 70, factor: 1, jitter: 'none' }, [70, 70, 70, 70]],
    ['a delay is at most maxMs', { firstMs: 100, factor: 3, maxMs: 500, jitter: 'none' }, [100, 300, 500, 500]],
    ['a delay is at least floorMs', { firstMs: 10, maxMs: 1_000, floorMs: 30, jitter: 'none' }, [30, 30, 40, 80]],
    ['fractions of a millisecond are kept', { firstMs: 1.5, factor: 1.5, jitter: 'none' }, [1.5, 2.25, 3.375, 5.0625]],
    ['firstMs 0 gives no delay', { firstMs: 0, jitter: 'none' }, [0, 0, 0, 0]],
    ['a base above zero gives at least min(1, maxMs)', { firstMs: 0.01, factor: 1, jitter: 'none' }, [1, 1, 1, 1]],
    ['a maxMs below 1 limits the delay', { firstMs: 0.25, maxMs: 0.5, jitter: 'none' }, [0.5, 0.5, 0.5, 0.5]],
    [
      'an overflow gives maxMs',
      { firstMs: 1e300, factor: 1e300, maxMs: 1e301, jitter: 'none' },
      [1e300, 1e301, 1e301, 1e301],
    ],
  ] as const)
    test(`${what}, so the delays in events are ${expected.join(', ')}`, async () => {
      if (what.startsWith('an overflow')) {
        // A clock cannot add up such delays, so only the arithmetic is checked.
        expect([0, 1, 2, 3].map((n) => backoffDelayMs(backoff, n))).toEqual(expected);
        return;
      }
      expect(await delaysOf({ backoff }, 4)).toEqual(expected);
    });

  for (const [jitter, low, high] of [
    ['full', () => 0, (base: number) => base],
    ['equal', (base: number) => base / 2, (base: number) => base],
    ['band', () => 100, (base: number) => Math.min(3 * base, 2_000)],
    ['decorrelated', () => 100, (_: number, previous: number) => Math.min(3 * previous, 2_000)],
  ] as const)
    test(`jitter ${jitter} keeps each delay within its bounds`, async () => {
      const delays = await delaysOf({ backoff: { firstMs: 100, maxMs: 2_000, jitter } }, 60);
      let previous = 100;
      delays.forEach((delay, n) => {
        const base = Math.min(100 * 2 ** n, 2_000);
        expect(delay).toBeGreaterThanOrEqual(Math.max(low(base), 1));
        expect(delay).toBeLessThanOrEqual(high(base, previous));
        previous = delay;
      });
      expect(new Set(delays).size).toBeGreaterThan(10);
    });

  test('a backoff longer than a platform timer allows is waited for in full', async () => {
    const { supervisor, clock } = setup();
    const body = script<string>(
      () => fail(),
      () => 'after a month',
    );
    const month = 30 * 24 * 3_600_000;
    expect(month).toBeGreaterThan(2 ** 31);
    const submission = supervisor.submit({ backoff: { firstMs: month, jitter: 'none' }, run: body.run });
    await clock.advance(month - 1);
    expect(body.starts).toEqual([1]);
    expect(supervisor.tasks()).toMatchObject([{ status: 'backoff', nextAttemptInMs: 1 }]);
    await clock.advance(1);
    expect(await submission.value()).toBe('after a month');
  });

  test('a jump of the wall clock does not change the backoff', async () => {
    const { supervisor, clock } = setup();
    const body = script<string>(
      () => fail(),
      () => 'second',
    );
    const submission = supervisor.submit({ backoff: PLAIN_BACKOFF, run: body.run });
    await clock.settle();
    clock.setWall(0);
    await clock.advance(99);
    clock.setWall(Date.UTC(2100, 0, 1));
    expect(body.starts).toEqual([1]);
    await clock.advance(1);
    expect(await submission.value()).toBe('second');
  });
});

describe('the option `random`', () => {
  const delayed = async (random: () => number): Promise<unknown> => {
    const { supervisor, clock, recorded } = setup({ random });
    const backoff = { firstMs: 100, maxMs: 100, factor: 1, jitter: 'full' } as const;
    supervisor.submit({ run: () => Promise.reject(new Error('no')), backoff });
    await clock.settle();
    const event = recorded.events.find(({ type }) => type === 'backoffScheduled');
    return event !== undefined && 'delayMs' in event && event.delayMs;
  };

  test('a random() that returns 0 gives the least delay', async () => {
    expect(await delayed(() => 0)).toBe(1);
  });

  for (const [what, drawn] of [
    ['1', 1],
    ['less than 0', -0.5],
    ['not a number', Number.NaN],
    ['text', '0.25'],
    ['a bigint', 0n],
  ] as const)
    test(`a random() that returns ${what} is replaced by Math.random`, async () => {
      const platform = vi.spyOn(Math, 'random').mockReturnValue(0.75);
      onTestFinished(() => platform.mockRestore());
      expect(await delayed(() => drawn as number)).toBe(75);
    });
});

describe('a hostile `random`', () => {
  test.each<readonly [name: string, random: () => unknown]>([
    ['throws', trap],
    ['returns NaN', () => Number.NaN],
    ['returns too large a number', () => 1e9],
    ['returns a negative number', () => -1],
    ['returns Infinity', () => Infinity],
    ['returns text', () => '0.5'],
    ['returns a bigint', () => 1n],
    ['returns a revoked proxy', () => revoked()],
  ])('a random() that %s leaves every delay within its bounds', async (_, random) => {
    const run = (ctx: TaskContext<unknown>) => (ctx.attempt < 4 ? raise(boom) : 'done');
    const { recorded } = await mustNotEscape({
      options: { random: random as never },
      spec: { restart: 'onFailure', backoff: { firstMs: 100, factor: 1, jitter: 'equal' }, run },
      outcome: 'completed',
    });
    const delays = recorded.of('backoffScheduled').map(({ delayMs }) => delayMs);
    expect(delays).toHaveLength(3);
    expect(delays.filter((delay) => delay >= 50 && delay <= 100)).toEqual(delays);
  });
});
