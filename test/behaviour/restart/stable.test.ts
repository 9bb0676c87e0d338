// stableMs: an attempt that ran for long before it failed ends the streak of failures.

import {
  ExitError,
  FatalError,
  RetryError,
  restartable,
  type Submission,
  type SupervisorOptions,
  type TaskContext,
  type TaskSpec,
} from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { describe, expect, test } from 'vitest';
import { PLAIN_BACKOFF } from '../../support/bodies.ts';
import { type Setup, setup } from '../../support/setup.ts';

const DAY = 86_400_000;
const boom = new Error('connection reset');

interface Failing extends Setup {
  readonly submission: Submission;
  /** The delays of the retries so far. */
  delays(): number[];
}

/** A task whose attempts each run for the given times and then fail. The last time is repeated. */
function failing(ranMs: readonly number[], spec: Partial<TaskSpec> = {}, options: SupervisorOptions = {}): Failing {
  const run = async (ctx: TaskContext) => {
    await ctx.sleep(ranMs[Math.min(ctx.attempt, ranMs.length) - 1] as number);
    throw boom;
  };
  return started({ run, ...spec }, options);
}

function started(spec: TaskSpec, options: SupervisorOptions = {}): Failing {
  const world = setup(options);
  const submission = world.supervisor.submit({ slot: 's', backoff: PLAIN_BACKOFF, ...spec });
  return { ...world, submission, delays: () => world.recorded.of('backoffScheduled').map(({ delayMs }) => delayMs) };
}

