// The rate of attempt starts over all slots.

import { OptionError, type Submission, Supervisor } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { setup } from '../../support/setup.ts';

describe('rate, counted over all slots, on the clock of the supervisor', () => {
  test('at most `limit` attempts start within any `intervalMs`, and each start as soon as it may', async () => {
    const { supervisor, clock } = setup({ rate: { limit: 2, intervalMs: 1_000 } });
    const starts: number[] = [];
    const submit = (): Submission => supervisor.submit({ run: () => void starts.push(clock.now()) });
    const submissions = [submit()];
    await clock.advance(990);
    submissions.push(submit(), submit(), submit(), submit());
    await clock.advance(5_000);
    expect(starts).toEqual([0, 990, 1_000, 1_990, 2_000]);
    await Promise.all(submissions.map(({ outcome }) => outcome));
    expect(clock.timers).toBe(0);
  });

  test('a window may be longer than a platform timer, and must be finite', () => {
    for (const intervalMs of [0, Infinity, Number.NaN])
      expect(() => new Supervisor({ rate: { limit: 1, intervalMs } })).toThrow(OptionError);
    expect(new Supervisor({ rate: { limit: 1, intervalMs: 2 ** 31 } }).snapshot().phase).toBe('open');
  });

  test('`rate: false` and a limit of Infinity are no rate', async () => {
    for (const rate of [false, { limit: Infinity, intervalMs: 1_000 }] as const) {
      const { supervisor, clock } = setup({ rate });
      for (let n = 0; n < 100; n += 1) supervisor.submit({ run: () => 1 });
      await clock.settle();
      expect([supervisor.snapshot().totals.completed, clock.timers]).toEqual([100, 0]);
    }
  });

  test('a retry counts as a start', async () => {
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
    await clock.advance(1_000);
    expect(starts).toEqual([1, 2]);
    await clock.advance(1_000);
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'maxRetries', attempts: 3 });
  });

  test('a task that waits for the window can be canceled without an attempt, and the next one takes its turn', async () => {
    const { supervisor, clock } = setup({ rate: { limit: 1, intervalMs: 1_000 } });
    const ran: string[] = [];
    const submit = (name: string): Submission => supervisor.submit({ name, run: () => void ran.push(name) });
    submit('first');
    const second = submit('second');
    submit('third');
    await clock.settle();
    expect(await second.cancel()).toEqual({ kind: 'canceled', by: 'caller', attempts: 0 });
    await clock.advance(1_000);
    expect(ran).toEqual(['first', 'third']);
  });

  test('a task that is canceled between its place and its body takes no start from the next one', async () => {
    const { supervisor, clock } = setup({ rate: { limit: 1, intervalMs: 1_000 } });
    const canceled = supervisor.submit({ run: () => 1 });
    const next = supervisor.submit({ run: () => 2 });
    void canceled.cancel();
    await clock.settle();
    expect([(await next.outcome).kind, clock.now()]).toEqual(['completed', 0]);
  });

  test('tasks that wait for the window take no place of `concurrency`, and keep their order by priority', async () => {
    const { supervisor, clock } = setup({ concurrency: 2, rate: { limit: 1, intervalMs: 1_000 } });
    const body = gateBody();
    for (const [name, priority] of Object.entries({ first: 0, low: -1, usual: 0 }))
      supervisor.submit({ name, priority, run: body.body });
    await clock.advance(999);
    supervisor.submit({ name: 'high', priority: 1, run: body.body });
    await clock.advance(1);
    expect(body.calls.map(({ name }) => name)).toEqual(['first', 'high']);
    await clock.advance(10_000);
    body.open('first');
    await clock.settle();
    expect(body.calls.map(({ name }) => name)).toEqual(['first', 'high', 'usual']);
  });

  test('a pause ends no window early, and keeps no timer', async () => {
    const { supervisor, clock } = setup({ rate: { limit: 1, intervalMs: 1_000 } });
    const starts: number[] = [];
    for (let n = 0; n < 3; n += 1) supervisor.submit({ run: () => void starts.push(clock.now()) });
    await clock.advance(500);
    supervisor.pause();
    expect(clock.timers).toBe(0);
    await clock.advance(100);
    supervisor.resume();
    await clock.advance(500);
    supervisor.pause();
    await clock.advance(5_000);
    supervisor.resume();
    await clock.settle();
    expect(starts).toEqual([0, 1_000, 6_100]);
  });

  for (const [what, use] of [
    ['an instant task', async () => {}],
    [
      'tasks that waited for the window and were canceled',
      async (world: ReturnType<typeof setup>) => {
        const waiting = [1, 2, 3].map(() => world.supervisor.submit({ run: () => 1 }));
        await world.clock.settle();
        expect(world.clock.timers).toBe(1);
        await Promise.all(waiting.map((one) => one.cancel()));
      },
    ],
    [
      'a task that waited for the window',
      async (world: ReturnType<typeof setup>) => {
        const later = world.supervisor.submit({ run: () => 1 });
        await world.clock.advance(3_600_000);
        await later.outcome;
      },
    ],
  ] as const)
    test(`an idle supervisor holds no timer of the window after ${what}`, async () => {
      const world = setup({ rate: { limit: 1, intervalMs: 3_600_000 } });
      await world.supervisor.submit({ run: () => 1 }).outcome;
      await use(world);
      await world.clock.settle();
      expect(world.clock.timers).toBe(0);
    });

  test('a shutdown leaves no timer of the window', async () => {
    const { supervisor, clock } = setup({ rate: { limit: 1, intervalMs: 3_600_000 } });
    const body = gateBody();
    supervisor.submit({ run: body.body });
    const waiting = supervisor.submit({ run: body.body });
    await clock.settle();
    expect(clock.timers).toBe(1);
    const report = supervisor.shutdown();
    expect(await waiting.outcome).toEqual({ kind: 'canceled', by: 'shutdown', attempts: 0 });
    body.open('end');
    await report;
    await clock.settle();
    expect(clock.timers).toBe(0);
  });
});
