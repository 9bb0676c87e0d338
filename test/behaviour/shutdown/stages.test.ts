// The stages of a shutdown: when each task is asked to stop.

import type { Submission, SupervisorOptions, TaskSpec } from 'slotvisor';
import { describe, expect, test, vi } from 'vitest';
import { LiveSlot } from '../../../src/engine/live-slot.ts';
import { WaitingLine } from '../../../src/policy/waiting-line.ts';
import { CONSTANT_BACKOFF, never, polite } from '../../support/bodies.ts';
import { type GateBody, gateBody } from '../../support/gate.ts';
import { completed, rejected, stoppedByShutdown } from '../../support/outcomes.ts';
import { setup } from '../../support/setup.ts';

const GRACE = 12_000;

interface Stopped {
  readonly body: GateBody<string>;
  readonly submission: Submission;
  /** When its body was asked to stop; undefined while it was not. */
  readonly atMs: number | undefined;
}

function world(options: SupervisorOptions = {}) {
  const made = setup({ shutdownGraceMs: GRACE, ...options });
  const { supervisor, clock } = made;
  const start = (shutdownStage: number | undefined, spec: Partial<TaskSpec> = {}): Stopped => {
    const body = gateBody();
    let atMs: number | undefined;
    const submission = supervisor.submit({
      ...(shutdownStage !== undefined && { shutdownStage }),
      run: (ctx) => {
        ctx.onCancel(() => {
          atMs = clock.now();
        });
        return body.body(ctx);
      },
      ...spec,
    });
    return {
      body,
      submission,
      get atMs() {
        return atMs;
      },
    };
  };
  return { ...made, start, stage: (shutdownStage: number) => start(shutdownStage) };
}

const times = (tasks: readonly Stopped[]) => tasks.map(({ atMs }) => atMs);

