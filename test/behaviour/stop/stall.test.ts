// stallMs bounds the time between two heartbeats.

import { type TaskContext, TimeoutError } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { PLAIN_BACKOFF } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { running } from '../../support/running-task.ts';
import { setup } from '../../support/setup.ts';

describe('stallMs', () => {
  test('stallMs without a heartbeat aborts the signal with a TimeoutError, and each heartbeat restarts the time', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ restart: 'never', stallMs: 100, run: body.body });
    for (let n = 0; n < 5; n += 1) {
      await clock.advance(90);
      expect(submission.status).toBe('running');
      body.calls[0]?.heartbeat();
    }
    await clock.advance(99);
    expect(body.calls[0]?.canceled).toBe(false);
    await clock.advance(1);
    expect(body.calls[0]?.signal.reason).toBeInstanceOf(TimeoutError);
    expect(submission.status).toBe('stopping'); // it ends when the body has settled
    body.open('late');
    expect(await submission.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'stalled', silentMs: 100 } });
    expect(clock.timers).toBe(0);
  });

  test('time in which the event loop was blocked does not count towards stallMs', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    supervisor.submit({ stallMs: 100, run: body.body });
    await clock.settle();
    clock.block(10_000);
    await clock.advance(0); // every late timer fires now
    expect(body.calls[0]?.canceled).toBe(false);
    await clock.advance(87); // a block is measured to within an eighth of stallMs
    expect(body.calls[0]?.canceled).toBe(false);
    await clock.advance(13);
    expect(body.calls[0]?.canceled).toBe(true);
  });

  test('a body that sends a heartbeat after a block has not stalled', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    supervisor.submit({ stallMs: 100, run: body.body });
    for (let round = 0; round < 5; round += 1) {
      await clock.settle();
      clock.block(500);
      await clock.advance(0);
      body.calls[0]?.heartbeat();
      await clock.advance(80);
      expect(body.calls[0]?.canceled).toBe(false);
    }
    await clock.advance(20);
    expect(body.calls[0]?.canceled).toBe(true);
  });

  test('stallMs restarts for each attempt, and a stalled attempt is retried after backoff', async () => {
    const { supervisor, clock, recorded } = setup();
    const submission = supervisor.submit({
      stallMs: 100,
      backoff: PLAIN_BACKOFF,
      run: async (ctx) => {
        await ctx.sleep(ctx.attempt === 1 ? 1_000 : 60);
        return ctx.attempt;
      },
    });
    await clock.advance(100 + 100 + 60);
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 2, attempts: 2 });
    expect(recorded.of('attemptStalled')).toMatchObject([{ attempt: 1, failure: { kind: 'stalled', silentMs: 100 } }]);
  });

  test('a heartbeat without stallMs, or after the end, does nothing', async () => {
    const { supervisor, clock } = setup();
    let kept: TaskContext | undefined;
    const run = (ctx: TaskContext): string => {
      kept = ctx;
      ctx.heartbeat();
      return 'ok';
    };
    expect(await supervisor.submit({ run }).value()).toBe('ok');
    expect(await supervisor.submit({ stallMs: 10, run }).value()).toBe('ok');
    kept?.heartbeat();
    expect(clock.timers).toBe(0);
  });
});

describe('stallMs on a blocked event loop', () => {
  test('times without a heartbeat add up, and blocks between them do not count', async () => {
    const { clock, ctx } = await running({ stallMs: 800 });
    await clock.advance(300);
    clock.block(5_000);
    await clock.advance(200);
    clock.block(5_000);
    await clock.advance(0); // each block is measured to within an eighth of stallMs
    expect(ctx.canceled).toBe(false);
    await clock.advance(300);
    expect(ctx.canceled).toBe(true);
    expect(ctx.signal.reason).toBeInstanceOf(TimeoutError);
  });

  test('a body that blocks the event loop past its timeoutMs is timed out, not stalled', async () => {
    const { clock, submission, body } = await running({ stallMs: 100, timeoutMs: 1_000 });
    clock.block(5_000);
    await clock.advance(0);
    body.open('late');
    expect(await submission.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'timedOut', afterMs: 1_000 } });
  });
});
