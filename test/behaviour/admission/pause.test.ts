// Pausing a slot, and pausing the supervisor.

import type { Submission } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { PLAIN_BACKOFF } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { completed, rejected } from '../../support/outcomes.ts';
import { ownedSlot } from '../../support/owned-slot.ts';
import { setup } from '../../support/setup.ts';

const statuses = (submissions: readonly Submission[]): string[] => submissions.map(({ status }) => status);

describe('a paused slot', () => {
  test('a paused slot starts nothing while its owner continues, and resume() starts its queue (S5)', async () => {
    const { handle, add, owner, first, clock, started, recorded } = await ownedSlot();
    handle.pause();
    handle.pause();
    const waiting = add('w');
    expect(owner.calls[0]?.canceled).toBe(false);
    owner.open('went on');
    expect(await first.outcome).toEqual(completed('went on'));
    await clock.advance(10_000);
    expect([started, waiting.status, handle.view()]).toMatchObject([[], 'queued', { phase: 'idle', paused: true }]);
    handle.resume();
    handle.resume();
    expect(await waiting.outcome).toEqual(completed('w'));
    expect(recorded.types().filter((type) => type.startsWith('slot'))).toEqual(['slotPaused', 'slotResumed']);
  });

  test('an owner in backoff continues in a paused slot, because a retry is not a new start', async () => {
    const { handle, clock, owner, first } = await ownedSlot({}, { defaults: { backoff: { firstMs: 100 } } });
    handle.pause();
    owner.fail(new Error('once'));
    await clock.advance(100);
    owner.open('second');
    expect(await first.outcome).toEqual({ ...completed('second'), attempts: 2 });
  });

  test('slot.cancel() leaves a paused slot paused', async () => {
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

describe('pause and resume of the supervisor', () => {
  for (const concurrency of [1, Infinity])
    test(`a paused supervisor with concurrency ${concurrency} starts no body, while running bodies and admission continue`, async () => {
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

  test('a retry that is due while the supervisor is paused waits for resume()', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ backoff: PLAIN_BACKOFF, run: body.body });
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

  test('cancel() and shutdown() of a paused supervisor do not wait for resume(), and nothing starts after it (S7)', async () => {
    const { supervisor, clock } = setup();
    supervisor.pause();
    const canceled = supervisor.submit({ run: () => 'never' });
    const stopped = supervisor.submit({ run: () => 'never' });
    await clock.settle();
    expect(await canceled.cancel()).toEqual({ kind: 'canceled', by: 'caller', attempts: 0 });
    const report = await supervisor.shutdown();
    expect(await stopped.outcome).toEqual({ kind: 'canceled', by: 'shutdown', attempts: 0 });
    expect(report.clean).toBe(true);
    supervisor.resume();
    await clock.settle();
    expect(supervisor.snapshot().totals.attempts).toBe(0);
  });

  test('a second pause() or resume() in a row changes nothing', async () => {
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

describe('a pause in the middle of many starts', () => {
  test('a pause holds back every body that still waits for its turn', async () => {
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
