// What a shutdown does with bodies that outlast its grace.

import type { ShutdownReport } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { CONSTANT_BACKOFF, never, polite } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { ZERO_COUNTS } from '../../support/outcomes.ts';
import { settledAt } from '../../support/settling.ts';
import { setup } from '../../support/setup.ts';

const GRACE = 1_000;

/** The time in ms that a killed task has to exit before it is abandoned. */
const PATIENCE = 5_000;

describe('bodies that outlast the grace of a shutdown', () => {
  test('the report lists the killed and the abandoned tasks with their views', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    const late = gateBody();
    const meta = { owner: 'billing' };
    const stubborn = supervisor.submit({ name: 'stubborn', slot: 'a', meta, run: late.body });
    const worker = supervisor.submit({ name: 'worker', slot: 'b', run: { run: never, kill: () => {} } });
    supervisor.submit({ name: 'polite', run: polite });
    supervisor.submit({ name: 'fast', run: () => 'done' });
    await clock.settle();
    const promise = supervisor.shutdown({ graceMs: GRACE });
    expect(await settledAt(world, promise)).toBe(GRACE);
    const report = await promise;
    const { id } = stubborn;
    expect(report).toEqual({
      clean: false,
      cause: 'caller',
      counts: { ...ZERO_COUNTS, completed: 1, canceled: 1, killed: 1, abandoned: 1 },
      killed: [expect.objectContaining({ id: worker.id, name: 'worker', slot: 'b', attempt: 1, status: 'ended' })],
      abandoned: [expect.objectContaining({ id, name: 'stubborn', slot: 'a', attempt: 1, status: 'overrun', meta })],
      eventsDropped: 0,
    } satisfies Record<Exclude<keyof ShutdownReport, 'dead'>, unknown>);
    expect(await stubborn.outcome).toEqual({ kind: 'abandoned', by: 'shutdown', attempts: 1 });
    expect(await worker.outcome).toEqual({ kind: 'killed', by: 'shutdown', attempts: 1 });
  });

  test('abandonedAlive counts an abandoned body until it ends, during and after the shutdown', async () => {
    const { supervisor, clock } = setup();
    const bodies = [gateBody(), gateBody()];
    for (const { body } of bodies) supervisor.submit({ run: body });
    const slow = supervisor.submit({ run: { run: never, kill: never } });
    await clock.settle();
    void supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(GRACE);
    expect([supervisor.snapshot().abandonedAlive, slow.status]).toEqual([2, 'overrun']);
    bodies[0]?.open('late');
    await clock.settle();
    expect(supervisor.snapshot().abandonedAlive).toBe(1);
    await clock.advance(PATIENCE);
    expect((await supervisor.closed).abandoned).toHaveLength(3); // every abandoned task stays listed
    expect(supervisor.snapshot()).toMatchObject({ phase: 'closed', abandonedAlive: 2 });
    bodies[1]?.fail(new Error('later still'));
    await clock.settle();
    expect(supervisor.snapshot().abandonedAlive).toBe(1);
  });

  test('a kill that resolves after its body was abandoned proves the end', async () => {
    const { supervisor, clock } = setup();
    const kill = gateBody<void>();
    supervisor.submit({ run: { run: never, kill: kill.body } });
    await clock.settle();
    void supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(GRACE + PATIENCE);
    expect(supervisor.snapshot()).toMatchObject({ phase: 'closed', abandonedAlive: 1 });
    kill.open();
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ abandonedAlive: 0, totals: { abandoned: 1, killed: 0 } });
  });

  test('a kill that failed earlier is called once more at once when the grace of the shutdown ends', async () => {
    const { supervisor, clock } = setup();
    let kills = 0;
    const kill = () => {
      kills += 1;
      if (kills === 1) throw new Error('not this time');
    };
    const submission = supervisor.submit({ graceMs: 10, run: { run: never, kill } });
    await clock.settle();
    void submission.cancel();
    await clock.advance(10);
    expect([kills, submission.status]).toEqual([1, 'overrun']);
    void supervisor.shutdown({ graceMs: 500 }); // the next call would come after 1 s
    await clock.advance(499);
    expect(kills).toBe(1);
    await clock.advance(1);
    expect(await submission.outcome).toEqual({ kind: 'killed', by: 'caller', attempts: 1 });
    expect((await supervisor.closed).abandoned).toEqual([]);
    expect([kills, clock.timers]).toEqual([2, 0]);
  });

  test('a kill that fails when the grace of the shutdown ends is called again within its 5 s, and not after', async () => {
    const { supervisor, clock, recorded } = setup();
    const calledAt: number[] = [];
    const kill = () => {
      calledAt.push(clock.now());
      throw new Error('no such process');
    };
    const submission = supervisor.submit({ graceMs: Infinity, run: { run: never, kill } });
    await clock.settle();
    void supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(60_000);
    expect(calledAt).toEqual([1_000, 2_000, 4_000]);
    expect(recorded.of('overrun').map(({ action }) => action)).toEqual(['kill', 'hold']);
    expect(await submission.outcome).toEqual({ kind: 'abandoned', by: 'shutdown', attempts: 1 });
    expect(clock.timers).toBe(0);
  });

  test('a body that was abandoned before the shutdown is listed only if it still runs', async () => {
    const { supervisor, clock } = setup();
    const ended = gateBody();
    const spec = { graceMs: 0, onOverrun: 'abandon' } as const;
    const given = [
      supervisor.submit({ ...spec, name: 'alive', run: never }),
      supervisor.submit({ ...spec, name: 'ended', run: ended.body }),
    ];
    await clock.settle();
    for (const one of given) void one.cancel();
    await clock.advance(0);
    ended.open('late');
    await clock.settle();
    const { abandoned, counts } = await supervisor.shutdown();
    expect(abandoned.map(({ name }) => name)).toEqual(['alive']);
    expect(counts).toEqual({ ...ZERO_COUNTS, abandoned: 2 });
  });

  for (const [what, kill] of [
    ['hangs', never],
    ['rejects', () => Promise.reject(new Error('no such process'))],
    [
      'throws',
      () => {
        throw new Error('no such process');
      },
    ],
  ] as const)
    test(`a body whose kill ${what} is abandoned and listed ${PATIENCE} ms after the grace`, async () => {
      const world = setup();
      const { supervisor } = world;
      const submission = supervisor.submit({ name: 'immortal', run: { run: never, kill } });
      await world.clock.settle();
      const promise = supervisor.shutdown({ graceMs: GRACE });
      expect(await settledAt(world, promise)).toBe(GRACE + PATIENCE);
      const { killed, abandoned, clean } = await promise;
      expect([clean, killed]).toEqual([false, []]);
      expect(abandoned).toMatchObject([{ id: submission.id, name: 'immortal' }]);
      expect(await submission.outcome).toEqual({ kind: 'abandoned', by: 'shutdown', attempts: 1 });
      expect(world.clock.timers).toBe(0);
    });

  test('a kill that is pending when the grace of the shutdown ends is not called again', async () => {
    const { supervisor, clock, recorded } = setup();
    const kill = gateBody<void>();
    const submission = supervisor.submit({ graceMs: 10, run: { run: never, kill: kill.body } });
    await clock.settle();
    void supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(GRACE);
    expect([kill.alive, recorded.of('overrun').length]).toEqual([1, 1]);
    kill.open();
    expect(await submission.outcome).toEqual({ kind: 'killed', by: 'shutdown', attempts: 1 });
  });

  test('a shutdown waits for a kill that takes less than 5 s', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    const kill = () => new Promise<void>((resolve) => void clock.setTimer(PATIENCE - 1, resolve));
    supervisor.submit({ name: 'slow', run: { run: never, kill } });
    await clock.settle();
    const promise = supervisor.shutdown({ graceMs: GRACE });
    expect(await settledAt(world, promise)).toBe(GRACE + PATIENCE - 1);
    expect(await promise).toMatchObject({ clean: false, killed: [{ name: 'slow' }], abandoned: [] });
  });
});