describe('stableMs', () => {
  test('keeps a consumer alive that fails once a day, with the first delay each time', async () => {
    const { clock, submission, delays } = failing([DAY], { maxRetries: 2, stableMs: 60_000 });
    await clock.advance(30 * DAY);
    expect(submission.status).toBe('running');
    expect(delays()).toEqual(Array.from({ length: 29 }, () => 100));
    expect(submission.restart()).toBe(true);
  });

  test('is Infinity by default: only a success ends a streak', async () => {
    const { clock, submission, delays } = failing([DAY], { maxRetries: 2 });
    await clock.advance(30 * DAY);
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'maxRetries', attempts: 3 });
    expect(delays()).toEqual([100, 200]);
  });

  test('streak in a view counts the failures since the last one that was stable, and failingMs the time', async () => {
    const { clock, supervisor } = failing([1, 1, 1_000, 1], { stableMs: 1_000 });
    const streaks: unknown[] = [];
    const failingMs: unknown[] = [];
    supervisor.subscribe({
      onEvent: ({ type }) => {
        if (type !== 'backoffScheduled') return;
        const [task] = supervisor.tasks();
        streaks.push(task?.streak);
        failingMs.push(task?.failingMs);
      },
    });
    await clock.advance(2_000);
    expect(streaks).toEqual([1, 2, 1, 2, 3]);
    expect(failingMs).toEqual([0, 101, 0, 101, 302]);
  });

  test('streak in a view ends with a success and with restart(), and retries goes on', async () => {
    let isDown = true;
    const { clock, supervisor, submission } = started({
      restart: 'always',
      intervalMs: 1_000,
      run: () => {
        if (isDown) throw boom;
      },
    });
    await clock.advance(150);
    expect(supervisor.tasks()).toMatchObject([{ status: 'backoff', retries: 2, streak: 2 }]);
    isDown = false;
    await clock.advance(200);
    expect(supervisor.tasks()).toMatchObject([{ status: 'interval', retries: 2, streak: 0 }]);
    isDown = true;
    await clock.advance(1_000);
    expect(supervisor.tasks()).toMatchObject([{ status: 'backoff', retries: 3, streak: 1 }]);
    submission.restart();
    expect(supervisor.tasks()).toMatchObject([{ status: 'starting', retries: 3, streak: 0 }]);
  });

  test('counts an attempt of exactly this length, and none that is shorter', async () => {
    const { clock, delays } = failing([1, 1, 999, 1_000, 1], { stableMs: 1_000 });
    await clock.advance(4_000);
    expect(delays().slice(0, 6)).toEqual([100, 200, 400, 100, 200, 400]);
  });

  test('makes the failure the first one of its streak, so maxRetries 0 allows no retry', async () => {
    const none = failing([DAY], { maxRetries: 0, stableMs: 1 });
    await none.clock.advance(DAY);
    expect(await none.submission.outcome).toMatchObject({ because: 'maxRetries', attempts: 1 });
    const one = failing([5, 5, 500, 5], { maxRetries: 1, stableMs: 500 });
    await one.clock.advance(DAY);
    expect(await one.submission.outcome).toMatchObject({ because: 'maxRetries', attempts: 2 });
    const later = failing([5, 500, 5], { maxRetries: 1, stableMs: 500 });
    await later.clock.advance(DAY);
    expect(await later.submission.outcome).toMatchObject({ because: 'maxRetries', attempts: 3 });
  });

  test('does not touch restartLimit', async () => {
    const restartLimit = { restarts: 2, withinMs: DAY };
    const { clock, submission } = failing([1_000], { restartLimit, stableMs: 1_000 });
    await clock.advance(DAY);
    expect(await submission.outcome).toMatchObject({ because: 'restartLimit', attempts: 3 });
  });

  test('begins the memory of decorrelated jitter again', async () => {
    const backoff = { firstMs: 100, jitter: 'decorrelated' } as const;
    const { clock, delays } = failing([1, 1, 1_000, 1], { backoff, stableMs: 1_000 }, { random: () => 0.5 });
    await clock.advance(3_000);
    expect(delays().slice(0, 4)).toEqual([200, 350, 200, 350]);
  });

  test('does not change the delay that a RetryError asks for, which counts as the first of its streak', async () => {
    const { clock, delays } = started({
      stableMs: 1_000,
      run: async (ctx) => {
        await ctx.sleep(ctx.attempt === 3 ? 1_000 : 1);
        throw ctx.attempt === 3 ? new RetryError('later', { afterMs: 7 }) : boom;
      },
    });
    await clock.advance(2_000);
    expect(delays().slice(0, 4)).toEqual([100, 200, 7, 200]);
  });

  test('applies before retryIf is asked, and not to a FatalError', async () => {
    const refused = failing([DAY], { stableMs: 1, retryIf: () => false });
    await refused.clock.advance(DAY);
    expect(await refused.submission.outcome).toMatchObject({ because: 'retryIf' });
    const fatal = started({
      stableMs: 1,
      run: async (ctx) => {
        await ctx.sleep(DAY);
        throw new FatalError('for good');
      },
    });
    await fatal.clock.advance(DAY);
    expect((await fatal.submission.outcome).kind).toBe('fatal');
  });

  test('may come from the defaults of the supervisor, and Infinity in the spec takes it away', async () => {
    const options = { defaults: { stableMs: 1_000 } };
    const given = failing([1_000], {}, options);
    await given.clock.advance(5_000);
    expect(given.delays()).toEqual([100, 100, 100, 100]);
    const none = failing([1_000], { stableMs: Infinity }, options);
    await none.clock.advance(5_000);
    expect(none.delays()).toEqual([100, 200, 400, 800]);
  });
});

