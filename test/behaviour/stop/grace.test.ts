// graceMs: the time that a stopped body has to end.

import { setImmediate as turn } from 'node:timers/promises';
import { type Clock, Supervisor, type TaskContext } from 'slotvisor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { GRACE, running } from '../../support/running-task.ts';
import { setup } from '../../support/setup.ts';

describe('graceMs', () => {
  for (const [what, spec, options, at] of [
    ['the graceMs of the spec comes first', { graceMs: 30 }, { defaults: { graceMs: 10 } }, 30],
    ['the graceMs of the defaults comes second', { graceMs: undefined }, { defaults: { graceMs: 10 } }, 10],
    ['graceMs is 60 s by default', { graceMs: undefined }, {}, 60_000],
    ['shutdownGraceMs changes no graceMs', { graceMs: undefined }, { shutdownGraceMs: 20 }, 60_000],
  ] as const)
    test(what, async () => {
      const { clock, submission } = await running(spec, options);
      void submission.cancel();
      await clock.advance(at - 1);
      expect(submission.status).toBe('stopping');
      await clock.advance(1);
      expect(submission.status).toBe('overrun');
    });

  test('graceMs 0 overruns at once but not within the call, and graceMs Infinity never overruns', async () => {
    const none = await running({ graceMs: 0, onOverrun: 'abandon' });
    void none.submission.cancel();
    expect(none.submission.status).toBe('stopping');
    await none.clock.advance(0);
    expect(await none.submission.outcome).toEqual({ kind: 'abandoned', by: 'caller', attempts: 1 });

    const endless = await running({ graceMs: Infinity, onOverrun: 'abandon' });
    void endless.submission.cancel();
    await endless.clock.advance(1e12);
    expect(endless.submission.status).toBe('stopping');
    expect(endless.clock.timers).toBe(0);
  });

  test('a body that ends within its grace is not killed, and leaves no timer', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const kill = gateBody<void>();
    const submission = supervisor.submit({ run: { run: body.body, kill: kill.body }, graceMs: GRACE });
    await clock.settle();
    void submission.cancel();
    await clock.advance(GRACE - 1);
    body.open('out');
    expect(await submission.outcome).toEqual({ kind: 'canceled', by: 'caller', value: 'out', attempts: 1 });
    expect(clock.timers).toBe(0);
    await clock.advance(GRACE);
    expect(kill.calls).toEqual([]);
  });
});

test('a body that cancels itself and returns in the same turn starts no grace timer', async () => {
  const { supervisor, clock } = setup();
  const received: string[] = [];
  const submission = supervisor.submit({
    graceMs: GRACE,
    run: (ctx) => {
      ctx.onCancel(() => void received.push('stop'));
      void submission.cancel();
      return 'done';
    },
  });
  expect(await submission.outcome).toEqual({ kind: 'canceled', by: 'caller', value: 'done', attempts: 1 });
  await clock.settle();
  expect([clock.timers, received]).toEqual([0, []]);
});

describe('with real timers', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('a body that ends within the turn of its stop request costs no timer', async () => {
    const setTimer = vi.spyOn(globalThis, 'setTimeout');
    const supervisor = new Supervisor({ defaults: { graceMs: 50_000 } });
    const run = (ctx: TaskContext) => new Promise<void>((resolve) => ctx.onCancel(() => resolve()));
    for (let n = 0; n < 100; n += 1) {
      supervisor.submit({ slot: 's', admission: 'replace', run });
      await turn();
    }
    expect(supervisor.stats().totals).toMatchObject({ attempts: 100, canceled: 99 });
    expect(setTimer.mock.calls.map(([, ms]) => ms)).not.toContain(50_000);
  });

  test('the grace begins when the stop request is delivered, however late the event loop has its next turn', async () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const setTimer = vi.spyOn(globalThis, 'setTimeout');
    const supervisor = new Supervisor();
    const body = gateBody<void>();
    const submission = supervisor.submit({ graceMs: GRACE, run: body.body });
    await turn();
    void submission.cancel();
    await Promise.resolve();
    now = GRACE / 4;
    await turn();
    await turn();
    expect(setTimer.mock.calls.map(([, ms]) => ms)).toContain((GRACE * 3) / 4);
    body.open();
    await submission.outcome;
  });
});

test.for([
  ['a clock of the user', () => manualClock()],
  ['fake timers that leave the turns of the event loop alone', () => fakeTimers()],
] as const)('%s may be moved in the turn in which the stop request is delivered', async ([, make]) => {
  const { options, move } = make();
  const supervisor = new Supervisor(options);
  const submission = supervisor.submit({ graceMs: GRACE, run: () => new Promise<void>(() => {}) });
  await turn();
  void submission.cancel();
  await turn();
  move(GRACE);
  vi.useRealTimers();
  expect(submission.status).toBe('overrun');
});

function fakeTimers() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  return { options: {}, move: (ms: number) => void vi.advanceTimersByTime(ms) };
}

function manualClock() {
  let now = 0;
  const timers = new Set<{ readonly dueMs: number; fire(): void }>();
  const clock: Clock = {
    now: () => now,
    wallNow: () => now,
    setTimer(ms, fire) {
      const timer = { dueMs: now + ms, fire };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const move = (ms: number): void => {
    now += ms;
    for (const { dueMs, fire } of timers) if (dueMs <= now) fire();
  };
  return { options: { clock }, move };
}

test('a grace that ends during the kill of a shutdown does not call kill again', async () => {
  const { supervisor, clock, recorded } = setup();
  const kill = gateBody<void>();
  const submission = supervisor.submit({
    graceMs: 2 * GRACE,
    run: { run: () => new Promise(() => {}), kill: kill.body },
  });
  await clock.settle();
  void supervisor.shutdown({ graceMs: GRACE });
  await clock.advance(3 * GRACE);
  expect([kill.calls.length, recorded.of('overrun').length]).toEqual([1, 1]);
  kill.open();
  expect(await submission.outcome).toEqual({ kind: 'killed', by: 'shutdown', attempts: 1 });
});

describe('a short grace', () => {
  test.for([0, 5])('a grace of %i ms is enough for 2,000 bodies that end on their stop request', async (graceMs) => {
    const supervisor = new Supervisor();
    for (let n = 0; n < 2_000; n += 1)
      supervisor.submit({ run: (ctx) => new Promise<void>((resolve) => ctx.onCancel(() => resolve())) });
    while (supervisor.snapshot().totals.attempts < 2_000) await turn();
    const report = await supervisor.shutdown({ graceMs });
    expect(report.abandoned).toEqual([]);
    expect(report.counts.canceled).toBe(2_000);
  });
});
