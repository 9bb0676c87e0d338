// The rate of attempt starts over all slots.

import { OptionError, type Submission, Supervisor } from 'slotvisor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { setup } from '../../support/setup.ts';

describe('rate, counted over all slots, with a window on platform timers', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Fakes the timers and the clock of the window. The turns of the event loop stay real. */
  const withFakeTimers = (): void => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
  };

  test('at most `limit` attempts start within a window, and the rest start window by window', async () => {
    withFakeTimers();
    const { supervisor, clock } = setup({ rate: { limit: 2, intervalMs: 1_000 } });
    let starts = 0;
    const run = (): void => {
      starts += 1;
    };
    const submissions = Array.from({ length: 5 }, () => supervisor.submit({ run }));
    for (const expected of [2, 4, 5]) {
      await clock.settle();
      expect(starts).toBe(expected);
      await vi.advanceTimersByTimeAsync(999);
      await clock.settle();
      expect(starts).toBe(expected);
      await vi.advanceTimersByTimeAsync(1);
    }
    await Promise.all(submissions.map(({ outcome }) => outcome));
  });

  test('a window longer than a platform timer allows is an invalid option', () => {
    expect(() => new Supervisor({ rate: { limit: 1, intervalMs: 2 ** 31 } })).toThrow(OptionError);
    expect(new Supervisor({ rate: { limit: 1, intervalMs: 2 ** 31 - 1 } }).snapshot().phase).toBe('open');
  });

  test('a retry counts as a start', async () => {
    withFakeTimers();
    const { supervisor, clock } = setup({ rate: { limit: 1, intervalMs: 1_000 } });
    const starts: number[] = [];
    const submission = supervisor.submit({
      backoff: { firstMs: 0 },
      maxRetries: 2,
      run: (ctx) => {
        starts.push(ctx.attempt);
        throw new Error('no');
      },
    });
    await clock.settle();
    expect(starts).toEqual([1]);
    expect(submission.status).toBe('starting');
    await vi.advanceTimersByTimeAsync(1_000);
    await clock.settle();
    expect(starts).toEqual([1, 2]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'maxRetries', attempts: 3 });
  });

  test('a task that waits for the window can be canceled without an attempt, and the next one takes its turn', async () => {
    withFakeTimers();
    const { supervisor, clock } = setup({ rate: { limit: 1, intervalMs: 1_000 } });
    const ran: string[] = [];
    const submit = (name: string): Submission => supervisor.submit({ name, run: () => void ran.push(name) });
    submit('first');
    const second = submit('second');
    submit('third');
    await clock.settle();
    expect(await second.cancel()).toEqual({ kind: 'canceled', by: 'caller', attempts: 0 });
    await vi.advanceTimersByTimeAsync(1_000);
    await clock.settle();
    expect(ran).toEqual(['first', 'third']);
  });

  for (const [what, use] of [
    ['an instant task', async () => {}],
    [
      'tasks that waited for the window and were canceled',
      async (world: ReturnType<typeof setup>) => {
        const waiting = [1, 2, 3].map(() => world.supervisor.submit({ run: () => 1 }));
        await world.clock.settle();
        await Promise.all(waiting.map((one) => one.cancel()));
      },
    ],
    [
      'a task that runs within a later window',
      async (world: ReturnType<typeof setup>) => {
        const later = world.supervisor.submit({ run: () => 1 });
        await vi.advanceTimersByTimeAsync(3_600_000);
        await later.outcome;
      },
    ],
  ] as const)
    test(`an idle supervisor holds no timer of the window after ${what}`, async () => {
      withFakeTimers();
      const world = setup({ rate: { limit: 1, intervalMs: 3_600_000 } });
      await world.supervisor.submit({ run: () => 1 }).outcome;
      await use(world);
      await world.clock.settle();
      expect(vi.getTimerCount()).toBe(0);
    });

  test('a shutdown leaves no timer of the window', async () => {
    withFakeTimers();
    const { supervisor, clock } = setup({ rate: { limit: 1, intervalMs: 3_600_000 } });
    const body = gateBody();
    supervisor.submit({ run: body.body });
    const waiting = supervisor.submit({ run: body.body });
    await clock.settle();
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    const report = supervisor.shutdown();
    expect(await waiting.outcome).toEqual({ kind: 'canceled', by: 'shutdown', attempts: 0 });
    body.open('end');
    await report;
    await clock.settle();
    expect(vi.getTimerCount()).toBe(0);
    expect(clock.timers).toBe(0);
  });

  test('after the grace of a shutdown an abandoned body holds no timer of the window', async () => {
    withFakeTimers();
    const { supervisor, clock } = setup({ rate: { limit: 1, intervalMs: 3_600_000 } });
    supervisor.submit({ run: gateBody().body });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: 10 });
    await clock.advance(10);
    expect((await report).abandoned).toHaveLength(1);
    await clock.settle();
    expect(vi.getTimerCount()).toBe(0);
  });
});