describe('the stages of a shutdown', () => {
  test('are asked to stop one after the other, the lowest first, negative ones before 0, whatever the order of start', async () => {
    const { start, supervisor, clock } = world();
    const order: string[] = [];
    for (const stage of [7, undefined, -3, 2])
      start(stage, { name: `${stage}`, run: (ctx) => ctx.sleep(Infinity).catch(() => String(order.push(ctx.name))) });
    await clock.settle();
    const report = await supervisor.shutdown();
    expect(order).toEqual(['-3', 'undefined', '2', '7']);
    expect([report.clean, clock.now(), clock.timers]).toEqual([true, 0, 0]);
  });

  test('a stage begins once the last owner of the stage before has ended, and leaves later ones alone until then', async () => {
    const { stage, supervisor, clock } = world();
    const [a, b, c, d] = [stage(0), stage(0), stage(1), stage(2)];
    await clock.settle();
    void supervisor.shutdown();
    await clock.settle();
    expect(times([a, b, c, d])).toEqual([0, 0, undefined, undefined]);
    expect(c.submission.status).toBe('running');
    a.body.open('out');
    await clock.advance(100);
    expect(c.atMs).toBeUndefined();
    b.body.open('out');
    await clock.advance(100);
    expect(times([c, d])).toEqual([100, undefined]);
    c.body.open('out');
    await clock.settle();
    expect(d.atMs).toBe(200);
    d.body.open('out');
    expect(await d.submission.outcome).toEqual({ ...stoppedByShutdown, value: 'out' });
    expect((await supervisor.closed).clean).toBe(true);
  });

  test('a stage lasts at most an equal share of what is left of the grace', async () => {
    const { stage, supervisor, clock } = world();
    const tasks = [0, 1, 2].map(stage);
    await clock.settle();
    void supervisor.shutdown();
    await clock.advance(GRACE);
    expect(times(tasks)).toEqual([0, 4_000, 8_000]);
    const { abandoned } = await supervisor.closed;
    expect([abandoned.length, clock.now()]).toEqual([3, GRACE]);
  });

  test('what a stage leaves of its share is for the later ones', async () => {
    const { stage, supervisor, clock } = world();
    const tasks = [0, 1, 2].map(stage);
    await clock.settle();
    void supervisor.shutdown();
    await clock.advance(2_000);
    tasks[0]?.body.open('out');
    await clock.advance(5_000); // the second has half of the 10,000 ms that are left
    expect(times(tasks)).toEqual([0, 2_000, 7_000]);
  });

  test('a stage without an owner and without a waiting finisher takes no share', async () => {
    const { stage, supervisor, clock } = world();
    const [a, gone, c] = [stage(0), stage(1), stage(2)];
    await clock.settle();
    gone.body.open('ended before');
    await clock.settle();
    supervisor.submit({ slot: gone.submission.slot, shutdownStage: 1, run: () => {} });
    await clock.settle();
    void supervisor.shutdown();
    await clock.advance(GRACE / 2);
    expect(times([a, c])).toEqual([0, 6_000]);
  });

  test('an owner that has overrun its own grace does not hold its stage, and keeps its place in the report', async () => {
    const { stage, start, supervisor, clock } = world();
    const [stuck, next] = [start(0, { name: 'stuck', graceMs: 10 }), stage(1)];
    await clock.settle();
    void supervisor.shutdown();
    await clock.advance(10);
    expect([stuck.submission.status, next.atMs]).toEqual(['overrun', 10]);
    next.body.open('out');
    await clock.advance(GRACE);
    const { abandoned, clean } = await supervisor.closed;
    expect([abandoned.map(({ name }) => name), clean]).toEqual([['stuck'], false]);
  });

  test('an owner of a later stage goes on with its retries, its intervals and its fresh state', async () => {
    const { start, supervisor, clock } = world();
    const first = start(0);
    const attempts: string[] = [];
    const run = (name: string, fails: boolean) => () => {
      attempts.push(name);
      if (fails) throw new Error('no');
      return 'one';
    };
    start(1, { backoff: CONSTANT_BACKOFF, run: run('retry', true) });
    start(1, { restart: 'always', intervalMs: 100, run: run('repeat', false) });
    await clock.settle();
    void supervisor.shutdown();
    await clock.advance(250);
    expect(attempts.sort()).toEqual(['repeat', 'repeat', 'repeat', 'retry', 'retry', 'retry']);
    first.body.open('out');
    await clock.advance(10_000);
    expect(attempts).toHaveLength(6);
  });

  test('an owner of a later stage that ends by itself meanwhile completes', async () => {
    const { stage, supervisor, clock } = world();
    const [first, later] = [stage(0), stage(1)];
    await clock.settle();
    void supervisor.shutdown();
    later.body.open('done');
    expect(await later.submission.outcome).toEqual(completed('done'));
    first.body.open('out');
    expect((await supervisor.closed).counts).toMatchObject({ completed: 1, canceled: 1 });
  });

  test('what waits is rejected at once in every stage, and restart() is refused before the stage begins', async () => {
    const { stage, supervisor, clock } = world();
    const [, later] = [stage(0), stage(1)];
    const waiting = supervisor.submit({ slot: later.submission.slot, shutdownStage: 5, run: never });
    await clock.settle();
    void supervisor.shutdown();
    expect(await waiting.outcome).toEqual(rejected('shuttingDown'));
    expect([later.submission.status, later.submission.restart()]).toEqual(['running', false]);
  });

  test('the default of defaults.shutdownStage holds, and a spec overrides it', async () => {
    const { start, supervisor, clock } = world({ defaults: { shutdownStage: 4 } });
    const [later, first] = [start(undefined), start(3)];
    await clock.settle();
    void supervisor.shutdown();
    await clock.settle();
    expect(times([first, later])).toEqual([0, undefined]);
  });
});

