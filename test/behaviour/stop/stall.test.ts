// stallMs bounds the time between two heartbeats.

import { type TaskContext, TimeoutError } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { running } from '../../support/running-task.ts';
import { PLAIN } from '../../support/scripted-body.ts';
import { setup } from '../../support/setup.ts';

describe('stallMs (section 5)', () => {
  test('a heartbeat holds it off; silence for that long aborts the signal with a TimeoutError', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ restart: 'never', stallMs: 100, run: body.body });
    for (let beat = 0; beat < 5; beat += 1) {
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

  test('time in which the event loop itself did not turn is not counted', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    supervisor.submit({ stallMs: 100, run: body.body });
    await clock.settle();
    clock.block(10_000);
    await clock.advance(0); // everything late fires now
    expect(body.calls[0]?.canceled).toBe(false);
    await clock.advance(87); // a block is told apart to within an eighth of the bound
    expect(body.calls[0]?.canceled).toBe(false);
    await clock.advance(13);
    expect(body.calls[0]?.canceled).toBe(true);
  });

  test('a body that beats again after a block has not stalled', async () => {
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

  test('each attempt is watched anew, and a stalled one is retried after backoff', async () => {
    const { supervisor, clock, recorded } = setup();
    const submission = supervisor.submit({
      stallMs: 100,
      backoff: PLAIN,
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

describe('a blocked event loop and a stop (section 5)', () => {
  test('blocks between silences do not count, the silences add up', async () => {
    const { clock, ctx } = await running({ stallMs: 800 });
    await clock.advance(300);
    clock.block(5_000);
    await clock.advance(200);
    clock.block(5_000);
    await clock.advance(0); // each block is told apart to within an eighth of the bound
    expect(ctx.canceled).toBe(false);
    await clock.advance(300);
    expect(ctx.canceled).toBe(true);
    expect(ctx.signal.reason).toBeInstanceOf(TimeoutError);
  });

  test('a body that blocks the loop past its timeout is timed out, not stalled', async () => {
    const { clock, submission, body } = await running({ stallMs: 100, timeoutMs: 1_000 });
    clock.block(5_000);
    await clock.advance(0);
    body.open('late');
    expect(await submission.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'timedOut', afterMs: 1_000 } });
  });
});
