// onOverrun: 'abandon' frees the slot although the body still runs.

import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { gatedSlot } from '../../support/gated-slot.ts';
import { boom, mustNotEscape } from '../../support/must-not-escape.ts';
import { GRACE, REASON, running } from '../../support/running-task.ts';
import { setup } from '../../support/setup.ts';

describe('an abandoned body', () => {
  test('a timed out and abandoned attempt is retried after backoff, while the abandoned body still runs', async () => {
    const { supervisor, clock, submission, body, recorded } = await running({
      restart: 'onFailure',
      backoff: { firstMs: 50, jitter: 'none' },
      timeoutMs: 100,
      onOverrun: 'abandon',
    });
    await clock.advance(100 + GRACE);
    expect(recorded.of('attemptTimedOut')).toMatchObject([{ attempt: 1, durationMs: 100 + GRACE }]);
    await clock.advance(50);
    expect(body.alive).toBe(2);
    expect(supervisor.snapshot()).toMatchObject({ owners: 1, abandonedAlive: 1 });
    body.open('too late');
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ owners: 1, abandonedAlive: 0 });
    body.open('in time');
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 'in time', attempts: 2 });
  });
});

describe('the stop request of an abandoned body', () => {
  test('an abandoned body still gets its stop request, and its waits end', async () => {
    const { supervisor, clock } = setup();
    const ends: unknown[] = [];
    const body = gateBody();
    const submission = supervisor.submit({
      graceMs: 0,
      onOverrun: 'abandon',
      run: async (ctx) => {
        await body.body(ctx);
        await ctx.sleep(1e6).catch((error: unknown) => ends.push(error));
      },
    });
    await clock.settle();
    void submission.cancel(REASON);
    await clock.advance(0);
    expect(await submission.outcome).toEqual({ kind: 'abandoned', by: 'caller', attempts: 1 });
    expect(body.calls[0]?.signal.reason).toMatchObject({ by: 'caller', reason: REASON });
    body.open('late');
    await clock.settle();
    expect(ends).toEqual([body.calls[0]?.signal.reason]);
    expect(clock.timers).toBe(0);
    expect(supervisor.snapshot().abandonedAlive).toBe(0);
  });
});

test('an abandoned body that adds an onCancel listener late still gets its stop request', async () => {
  const { clock, gate, submit } = gatedSlot();
  const submission = submit({ graceMs: 0, onOverrun: 'abandon' });
  await clock.settle();
  void submission.cancel('enough');
  await clock.advance(0);
  expect(await submission.outcome).toMatchObject({ kind: 'abandoned' });
  const received: unknown[] = [];
  gate.calls[0]?.onCancel(({ reason }) => void received.push(reason));
  await clock.settle();
  expect(received).toEqual(['enough']);
});

describe('an abandoned body that ends late', () => {
  test.each(['open', 'fail'] as const)('an abandoned body that ends late (%s) changes nothing (S8)', async (end) => {
    const gate = gateBody<unknown>();
    await mustNotEscape({
      spec: { run: gate.body as never, graceMs: 10, onOverrun: 'abandon' },
      drive: async ({ clock, supervisor, recorded }, submission) => {
        void submission.cancel();
        await clock.advance(10);
        const events = recorded.events.length;
        gate[end](boom);
        await clock.settle();
        expect(recorded.events).toHaveLength(events);
        expect(supervisor.snapshot().abandonedAlive).toBe(0);
      },
      outcome: 'abandoned',
    });
  });
});
