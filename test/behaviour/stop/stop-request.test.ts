// What a stop request does, for each cause.

import { getEventListeners } from 'node:events';
import { CanceledError, ClosedError, TimeoutError } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { CAUSES, causeFields, DEADLINE, GRACE, REASON, running } from '../../support/running-task.ts';
import { setup } from '../../support/setup.ts';

describe('a stop request', () => {
  for (const cause of CAUSES)
    test(`a stop by ${cause.by} aborts the signal with a typed reason, calls onCancel, and waits for the body`, async () => {
      const world = await running({ deadlineMs: DEADLINE });
      const { ctx, clock, submission, body, recorded } = world;
      const received: CanceledError[] = [];
      ctx.onCancel((reason) => received.push(reason));
      expect([ctx.canceled, ctx.signal.aborted]).toEqual([false, false]);
      await cause.ask(world);
      expect(ctx.canceled).toBe(true);
      await clock.settle();
      expect(ctx.signal.reason).toBeInstanceOf(CanceledError);
      expect(ctx.signal.reason).toMatchObject(causeFields(cause));
      expect((ctx.signal.reason as CanceledError).reason).toBe(cause.reason);
      expect(received).toEqual([ctx.signal.reason]);
      expect(submission.status).toBe('stopping');
      expect(recorded.of('stopRequested')).toMatchObject([{ id: submission.id, by: cause.by }]);
      expect(recorded.types(submission.id)).not.toContain('finished');
      body.open('out');
      expect(await submission.outcome).toEqual({ kind: 'canceled', ...causeFields(cause), value: 'out', attempts: 1 });
    });

  for (const first of CAUSES)
    test(`the first cause wins: after a stop by ${first.by} no other cause has an effect`, async () => {
      for (const second of CAUSES) {
        const world = await running({ deadlineMs: DEADLINE });
        const { ctx, clock, submission, body, recorded } = world;
        const received: unknown[] = [];
        ctx.onCancel((reason) => received.push(reason));
        await first.ask(world);
        await clock.settle();
        if (first.by === 'shutdown' && second.by === 'replace')
          expect(() => second.ask(world)).toThrow(ClosedError); // a closed supervisor accepts no replacement
        else await second.ask(world);
        await clock.settle();
        expect(recorded.of('stopRequested').filter(({ id }) => id === submission.id)).toHaveLength(1);
        expect(received).toHaveLength(1);
        body.open('out');
        expect(await submission.outcome).toEqual({
          kind: 'canceled',
          ...causeFields(first),
          value: 'out',
          attempts: 1,
        });
      }
    });

  test('a stop request during a timed out or stalled attempt ends the task as canceled, by its own cause', async () => {
    for (const spec of [{ timeoutMs: 100 }, { stallMs: 100 }])
      for (const cause of CAUSES) {
        const world = await running({ deadlineMs: DEADLINE, ...spec });
        const { ctx, clock, submission, body, recorded } = world;
        await clock.advance(100);
        expect(ctx.signal.reason).toBeInstanceOf(TimeoutError);
        const { reason } = ctx.signal;
        await cause.ask(world);
        body.open('late');
        expect(await submission.outcome).toMatchObject({ kind: 'canceled', ...causeFields(cause), attempts: 1 });
        expect(ctx.signal.reason).toBe(reason);
        await clock.settle();
        const event = 'timeoutMs' in spec ? 'attemptTimedOut' : 'attemptStalled'; // the attempt keeps its own end
        expect(recorded.types(submission.id)).toContain(event);
      }
  });

  test('the grace runs from the first stop request, and a later one neither extends nor restarts it', async () => {
    for (const first of ['timeout', 'restart'] as const) {
      const { clock, submission, recorded } = await running(first === 'timeout' ? { timeoutMs: 100 } : {});
      if (first === 'timeout') await clock.advance(100);
      else submission.restart();
      await clock.advance(400);
      void submission.cancel();
      await clock.advance(GRACE - 401);
      expect(submission.status).toBe('stopping');
      await clock.advance(1);
      expect(submission.status).toBe('overrun');
      await clock.advance(GRACE);
      expect(recorded.of('overrun')).toMatchObject([{ action: 'hold', sinceMs: GRACE }]);
    }
  });

  test('a timeout after a stop request changes nothing', async () => {
    const { clock, submission, body, recorded } = await running({ timeoutMs: 100, stallMs: 150 });
    void submission.cancel(REASON);
    await clock.advance(500);
    body.open('out');
    expect(await submission.outcome).toEqual({
      kind: 'canceled',
      by: 'caller',
      reason: REASON,
      value: 'out',
      attempts: 1,
    });
    await clock.settle();
    expect(recorded.types(submission.id)).not.toContain('attemptTimedOut');
    expect(recorded.types(submission.id)).not.toContain('attemptStalled');
  });

  for (const [what, spec, options, status] of [
    ['the queue', { slot: 'taken' }, {}, 'queued'],
    ['the gate', {}, { concurrency: 1 }, 'starting'],
    ['a backoff', { restart: 'onFailure' }, {}, 'backoff'],
    ['an interval', { restart: 'always', intervalMs: 1e9 }, {}, 'interval'],
  ] as const)
    test(`a cancel in ${what} ends the task at once and leaves neither timer nor listener`, async () => {
      const { supervisor, clock } = setup(options);
      const blocker = gateBody();
      supervisor.submit({ slot: 'taken', run: blocker.body });
      const { signal } = new AbortController();
      let calls = 0;
      const submission = supervisor.submit({
        ...spec,
        signal,
        deadlineMs: 1e6,
        queueTimeoutMs: 1e6,
        run: () => {
          calls += 1;
          if (status === 'interval') return 'fine';
          throw new Error('no');
        },
      });
      await clock.settle();
      expect(submission.status).toBe(status);
      const outcome = submission.cancel(REASON);
      expect(submission.status).toBe('ended');
      expect(await outcome).toEqual(
        status === 'queued'
          ? { kind: 'rejected', reason: 'canceled' }
          : { kind: 'canceled', by: 'caller', reason: REASON, attempts: calls },
      );
      expect(clock.timers).toBe(0);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      blocker.open('done');
      await clock.advance(1e6);
      expect(calls).toBe(status === 'backoff' || status === 'interval' ? 1 : 0);
      expect(supervisor.snapshot()).toMatchObject({ owners: 0, queued: 0, slots: [] });
    });

  test('a cancel in the turn of submit calls no body', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ run: body.body });
    expect(await submission.cancel()).toEqual({ kind: 'canceled', by: 'caller', attempts: 0 });
    await clock.settle();
    expect(body.calls).toEqual([]);
  });

  for (const [where, answer] of [
    ['a retryIf that then returns true', true],
    ['a retryIf that then returns false', false],
    ['the random() of a backoff', undefined],
  ] as const)
    test(`a cancel from ${where} ends the task there, once, and does not affect the next owner (S1, S8)`, async () => {
      let stop = (): unknown => undefined;
      const random = () => {
        stop();
        return 0.5;
      };
      const { supervisor, clock } = setup({ random });
      const next = gateBody();
      let calls = 0;
      const submission = supervisor.submit({
        slot: 's',
        retryIf: () => {
          if (answer !== undefined) stop();
          return answer ?? true;
        },
        run: () => {
          calls += 1;
          throw new Error('no');
        },
      });
      stop = () => submission.cancel(REASON);
      const later = supervisor.submit({ slot: 's', run: next.body });
      expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'caller', attempts: 1 });
      await clock.advance(100_000);
      expect([calls, next.alive]).toEqual([1, 1]);
      expect(supervisor.snapshot()).toMatchObject({ owners: 1, totals: { attempts: 2, canceled: 1, failed: 0 } });
      void later.cancel();
      expect(next.calls[0]?.canceled).toBe(true);
      next.open('out');
      expect(await later.outcome).toEqual({ kind: 'canceled', by: 'caller', value: 'out', attempts: 1 });
      expect(clock.timers).toBe(0);
    });
});
