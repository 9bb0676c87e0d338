// Waiting for the first attempt, in the queue or at the gate: queueTimeoutMs, limits.pending and
// waitedMs.

import type { Submission, SupervisorOptions, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { CONSTANT_BACKOFF, never, polite } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { completed, rejected } from '../../support/outcomes.ts';
import { type Setup, setup } from '../../support/setup.ts';

const timedOutAtGate = { kind: 'canceled', by: 'queueTimeout', attempts: 0 };

interface Gate {
  readonly what: string;
  readonly options: SupervisorOptions;
  /** Closes the gate, and returns how to open it. */
  readonly close: (world: Setup) => () => unknown;
}

const GATES: readonly Gate[] = [
  {
    what: 'a paused supervisor',
    options: {},
    close: ({ supervisor }) => {
      supervisor.pause();
      return () => supervisor.resume();
    },
  },
  {
    what: 'a concurrency limit',
    options: { concurrency: 1 },
    close: ({ supervisor }) => {
      const holder = gateBody();
      supervisor.submit({ slot: 'holder', run: holder.body });
      return () => holder.open('out');
    },
  },
  {
    what: 'a rate',
    options: { rate: { limit: 1, intervalMs: 10_000 } },
    close: ({ supervisor, clock }) => {
      supervisor.submit({ slot: 'holder', run: () => {} });
      return () => clock.advance(10_000);
    },
  },
];

async function closedGate({ options, close }: Gate, more: SupervisorOptions = {}) {
  const world = setup({ ...options, ...more });
  const open = close(world);
  await world.clock.settle();
  const submit = (spec: Partial<TaskSpec> = {}): Submission => world.supervisor.submit({ run: () => 'ran', ...spec });
  return { ...world, open, submit };
}

const admissions = (submissions: readonly Submission[]) => submissions.map(({ admission }) => admission);

describe('queueTimeoutMs at the gate', () => {
  test.each(GATES)('ends an owner that waits behind $what, with no attempt', async (gate) => {
    const { clock, submit, recorded, supervisor } = await closedGate(gate);
    const waiting = submit({ slot: 's', queueTimeoutMs: 100 });
    await clock.advance(99);
    expect([waiting.admission, waiting.status]).toEqual(['started', 'starting']);
    await clock.advance(1);
    expect(await waiting.outcome).toEqual(timedOutAtGate);
    expect(supervisor.slot('s').view().phase).toBe('idle');
    await clock.settle();
    expect(recorded.of('stopRequested')).toMatchObject([{ id: waiting.id, by: 'queueTimeout' }]);
    expect(recorded.of('finished').filter(({ id }) => id === waiting.id)).toMatchObject([
      { outcome: 'canceled', attempts: 0 },
    ]);
  });

  test.each(GATES)('has no effect once the first attempt behind $what has begun', async (gate) => {
    const { clock, submit, open } = await closedGate(gate);
    const body = gateBody();
    const waiting = submit({ queueTimeoutMs: 20_000, run: body.body });
    await clock.advance(50);
    await open();
    await clock.advance(30_000);
    expect([waiting.status, clock.timers]).toEqual(['running', 0]);
    body.open('done');
    expect(await waiting.outcome).toEqual(completed('done'));
  });

  test('runs from submit, through the queue and the gate together', async () => {
    const { supervisor, clock } = setup();
    const owner = gateBody();
    supervisor.submit({ slot: 's', run: owner.body });
    await clock.settle();
    const waiting = supervisor.submit({ slot: 's', queueTimeoutMs: 100, run: polite });
    await clock.advance(60);
    supervisor.pause();
    owner.open('out');
    await clock.advance(39);
    expect(waiting.status).toBe('starting');
    await clock.advance(1);
    expect(await waiting.outcome).toEqual(timedOutAtGate);
  });

  test('does not bound a retry, a repeat after an interval or a restart() that waits at the gate', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const spec = { queueTimeoutMs: 10, run: body.body };
    const retried = supervisor.submit({ ...spec, backoff: CONSTANT_BACKOFF });
    const repeated = supervisor.submit({ ...spec, restart: 'always', intervalMs: 100 });
    const restarted = supervisor.submit(spec);
    await clock.settle();
    supervisor.pause();
    restarted.restart();
    body.fail(new Error('once'));
    body.open('one');
    body.open('asked to stop');
    await clock.advance(1e6);
    const all = [retried, repeated, restarted];
    expect(all.map(({ status }) => status)).toEqual(['starting', 'starting', 'starting']);
    supervisor.resume();
    await clock.settle();
    expect(all.map(({ status }) => status)).toEqual(['running', 'running', 'running']);
  });
});