describe('the time that stableMs measures', () => {
  test('ends with the exit of a worker or a process', async () => {
    const { clock, delays } = started({
      stableMs: 1_000,
      run: async (ctx) => {
        await ctx.sleep(1_000);
        throw new ExitError('exit 1', { exitCode: 1 });
      },
    });
    await clock.advance(2_500);
    expect(delays()).toEqual([100, 100]);
  });

  test('ends with the last heartbeat before a stall', async () => {
    const beats = async (ctx: TaskContext, ms: number) => {
      for (let left = ms; left > 0; left -= 50) {
        await ctx.sleep(50);
        ctx.heartbeat();
      }
      return ctx.sleep(Infinity);
    };
    const after = async (ms: number, stallMs: number) => {
      const world = started({ stableMs: 1_000, stallMs, run: (ctx) => beats(ctx, ms) });
      await world.clock.advance(10_000);
      return world.delays().slice(0, 3);
    };
    expect(await after(1_000, 100)).toEqual([100, 100, 100]);
    expect(await after(950, 100)).toEqual([100, 200, 400]);
    expect(await after(0, 2_000)).toEqual([100, 200, 400]); // no heartbeat at all
  });

  test('does not include the time that a stalled body takes to end', async () => {
    const { clock, delays } = started({
      stableMs: 1_000,
      stallMs: 100,
      graceMs: Infinity,
      run: (ctx) => {
        ctx.heartbeat();
        return new Promise((_, reject) => void clock.setTimer(5_000, () => reject(boom)));
      },
    });
    await clock.advance(16_000);
    expect(delays()).toEqual([100, 200, 400]);
  });

  test('does not count for an attempt that timed out, however long it ran', async () => {
    const { clock, delays } = failing([Infinity], { stableMs: 10, timeoutMs: 1_000 });
    await clock.advance(5_000);
    expect(delays()).toEqual([100, 200, 400, 800]);
  });

  test('begins with the call of the body, and ends with its throw: state and aroundAttempt do not count', async () => {
    for (const [bodyMs, expected] of [
      [999, [100, 200, 400]],
      [1_000, [100, 100, 100]],
    ] as const) {
      const world: Failing = failing(
        [bodyMs],
        { stableMs: 1_000, state: () => void world?.clock.block(700) },
        {
          aroundAttempt: async (_, next) => {
            await new Promise<void>((resolve) => void world.clock.setTimer(700, resolve));
            await next().catch(() => {});
            await new Promise<void>((resolve) => void world.clock.setTimer(700, resolve));
          },
        },
      );
      await world.clock.advance(20_000);
      expect(world.delays().slice(0, 3)).toEqual(expected);
    }
  });

  test('is none where the body was never called', async () => {
    const { clock, delays } = started(
      { stableMs: 1_000, run: () => 'never called' },
      { aroundAttempt: () => new Promise((_, reject) => void clock.setTimer(5_000, () => reject(boom))) },
    );
    await clock.advance(16_000);
    expect(delays()).toEqual([100, 200, 400]);
  });

  test('does not include the wait at the gate', async () => {
    const world = failing([1], { stableMs: 1_000 });
    await world.clock.advance(1);
    world.supervisor.pause();
    await world.clock.advance(5_000);
    world.supervisor.resume();
    await world.clock.advance(1);
    expect(world.delays()).toEqual([100, 200]);
  });
});

describe('restartable', () => {
  const run = async (ctx: TaskContext) => {
    await ctx.sleep(60_000);
    throw boom;
  };
  const delaysOf = async (spec: TaskSpec, options?: SupervisorOptions) => {
    const { clock, delays } = started(spec, options);
    await clock.advance(250_000);
    return delays();
  };

  test('has a stableMs of one minute, also where its spec is spread', async () => {
    expect(await delaysOf(restartable(run))).toEqual([100, 100, 100, 100]);
    expect(await delaysOf({ ...restartable(run, { graceMs: 5 }), name: 'spread' })).toEqual([100, 100, 100, 100]);
    expect(await delaysOf({ run, restart: 'onFailure' })).toEqual([100, 200, 400, 800]);
  });

  test('has none where the spec or the defaults give maxRetries or another stableMs', async () => {
    const grows = [100, 200, 400, 800];
    expect(await delaysOf(restartable(run, { maxRetries: 9 }))).toEqual(grows);
    expect(await delaysOf(restartable(run, { stableMs: Infinity }))).toEqual(grows);
    expect(await delaysOf(restartable(run), { defaults: { maxRetries: 9 } })).toEqual(grows);
    expect(await delaysOf(restartable(run), { defaults: { stableMs: 60_001 } })).toEqual(grows);
  });

  test('has it also as the task of a schedule', async () => {
    const { supervisor, clock, recorded } = setup();
    schedule(supervisor, { at: clock.wallNow() + 1, task: restartable(run, { backoff: PLAIN_BACKOFF }) });
    await clock.advance(250_000);
    expect(recorded.of('backoffScheduled').map(({ delayMs }) => delayMs)).toEqual([100, 100, 100, 100]);
  });
});
