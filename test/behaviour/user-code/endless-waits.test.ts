// A body that awaits what can only happen after its own end: how it shows, and what ends it.

import type { Submission, Supervisor, SupervisorOptions, TaskBody, TaskContext } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { setup } from '../../support/setup.ts';

type Wait = (supervisor: Supervisor, ctx: TaskContext, inner?: object) => Promise<unknown>;

interface Row {
  readonly what: string;
  readonly wait: Wait;
  /** The statuses of the live tasks while the wait goes on. */
  readonly shows: readonly string[];
  readonly options?: SupervisorOptions;
  /** Something else than the body itself holds the wait, so a shutdown ends it. */
  readonly endedByShutdown?: true;
}

const own = (supervisor: Supervisor, ctx: TaskContext) => supervisor.get(ctx.id) as Submission;
const again =
  (admission: 'queue' | 'keepLatest' | 'replace' | 'join'): Wait =>
  (supervisor, _, inner) =>
    supervisor.submit({ slot: 'a', admission, run: () => 1, ...inner }).outcome;

const AWAITED: readonly Row[] = [
  {
    what: 'a queued submission to its own slot',
    wait: again('queue'),
    shows: ['running', 'queued'],
    endedByShutdown: true,
  },
  {
    what: 'a keepLatest to its own slot',
    wait: again('keepLatest'),
    shows: ['running', 'queued'],
    endedByShutdown: true,
  },
  { what: 'its own replacement', wait: again('replace'), shows: ['overrun', 'queued'], endedByShutdown: true },
  {
    what: 'a slot whose body awaits the first slot',
    wait: (supervisor, _, inner) => {
      const back = () => supervisor.submit({ slot: 'a', run: () => 1, ...inner }).outcome;
      return supervisor.submit({ slot: 'b', run: back }).outcome;
    },
    shows: ['running', 'running', 'queued'],
    endedByShutdown: true,
  },
  {
    what: 'a submission to another slot, with a concurrency of 1',
    wait: (supervisor, _, inner) => supervisor.submit({ slot: 'b', run: () => 1, ...inner }).outcome,
    shows: ['running', 'starting'],
    options: { concurrency: 1 },
    endedByShutdown: true,
  },
];

const ITSELF: readonly Row[] = [
  { what: 'a join of itself', wait: again('join'), shows: ['running', 'running'] },
  { what: 'its own outcome', wait: (supervisor, ctx) => own(supervisor, ctx).outcome, shows: ['running'] },
  { what: 'its own value', wait: (supervisor, ctx) => own(supervisor, ctx).value(), shows: ['running'] },
  { what: 'its own cancel', wait: (supervisor, ctx) => own(supervisor, ctx).cancel(), shows: ['overrun'] },
  { what: 'the cancel of its slot', wait: (supervisor) => supervisor.slot('a').cancel(), shows: ['overrun'] },
  { what: 'the idle of its slot', wait: (supervisor) => supervisor.slot('a').idle(), shows: ['running'] },
  { what: 'the idle of its supervisor', wait: (supervisor) => supervisor.idle(), shows: ['running'] },
];

const statuses = (supervisor: Supervisor) => supervisor.tasks().map(({ status }) => status);

function started({ wait, options }: Row, bodyOf: (ctx: TaskContext, supervisor: Supervisor) => Promise<unknown>) {
  const world = setup({ graceMs: 1_000, shutdownGraceMs: 1_000, ...options });
  const run: TaskBody<unknown> = (ctx) => bodyOf(ctx, world.supervisor);
  return { ...world, wait, body: world.supervisor.submit({ slot: 'a', restart: 'never', run }) };
}

describe('a body that awaits', () => {
  test.each([...AWAITED, ...ITSELF])('$what waits until the shutdown, and its status shows it', async (row) => {
    const { supervisor, clock } = started(row, (ctx, to) => row.wait(to, ctx));
    await clock.advance(1e9);
    expect(statuses(supervisor)).toEqual(row.shows);
    const closed = supervisor.shutdown();
    await clock.advance(1_000);
    expect((await closed).abandoned.map(({ slot }) => slot)).toEqual(row.endedByShutdown ? [] : ['a']);
  });

  test.each(AWAITED)('$what goes on after the deadline of the awaited submission', async (row) => {
    const { supervisor, clock, body } = started(row, (ctx, to) => row.wait(to, ctx, { deadlineMs: 5_000 }));
    await clock.advance(5_000);
    expect([statuses(supervisor), body.status]).toEqual([[], 'ended']);
  });

  test.each(AWAITED)('$what goes on after the queueTimeoutMs of the awaited submission', async (row) => {
    const { supervisor, clock } = started(row, (ctx, to) => row.wait(to, ctx, { queueTimeoutMs: 5_000 }));
    await clock.advance(5_000);
    expect(statuses(supervisor)).toEqual([]);
  });

  test.each([...AWAITED, ...ITSELF])('$what within untilCanceled ends with a cancel', async (row) => {
    const { clock, body } = started(row, (ctx, to) => ctx.untilCanceled(row.wait(to, ctx)));
    await clock.settle();
    void body.cancel();
    await clock.settle();
    expect(body.status).toBe('ended');
  });

  test('a submission to its own slot with dropIfRunning gets its rejection at once', async () => {
    const { supervisor } = setup();
    const inner = () => supervisor.submit({ slot: 'a', admission: 'dropIfRunning', run: () => 1 }).outcome;
    const { id, outcome } = supervisor.submit({ slot: 'a', run: inner });
    expect(await outcome).toMatchObject({ value: { kind: 'rejected', reason: 'slotBusy', by: id } });
  });
});