describe('limits.pending at the gate', () => {
  test.each(GATES)('counts owners that wait behind $what, and rejects a start past it', async (gate) => {
    const { clock, submit, supervisor, open } = await closedGate(gate, { limits: { pending: 2 } });
    const waiting = [submit({ slot: 'a' }), submit({ slot: 'b' })];
    const past = submit({ slot: 'c' });
    expect(admissions([...waiting, past])).toEqual(['started', 'started', 'rejected']);
    expect(await past.outcome).toEqual(rejected('resourceLimit'));
    expect(supervisor.snapshot().slots.map(({ name }) => name)).not.toContain('c');
    await waiting[0]?.cancel();
    expect(admissions([submit({ slot: 'c' }), submit({ slot: 'd' })])).toEqual(['started', 'rejected']);
    await open();
    await clock.advance(100_000);
    expect(admissions([submit({ slot: 'e' })])).toEqual(['started']);
  });

  test.each(GATES)('counts queued submissions and owners behind $what together', async (gate) => {
    const { submit } = await closedGate(gate, { limits: { pending: 2 } });
    expect(admissions([submit({ slot: 'a' }), submit({ slot: 'a' }), submit({ slot: 'a' }), submit()])).toEqual([
      'started',
      'queued',
      'rejected',
      'rejected',
    ]);
  });

  test.each(GATES)('rejects a whole batch of which one start behind $what is past it', async (gate) => {
    const { supervisor, clock } = await closedGate(gate, { limits: { pending: 2 } });
    const run = () => 'ran';
    const batch = supervisor.submitAll([{ run }, { run }, { run }]);
    const reasons = await Promise.all(batch.map(async ({ outcome }) => (await outcome) as { reason?: string }));
    expect(reasons.map(({ reason }) => reason)).toEqual(['batchRejected', 'batchRejected', 'resourceLimit']);
    expect(admissions(supervisor.submitAll([{ run }, { run }]))).toEqual(['started', 'started']);
    await clock.settle();
  });

  test('a start that the gate lets in does not count, up to its concurrency and its rate', async () => {
    for (const options of [{ concurrency: 2 }, { rate: { limit: 2, intervalMs: 1_000 } }]) {
      const { supervisor, clock } = setup({ ...options, limits: { pending: 0 } });
      const three = [1, 2, 3].map(() => supervisor.submit({ run: never }));
      expect(admissions(three)).toEqual(['started', 'started', 'rejected']);
      await clock.settle();
      expect(admissions([supervisor.submit({ run: never })])).toEqual(['rejected']);
    }
  });

  test('does not count a retry that waits at the gate', async () => {
    const { supervisor, clock } = setup({ limits: { pending: 1 } });
    const body = gateBody();
    supervisor.submit({ slot: 'a', backoff: CONSTANT_BACKOFF, run: body.body });
    await clock.settle();
    body.fail(new Error('once'));
    supervisor.pause();
    await clock.advance(200);
    expect(admissions([supervisor.submit({ run: never }), supervisor.submit({ run: never })])).toEqual([
      'started',
      'rejected',
    ]);
  });

  test('without a limit no start is refused, however many wait at the gate', async () => {
    const { supervisor } = setup({ concurrency: 1 });
    const all = Array.from({ length: 2_000 }, () => supervisor.submit({ run: never }));
    expect(new Set(admissions(all))).toEqual(new Set(['started']));
  });
});

describe('waitedMs', () => {
  test('of started ends with the queue, and of the first attemptStarted with the gate', async () => {
    const { supervisor, clock, recorded } = setup();
    const owner = gateBody();
    supervisor.submit({ slot: 's', run: owner.body });
    await clock.settle();
    const { id } = supervisor.submit({ slot: 's', run: () => 'ran' });
    await clock.advance(30);
    supervisor.pause();
    owner.open('out');
    await clock.advance(12);
    supervisor.resume();
    await clock.settle();
    const of = (type: 'started' | 'attemptStarted') => recorded.of(type).find((event) => event.id === id);
    expect([of('started')?.waitedMs, of('attemptStarted')?.waitedMs]).toEqual([30, 42]);
  });

  test('is in the first attemptStarted only', async () => {
    const { supervisor, clock, recorded } = setup();
    const body = gateBody();
    supervisor.submit({ backoff: CONSTANT_BACKOFF, run: body.body });
    await clock.settle();
    body.fail(new Error('once'));
    await clock.advance(100);
    const begun = recorded.of('attemptStarted');
    expect(begun.map(({ attempt, waitedMs }) => [attempt, waitedMs])).toEqual([
      [1, 0],
      [2, undefined],
    ]);
    expect(begun[1]).not.toHaveProperty('waitedMs');
  });

  test('of a flight whose leader has left counts from the submit of the participant that is named', async () => {
    const { supervisor, clock, recorded } = setup();
    supervisor.pause();
    const submit = () => supervisor.submit({ slot: 's', admission: 'join', run: () => 'ran' });
    const leader = submit();
    await clock.advance(30);
    const joined = submit();
    await leader.cancel();
    await clock.advance(12);
    supervisor.resume();
    await clock.settle();
    expect(recorded.of('attemptStarted')).toMatchObject([{ id: joined.id, waitedMs: 12 }]);
  });
});