describe('a finisher and its stage', () => {
  const finish = { onShutdown: 'finish' } as const;

  test('a finisher that waits in its slot makes the owner before it stop in the lower stage of the two', async () => {
    const { start, stage, supervisor, clock } = world();
    const first = stage(0);
    const owner = start(5, { slot: 's' });
    const waiting = start(1, { slot: 's', ...finish });
    const last = stage(2);
    await clock.settle();
    void supervisor.shutdown();
    first.body.open('out');
    await clock.advance(10);
    expect(times([owner, last])).toEqual([0, undefined]); // in stage 1, before stage 2
    owner.body.open('out');
    await clock.advance(10);
    expect([waiting.submission.status, last.atMs]).toEqual(['running', undefined]); // it holds its stage
    waiting.body.open('saved');
    await clock.settle();
    expect(await waiting.submission.outcome).toEqual(completed('saved'));
    expect(last.atMs).toBe(20);
  });

  test('the lowest stage of all finishers that wait in a slot counts, also behind one of a higher stage', async () => {
    const { start, stage, supervisor, clock } = world();
    const owner = start(5, { slot: 's' });
    const waiting = [start(4, { slot: 's', ...finish }), start(1, { slot: 's', ...finish })];
    const last = stage(2);
    await clock.settle();
    void supervisor.shutdown();
    await clock.settle();
    expect(times([owner, last])).toEqual([0, undefined]); // in stage 1, before stage 2
    for (const { body } of [owner, ...waiting]) {
      expect(last.atMs).toBeUndefined();
      body.open('out');
      await clock.settle();
    }
    expect(last.atMs).toBe(0);
  });

  test('an owner holds the stage in which it was stopped, also when the finisher behind it leaves', async () => {
    const { start, supervisor, clock } = world();
    const owner = start(0, { slot: 's', onShutdown: 'finish' });
    const behind = start(-1, { slot: 's', onShutdown: 'finish' });
    const later = start(0);
    await clock.settle();
    void supervisor.shutdown();
    void behind.submission.cancel();
    await clock.settle();
    expect(later.atMs).toBe(undefined);
    owner.body.open('done');
    await clock.settle();
    expect(later.atMs).toBe(0);
  });

  test('a finisher of a later stage goes on before its stage begins, and gets the finish time from the call on', async () => {
    const { start, stage, supervisor, clock } = world({ finishMs: 7_000 });
    const [first, later] = [stage(0), start(1, finish)];
    await clock.settle();
    void supervisor.shutdown();
    await clock.advance(6_999); // stage 1 began at 6,000
    expect(later.atMs).toBeUndefined();
    await clock.advance(1);
    expect(later.atMs).toBe(7_000);
    first.body.open('out');
    later.body.open('out');
  });

  test('the end of the finish time stops no finisher of a stage that has not begun', async () => {
    const { start, stage, supervisor, clock } = world({ finishMs: 1_000 });
    const [first, later] = [stage(0), start(1, finish)];
    await clock.settle();
    void supervisor.shutdown();
    await clock.advance(5_999);
    expect([later.atMs, later.submission.status]).toEqual([undefined, 'running']);
    await clock.advance(1);
    expect(later.atMs).toBe(6_000); // its stage begins, and its finish time is over
    first.body.open('out');
    later.body.open('out');
    expect(await later.submission.outcome).toEqual({ ...stoppedByShutdown, value: 'out' });
  });

  test('a stage that only waiting finishers hold is over with the finish time', async () => {
    const { start, stage, supervisor, clock } = world({ finishMs: 1_000 });
    supervisor.slot('paused').pause();
    start(0, { slot: 'paused', ...finish });
    const later = stage(1);
    await clock.settle();
    void supervisor.shutdown();
    await clock.advance(999);
    expect(later.atMs).toBeUndefined();
    await clock.advance(1);
    expect(later.atMs).toBe(1_000);
    later.body.open('out');
  });

  test('the end of the finish time rejects finishers that wait in every stage', async () => {
    const { start, stage, supervisor, clock } = world({ finishMs: 1_000 });
    stage(0);
    const later = stage(1);
    supervisor.slot('paused').pause();
    const waiting = [start(1, { slot: 'paused', ...finish }), start(9, { slot: later.submission.slot, ...finish })];
    await clock.settle();
    void supervisor.shutdown();
    await clock.advance(999);
    expect(waiting.map(({ submission }) => submission.status)).toEqual(['queued', 'queued']);
    await clock.advance(1);
    for (const { submission } of waiting) expect(await submission.outcome).toEqual(rejected('shuttingDown'));
  });
});

