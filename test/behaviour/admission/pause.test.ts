// Pausing a slot, and pausing the supervisor.

import type { Outcome, RejectReason, Submission } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { ownedSlot } from '../../support/owned-slot.ts';
import { setup } from '../../support/setup.ts';

const value = (what: unknown): Outcome => ({ kind: 'completed', value: what, attempts: 1 });

const rejected = (reason: RejectReason, by?: Submission): Outcome => ({
  kind: 'rejected',
  reason,
  ...(by !== undefined && { by: by.id }),
});

const PLAIN = { firstMs: 100, jitter: 'none' } as const;

const statuses = (submissions: readonly Submission[]): string[] => submissions.map(({ status }) => status);

describe('a paused slot', () => {
  test('pause starts nothing more, the owner goes on; resume starts what waits', async () => {
    const { handle, add, owner, first, clock, started, recorded } = await ownedSlot();
    handle.pause();
    handle.pause();
    const waiting = add('w');
    expect(owner.calls[0]?.canceled).toBe(false);
    owner.open('went on');
    expect(await first.outcome).toEqual(value('went on'));
    await clock.advance(10_000);
    expect([started, waiting.status, handle.view()]).toMatchObject([[], 'queued', { phase: 'idle', paused: true }]);
    handle.resume();
    handle.resume();
    expect(await waiting.outcome).toEqual(value('w'));
    expect(recorded.types().filter((type) => type.startsWith('slot'))).toEqual(['slotPaused', 'slotResumed']);
  });

  test('an owner in backoff goes on in a paused slot: its retry is not a new start', async () => {
    const { handle, clock, owner, first } = await ownedSlot({}, { defaults: { backoff: { firstMs: 100 } } });
    handle.pause();
    owner.fail(new Error('once'));
    await clock.advance(100);
    owner.open('second');
    expect(await first.outcome).toEqual({ ...value('second'), attempts: 2 });
  });

  test('a paused slot that is canceled stays paused', async () => {
    const { supervisor, clock } = setup();
    const handle = supervisor.slot('s');
    handle.pause();
    const waiting = handle.submit({ run: () => 'x' });
    await handle.cancel();
    expect(await waiting.outcome).toEqual(rejected('canceled'));
    const next = handle.submit({ run: () => 'y' });
    await clock.settle();
    expect([next.status, handle.view().paused]).toEqual(['queued', true]);
  });
});

describe('pause and resume of the supervisor (the gate)', () => {
  for (const concurrency of [1, Infinity])
    test(`with concurrency ${concurrency}: nothing begins while paused, bodies that run go on, admission goes on`, async () => {
      const { supervisor, clock } = setup({ concurrency });
      const running = gateBody();
      const body = gateBody();
      const first = supervisor.submit({ slot: 'a', run: running.body });
      await clock.settle();
      supervisor.pause();
      const second = supervisor.submit({ slot: 'b', run: body.body });
      const third = supervisor.submit({ slot: 'c', run: body.body });
      expect(second.admission).toBe('started');
      await clock.settle();
      expect(running.calls[0]?.canceled).toBe(false);
      running.open('went on');
      expect(await first.value()).toBe('went on');
      await clock.advance(10_000);
      expect(body.calls).toHaveLength(0);
      expect(statuses([second, third])).toEqual(['starting', 'starting']);
      supervisor.resume();
      await clock.settle();
      expect(body.calls).toHaveLength(concurrency === 1 ? 1 : 2);
    });

  test('a retry that falls due while paused waits for resume', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ backoff: PLAIN, run: body.body });
    await clock.settle();
    body.fail(new Error('no'));
    supervisor.pause();
    await clock.advance(5_000);
    expect(body.calls).toHaveLength(1);
    expect(submission.status).toBe('starting');
    supervisor.resume();
    await clock.settle();
    expect(body.calls).toHaveLength(2);
  });

  test('cancel and shutdown do not wait for resume', async () => {
    const { supervisor, clock } = setup();
    supervisor.pause();
    const canceled = supervisor.submit({ run: () => 'never' });
    const stopped = supervisor.submit({ run: () => 'never' });
    await clock.settle();
    expect(await canceled.cancel()).toEqual({ kind: 'canceled', by: 'caller', attempts: 0 });
    const report = await supervisor.shutdown();
    expect(await stopped.outcome).toEqual({ kind: 'canceled', by: 'shutdown', attempts: 0 });
    expect(report.withinGrace).toBe(true);
    supervisor.resume();
    await clock.settle();
    expect(supervisor.snapshot().totals.attempts).toBe(0);
  });

  test('pause and resume twice are as once', async () => {
    const { supervisor, clock } = setup();
    supervisor.resume();
    supervisor.pause();
    supervisor.pause();
    const submission = supervisor.submit({ run: () => 'ran' });
    await clock.settle();
    expect(submission.status).toBe('starting');
    supervisor.resume();
    supervisor.resume();
    expect(await submission.value()).toBe('ran');
  });
});

describe('a pause of the supervisor', () => {
  test('a pause holds back what waits for its turn', async () => {
    const { supervisor, clock } = setup();
    let begun = 0;
    for (let n = 0; n < 1_000; n += 1)
      supervisor.submit({
        run: () => {
          begun += 1;
          if (begun === 100) supervisor.pause();
        },
      });
    await clock.settle();
    expect(begun).toBe(100);
    supervisor.resume();
    await clock.settle();
    expect(begun).toBe(1_000);
  });
});