describe('a report is clean', () => {
  const kill = () => {};

  test('where every body ended by itself, also after its own grace', async () => {
    const { supervisor, clock, recorded } = setup();
    const late = gateBody();
    supervisor.submit({ graceMs: 10, run: late.body }); // overruns, and is held
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(GRACE - 1);
    late.open('late');
    expect(await report).toMatchObject({ clean: true, killed: [], abandoned: [] });
    expect(recorded.of('shutdownFinished')).toMatchObject([{ clean: true }]);
  });

  for (const [what, spec, listed] of [
    ['killed by its own grace', { graceMs: 10, run: { run: never, kill } }, 'killed'],
    ['given up by its own grace', { graceMs: 10, onOverrun: 'abandon', run: never }, 'abandoned'],
    ['killed by the grace of the shutdown', { run: { run: never, kill } }, 'killed'],
    ['given up by the grace of the shutdown', { run: never }, 'abandoned'],
  ] as const)
    test(`not where one was ${what}`, async () => {
      const { supervisor, clock, recorded } = setup();
      supervisor.submit({ name: 'n', ...spec });
      await clock.settle();
      const report = supervisor.shutdown({ graceMs: GRACE });
      await clock.advance(GRACE);
      expect(await report).toMatchObject({ clean: false, [listed]: [{ name: 'n' }] });
      expect(recorded.of('shutdownFinished')).toMatchObject([{ clean: false }]);
    });

  test('not where an attempt was killed in it after a timeout, although the task went on', async () => {
    const { supervisor, clock } = setup();
    const holds = gateBody();
    supervisor.submit({ shutdownStage: -1, run: holds.body }); // the first stage
    const run = { run: ({ attempt }: { readonly attempt: number }) => (attempt === 1 ? never() : 'done'), kill };
    const task = supervisor.submit({ name: 'n', timeoutMs: 100, graceMs: 10, backoff: CONSTANT_BACKOFF, run });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(300);
    holds.open('end');
    expect(await task.outcome).toMatchObject({ kind: 'completed', attempts: 2 });
    expect(await report).toMatchObject({ clean: false, killed: [{ name: 'n', lastFailure: { kind: 'timedOut' } }] });
  });

  test.for<readonly [when: string, endAt: number, clean: boolean]>([
    ['before the shutdown', 0, true],
    ['during the shutdown', 1, true],
    ['after the shutdown', 2, false],
  ])('or not by the bodies given up before it: one ended %s', async ([, endAt, clean]) => {
    const { supervisor, clock } = setup();
    const givenUp = gateBody();
    const last = gateBody();
    const task = supervisor.submit({ name: 'n', graceMs: 0, onOverrun: 'abandon', run: givenUp.body });
    supervisor.submit({ run: last.body });
    await clock.settle();
    void task.cancel();
    await clock.advance(0);
    if (endAt === 0) givenUp.open('late');
    await clock.settle();
    const report = supervisor.shutdown();
    await clock.settle();
    if (endAt === 1) givenUp.open('late');
    await clock.settle();
    last.open('end');
    expect(await report).toMatchObject({ clean, abandoned: clean ? [] : [{ name: 'n' }] });
  });
});

test('a blocked event loop does not shorten the time that a shutdown gives a kill', async () => {
  const { supervisor, clock } = setup();
  const kill = gateBody<void>();
  const submission = supervisor.submit({ name: 'slow', run: { run: () => new Promise(() => {}), kill: kill.body } });
  await clock.settle();
  void supervisor.shutdown({ graceMs: GRACE });
  clock.block(GRACE + 2 * PATIENCE);
  await clock.advance(PATIENCE - 1);
  expect([kill.alive, submission.status]).toEqual([1, 'overrun']);
  kill.open();
  expect(await submission.outcome).toEqual({ kind: 'killed', by: 'shutdown', attempts: 1 });
  expect(await supervisor.closed).toMatchObject({ clean: false, killed: [{ name: 'slow' }], abandoned: [] });
});