describe('a later call of shutdown', () => {
  test('shortens the present stage to its share of what is now left', async () => {
    const { stage, supervisor, clock } = world();
    const tasks = [0, 1, 2].map(stage);
    await clock.settle();
    void supervisor.shutdown();
    await clock.advance(100);
    void supervisor.shutdown({ graceMs: 300 }); // 100 for each
    await clock.advance(300);
    expect(times(tasks)).toEqual([0, 200, 300]);
    expect([(await supervisor.closed).abandoned.length, clock.now()]).toEqual([3, 400]);
  });

  test('with a longer grace puts nothing off, however often it comes', async () => {
    const { stage, supervisor, clock } = world();
    const tasks = [0, 1, 2].map(stage);
    await clock.settle();
    void supervisor.shutdown();
    for (let n = 0; n < 120; n += 1) {
      await clock.advance(100);
      void supervisor.shutdown({ graceMs: 1e9 });
    }
    expect(times(tasks)).toEqual([0, 4_000, 8_000]);
    expect((await supervisor.closed).abandoned).toHaveLength(3);
  });

  test('with a grace of 0 asks every stage to stop within the call, and then forces', async () => {
    const { stage, start, supervisor, clock } = world();
    const tasks = [stage(0), stage(1), start(2, { onShutdown: 'finish' })];
    await clock.settle();
    void supervisor.shutdown();
    await clock.advance(50);
    void supervisor.shutdown({ graceMs: 0 });
    expect(tasks.map(({ submission }) => submission.status)).toEqual(['stopping', 'stopping', 'stopping']);
    await clock.settle();
    await clock.advance(0);
    expect(times(tasks)).toEqual([0, 50, 50]);
    expect([(await supervisor.closed).abandoned.length, clock.now()]).toEqual([3, 50]);
  });
});

test('a grace of 0 asks all stages to stop at once, and each body gets its stop request before it is forced', async () => {
  const { stage, start, supervisor, clock } = world();
  const tasks = [0, 1, 2].map(stage);
  const kind = start(3, { run: polite });
  await clock.settle();
  const report = supervisor.shutdown({ graceMs: 0 });
  await clock.advance(0);
  expect(times(tasks)).toEqual([0, 0, 0]);
  expect(await kind.submission.outcome).toEqual(stoppedByShutdown);
  expect((await report).abandoned).toHaveLength(3);
});

test('a shutdown of many slots looks at each of them a few times, however many there are', async () => {
  const looks = async (slots: number): Promise<number> => {
    const spies = (['catchUp', 'tell', 'holds'] as const).map((method) => vi.spyOn(LiveSlot.prototype, method));
    const { supervisor, clock } = setup();
    for (let n = 0; n < slots; n += 1) supervisor.submit({ shutdownStage: n % 2, run: polite });
    await clock.settle();
    await supervisor.shutdown();
    const calls = spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    for (const spy of spies) spy.mockRestore();
    return calls / slots;
  };
  const [few, many] = [await looks(100), await looks(10_000)];
  expect(many).toBeLessThanOrEqual(few + 1);
  expect(many).toBeLessThan(15);
});

test('what starts or leaves in a shutdown costs the same, however many finishers of a later stage wait in its slot', async () => {
  const looks = async (waiting: number): Promise<number> => {
    const walk = WaitingLine.prototype[Symbol.iterator];
    let looked = 0;
    const spy = vi.spyOn(WaitingLine.prototype, Symbol.iterator).mockImplementation(function* (
      this: typeof WaitingLine.prototype,
    ) {
      for (const entry of walk.call(this)) {
        looked += 1;
        yield entry;
      }
    });
    const { supervisor, clock } = setup({ slotDefaults: { queueLimit: Infinity } });
    supervisor.submit({ slot: 'earlier', run: never });
    await clock.settle();
    const finishers = Array.from({ length: waiting }, () =>
      supervisor.submit({ slot: 's', shutdownStage: 1, onShutdown: 'finish', run: () => 'finished' }),
    );
    const report = supervisor.shutdown({ graceMs: 1_000 });
    for (const one of finishers.slice(waiting / 2)) void one.cancel();
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ owners: 1, totals: { completed: waiting / 2 } });
    await clock.advance(1_000);
    await report;
    spy.mockRestore();
    return looked / waiting;
  };
  const [few, many] = [await looks(50), await looks(1_000)];
  expect(many).toBeLessThanOrEqual(few + 1);
});
