// timeoutMs bounds one attempt.

import { FatalError, Supervisor, TimeoutError } from 'slotvisor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { PLAIN_BACKOFF } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { setup } from '../../support/setup.ts';

describe('timeoutMs', () => {
  test('timeoutMs aborts the signal with a TimeoutError, and the retry waits for the end of the late body (S1)', async () => {
    const { supervisor, clock, recorded } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ slot: 's', timeoutMs: 50, backoff: PLAIN_BACKOFF, run: body.body });
    await clock.advance(49);
    expect(body.calls[0]?.canceled).toBe(false);
    await clock.advance(1);
    expect(body.calls[0]?.signal.reason).toBeInstanceOf(TimeoutError);
    await clock.advance(5_000);
    expect(body.calls).toHaveLength(1);
    expect(recorded.of('attemptTimedOut')).toEqual([]); // it ends when the body has settled
    expect(submission.status).toBe('stopping');
    body.open('too late');
    await clock.settle();
    expect(recorded.of('attemptTimedOut')).toMatchObject([{ attempt: 1, durationMs: 5_050 }]);
    await clock.advance(100);
    expect(body.calls).toHaveLength(2);
    expect(body.alive).toBe(1);
    body.open('in time');
    expect(await submission.value()).toBe('in time');
    expect(clock.timers).toBe(0);
  });

  test('an attempt past its timeoutMs is timed out even if its body then throws a FatalError', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ restart: 'never', timeoutMs: 50, run: body.body });
    await clock.advance(50);
    body.fail(new FatalError('too late'));
    expect(await submission.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'timedOut', afterMs: 50 } });
  });

  test('timeoutMs bounds each attempt, from the start of its body', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ timeoutMs: 50, backoff: PLAIN_BACKOFF, run: body.body });
    await clock.advance(40);
    body.fail(new Error('first'));
    await clock.advance(100 + 49);
    expect(body.calls[1]?.canceled).toBe(false);
    await clock.advance(1);
    expect(body.calls[1]?.canceled).toBe(true);
    void submission.cancel();
    body.open('end');
    expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'caller', attempts: 2 });
  });

  test('a timeoutMs longer than a platform timer allows never fires early', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    supervisor.submit({ timeoutMs: 2 ** 33, run: body.body });
    await clock.advance(2 ** 33 - 1);
    expect(body.calls[0]?.canceled).toBe(false);
    await clock.advance(1);
    expect(body.calls[0]?.canceled).toBe(true);
  });
});

describe('delays longer than a platform timer allows', () => {
  const MONTH = 30 * 24 * 3_600_000;
  afterEach(() => void vi.useRealTimers());

  for (const [what, spec, stop] of [
    ['a sleep', {}, false],
    ['deadlineMs', { deadlineMs: MONTH }, false],
    ['timeoutMs', { timeoutMs: MONTH }, false],
    ['stallMs', { stallMs: MONTH }, false],
    ['graceMs', { graceMs: MONTH, onOverrun: 'abandon' }, true],
  ] as const)
    test(`${what} of a month is split over platform timers and never fires early`, async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const supervisor = new Supervisor();
      const submission = supervisor.submit({
        restart: 'never',
        ...spec,
        run: (ctx) => (what === 'a sleep' ? ctx.sleep(MONTH) : stop ? new Promise(() => {}) : ctx.sleep(Infinity)),
      });
      await vi.advanceTimersByTimeAsync(0);
      if (stop) void submission.cancel();
      await vi.advanceTimersByTimeAsync(MONTH - 1_000);
      expect(submission.status).toBe(stop ? 'stopping' : 'running');
      await vi.advanceTimersByTimeAsync(1_000);
      expect(submission.status).toBe('ended');
      expect(vi.getTimerCount()).toBe(0);
    });

  test('Infinity as a time limit sets no bound and holds no timer', async () => {
    const { supervisor, clock } = setup({ defaults: { timeoutMs: 5, deadlineMs: 5, stallMs: 5, graceMs: 5 } });
    const none = { timeoutMs: Infinity, deadlineMs: Infinity, stallMs: Infinity, queueTimeoutMs: Infinity };
    const submission = supervisor.submit({ ...none, graceMs: Infinity, run: (ctx) => ctx.sleep(Infinity) });
    await clock.advance(1e12);
    expect([submission.status, clock.timers]).toEqual(['running', 0]);
    expect(await submission.cancel()).toEqual({ kind: 'canceled', by: 'caller', attempts: 1 });
  });
});
