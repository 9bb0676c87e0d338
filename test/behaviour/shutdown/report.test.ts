// One shared shutdown with one report.

import { ClosedError, type Outcome, type ShutdownReport, Supervisor, type TaskContext, type TaskSpec } from 'slotvisor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { isSettled, settledAt } from '../../support/settling.ts';
import { setup } from '../../support/setup.ts';

const GRACE = 1_000;

const forever = (): Promise<never> => new Promise(() => {});

const polite = (ctx: TaskContext): Promise<void> => ctx.sleep(Infinity);

const stopped: Outcome = { kind: 'canceled', by: 'shutdown', attempts: 1 };

const NONE = { completed: 0, failed: 0, fatal: 0, canceled: 0, killed: 0, abandoned: 0, rejected: 0 };

describe('one shared operation (section 8)', () => {
  afterEach(() => void vi.useRealTimers());

  test('an idle supervisor reports at once, and leaves nothing', async () => {
    const { supervisor, clock } = setup();
    expect(await isSettled(supervisor.closed)).toBe(false);
    expect([supervisor.phase, supervisor.snapshot().phase]).toEqual(['open', 'open']);
    const report = await supervisor.shutdown();
    expect(report).toEqual({
      withinGrace: true,
      cause: 'caller',
      counts: NONE,
      killed: [],
      abandoned: [],
      eventsDropped: 0,
    });
    expect(await supervisor.closed).toBe(report);
    expect([supervisor.snapshot().phase, clock.now(), clock.timers]).toEqual(['closed', 0, 0]);
  });

  test('the phase is draining from the call on, through grace, force and the last news, and closed with the report', async () => {
    const { supervisor, clock } = setup();
    const phases: string[] = [];
    supervisor.subscribe(async () => {
      await Promise.resolve();
      phases.push(supervisor.phase);
    });
    const overrunning = supervisor.submit({ run: forever });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: GRACE });
    expect(supervisor.phase).toBe('draining');
    await clock.advance(GRACE);
    expect(await overrunning.outcome).toMatchObject({ kind: 'abandoned' });
    await report;
    expect([supervisor.phase, supervisor.snapshot().phase]).toEqual(['closed', 'closed']);
    expect([...new Set(phases)]).toEqual(['open', 'draining']);
  });

  test('later callers join it: one report, told once, also for those who come after the end', async () => {
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
    ['shorter hastens', 10_000, 100, 600],
    ['longer changes nothing', 1_000, 100_000, 1_000],
    ['0 ends it at once', 10_000, 0, 500],
    ['shorter, but due later, changes nothing', 1_000, 900, 1_000],
    ['finite ends an infinite one', Infinity, 100, 600],
  ] as const)
    test(`a second grace, asked for after 500 ms: ${what}`, async () => {
      const world = setup();
      const { supervisor, clock } = world;
      supervisor.submit({ run: forever });
      await clock.settle();
      const report = supervisor.shutdown({ graceMs: first });
      await clock.advance(500);
      void supervisor.shutdown({ graceMs: later });
      expect(await settledAt(world, report)).toBe(at);
      expect(clock.timers).toBe(0);
    });

  test('a submit from an outcome handler during it throws ClosedError there, and harms nothing', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({ slot: 's', run: polite });
    const again = submission.outcome.then(() => supervisor.submit({ slot: 's', run: forever }));
    await clock.settle();
    void supervisor.shutdown();
    await expect(again).rejects.toThrow(ClosedError);
    expect(await supervisor.closed).toMatchObject({ withinGrace: true, counts: { ...NONE, canceled: 1 } });
  });

  test('from inside a body it does not deadlock: the body is itself told to stop', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    let heard: ShutdownReport | undefined;
    const deaf = supervisor.submit({
      name: 'deaf',
      run: async () => {
        heard = await supervisor.shutdown({ graceMs: GRACE });
      },
    });
    expect(await settledAt(world, supervisor.closed)).toBe(GRACE);
    expect(await deaf.outcome).toEqual({ kind: 'abandoned', by: 'shutdown', attempts: 1 });
    expect(heard).toBe(await supervisor.closed);
    expect(heard?.abandoned).toMatchObject([{ name: 'deaf' }]);
    expect(clock.timers).toBe(0);
  });

  test('a body that waits for it only until it is canceled ends within the grace', async () => {
    const { supervisor, clock } = setup();
    const heedful = supervisor.submit({ run: (ctx) => ctx.untilCanceled(supervisor.shutdown()) });
    expect(await heedful.outcome).toEqual(stopped);
    expect(await supervisor.closed).toMatchObject({ withinGrace: true });
    expect(clock.now()).toBe(0);
  });

  test('a subscriber that awaits it is left after its own grace', async () => {
    const world = setup({ subscriberGraceMs: 300 });
    const { supervisor } = world;
    supervisor.subscribe(async () => void (await supervisor.shutdown()));
    const submission = supervisor.submit({ run: polite }); // its first event brings the shutdown
    expect(await settledAt(world, supervisor.closed)).toBe(300);
    expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'shutdown' });
  });

  test('await using ends it with the scope, and waits for the bodies', async () => {
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
    expect(inScope.snapshot()).toMatchObject({ phase: 'closed', running: 0, totals: { canceled: 1 } });
  });

  test('on the platform clock no timer is left either', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const supervisor = new Supervisor();
    supervisor.subscribe(() => {});
    const specs: Partial<TaskSpec>[] = [{ timeoutMs: 1e6 }, { deadlineMs: 1e6 }, { stallMs: 1e6 }];
    for (const spec of specs) supervisor.submit({ ...spec, run: (ctx) => ctx.sleep(1e6) });
    supervisor.submit({ graceMs: 1e6, run: { run: forever, kill: () => {} } });
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(6); // three sleeps, three bounds
    void supervisor.shutdown({ graceMs: GRACE });
    await vi.advanceTimersByTimeAsync(GRACE + 1); // the grace, and a turn for those who end with it
    expect(await supervisor.closed).toMatchObject({ counts: { canceled: 3, killed: 1 } });
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('leaving an `await using` shuts down as its caller would', async () => {
  const { supervisor, recorded } = setup();
  await supervisor[Symbol.asyncDispose]();
  expect(recorded.events[0]).toMatchObject({ type: 'shutdownStarted', cause: 'caller' });
});
