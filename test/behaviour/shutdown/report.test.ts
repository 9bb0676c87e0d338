// One shared shutdown with one report.

import { ClosedError, type ShutdownReport, Supervisor, type TaskSpec } from 'slotvisor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { never, polite } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { stoppedByShutdown, ZERO_COUNTS } from '../../support/outcomes.ts';
import { isSettled, settledAt } from '../../support/settling.ts';
import { setup } from '../../support/setup.ts';

const GRACE = 1_000;

describe('a shutdown is one shared operation', () => {
  afterEach(() => void vi.useRealTimers());

  test('the shutdown of an idle supervisor reports at once and leaves nothing', async () => {
    const { supervisor, clock } = setup();
    expect(await isSettled(supervisor.closed)).toBe(false);
    expect([supervisor.phase, supervisor.snapshot().phase]).toEqual(['open', 'open']);
    const report = await supervisor.shutdown();
    expect(report).toEqual({
      clean: true,
      cause: 'caller',
      counts: ZERO_COUNTS,
      killed: [],
      abandoned: [],
      eventsDropped: 0,
    });
    expect(await supervisor.closed).toBe(report);
    expect([supervisor.snapshot().phase, clock.now(), clock.timers]).toEqual(['closed', 0, 0]);
  });

  test('the phase is closing from the call to the last event, and closed with the report', async () => {
    const { supervisor, clock } = setup();
    const phases: string[] = [];
    supervisor.subscribe(async () => {
      await Promise.resolve();
      phases.push(supervisor.phase);
    });
    const overrunning = supervisor.submit({ run: never });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: GRACE });
    expect(supervisor.phase).toBe('closing');
    await clock.advance(GRACE);
    expect(await overrunning.outcome).toMatchObject({ kind: 'abandoned' });
    await report;
    expect([supervisor.phase, supervisor.snapshot().phase]).toEqual(['closed', 'closed']);
    expect([...new Set(phases)]).toEqual(['open', 'closing']);
  });

  test('every later call of shutdown() gets the same report, and its events are published once', async () => {
    const { supervisor, clock, recorded } = setup();
    supervisor.submit({ run: polite });
    await clock.settle();
    const reports = await Promise.all([supervisor.shutdown(), supervisor.shutdown(), supervisor.closed]);
    reports.push(await supervisor.shutdown({ graceMs: 0 }));
    expect(new Set(reports).size).toBe(1);
    expect(recorded.of('shutdownStarted')).toHaveLength(1);
    expect(recorded.of('shutdownFinished')).toHaveLength(1);
  });

  for (const [what, first, later, at] of [
    ['a shorter one ends it earlier', 10_000, 100, 600],
    ['a longer one changes nothing', 1_000, 100_000, 1_000],
    ['a grace of 0 ends it at once', 10_000, 0, 500],
    ['a shorter one that is due later changes nothing', 1_000, 900, 1_000],
    ['a finite one ends an infinite one', Infinity, 100, 600],
  ] as const)
    test(`a second shutdown after 500 ms sets the grace: ${what}`, async () => {
      const world = setup();
      const { supervisor, clock } = world;
      supervisor.submit({ run: never });
      await clock.settle();
      const report = supervisor.shutdown({ graceMs: first });
      await clock.advance(500);
      void supervisor.shutdown({ graceMs: later });
      expect(await settledAt(world, report)).toBe(at);
      expect(clock.timers).toBe(0);
    });

  test('a submit() in an outcome handler during a shutdown throws ClosedError there and affects nothing else', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({ slot: 's', run: polite });
    const again = submission.outcome.then(() => supervisor.submit({ slot: 's', run: never }));
    await clock.settle();
    void supervisor.shutdown();
    await expect(again).rejects.toThrow(ClosedError);
    expect(await supervisor.closed).toMatchObject({ clean: true, counts: { ...ZERO_COUNTS, canceled: 1 } });
  });

  test('a body that awaits shutdown() does not deadlock, because it gets its own stop request', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    let received: ShutdownReport | undefined;
    const waiting = supervisor.submit({
      name: 'waiting',
      run: async () => {
        received = await supervisor.shutdown({ graceMs: GRACE });
      },
    });
    expect(await settledAt(world, supervisor.closed)).toBe(GRACE);
    expect(await waiting.outcome).toEqual({ kind: 'abandoned', by: 'shutdown', attempts: 1 });
    expect(received).toBe(await supervisor.closed);
    expect(received?.abandoned).toMatchObject([{ name: 'waiting' }]);
    expect(clock.timers).toBe(0);
  });

  test('a body that awaits shutdown() with untilCanceled() ends within the grace', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({ run: (ctx) => ctx.untilCanceled(supervisor.shutdown()) });
    expect(await submission.outcome).toEqual(stoppedByShutdown);
    expect(await supervisor.closed).toMatchObject({ clean: true });
    expect(clock.now()).toBe(0);
  });

  test('a subscriber that awaits shutdown() is abandoned after subscriberGraceMs', async () => {
    const world = setup({ subscriberGraceMs: 300 });
    const { supervisor } = world;
    supervisor.subscribe(async () => void (await supervisor.shutdown()));
    const submission = supervisor.submit({ run: polite }); // its first event starts the shutdown
    expect(await settledAt(world, supervisor.closed)).toBe(300);
    expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'shutdown' });
  });

  test('`await using` shuts the supervisor down at the end of the scope and waits for the bodies', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    supervisor.submit({ run: body.body });
    await clock.settle();
    const disposed = supervisor[Symbol.asyncDispose]();
    expect(await isSettled(disposed)).toBe(false);
    body.open('out');
    expect(await disposed).toBeUndefined();
    let inScope: Supervisor;
    {
      await using own = new Supervisor({ clock });
      inScope = own;
      own.submit({ run: polite });
      await clock.settle();
    }
    expect(inScope.snapshot()).toMatchObject({ phase: 'closed', owners: 0, totals: { canceled: 1 } });
  });

  test('a shutdown leaves no timer on the platform clock', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const supervisor = new Supervisor();
    supervisor.subscribe(() => {});
    const specs: Partial<TaskSpec>[] = [{ timeoutMs: 1e6 }, { deadlineMs: 1e6 }, { stallMs: 1e6 }];
    for (const spec of specs) supervisor.submit({ ...spec, run: (ctx) => ctx.sleep(1e6) });
    supervisor.submit({ graceMs: 1e6, run: { run: never, kill: () => {} } });
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(6); // three sleeps, three time limits
    void supervisor.shutdown({ graceMs: GRACE });
    await vi.advanceTimersByTimeAsync(GRACE + 1); // the grace, and one turn for the bodies that end with it
    expect(await supervisor.closed).toMatchObject({ counts: { canceled: 3, killed: 1 } });
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('the end of an `await using` scope shuts down with the cause caller', async () => {
  const { supervisor, recorded } = setup();
  await supervisor[Symbol.asyncDispose]();
  expect(recorded.events[0]).toMatchObject({ type: 'shutdownStarted', cause: 'caller' });
});
