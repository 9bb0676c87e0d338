// A RetryError sets the delay before the next attempt.

import { CanceledError, RetryError } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { PLAIN_BACKOFF } from '../../support/bodies.ts';
import { fail, failingTask, script } from '../../support/scripted-body.ts';
import { setup } from '../../support/setup.ts';

describe('RetryError', () => {
  test('afterMs of a RetryError replaces the backoff of that retry alone', async () => {
    const { supervisor, clock, recorded } = setup();
    const body = script(
      () => fail(),
      () => {
        throw new RetryError('later', { afterMs: 5_000 });
      },
      () => {
        throw new RetryError('now', { afterMs: 0 });
      },
      () => fail(),
      () => 'done',
    );
    const submission = supervisor.submit({ backoff: PLAIN_BACKOFF, run: body.run });
    await clock.advance(100);
    await clock.advance(4_999);
    expect(body.starts).toEqual([1, 2]);
    await clock.advance(1);
    expect(body.starts).toEqual([1, 2, 3, 4]);
    await clock.advance(800);
    expect(await submission.value()).toBe('done');
    expect(recorded.of('backoffScheduled').map(({ delayMs }) => delayMs)).toEqual([100, 5_000, 0, 800]);
  });

  test('a RetryError counts towards maxRetries', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({
      maxRetries: 1,
      run: () => {
        throw new RetryError('again', { afterMs: 10 });
      },
    });
    await clock.advance(10);
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'maxRetries', attempts: 2 });
  });

  for (const afterMs of [undefined, Number.NaN, -1, Infinity])
    test(`a RetryError with the invalid afterMs ${afterMs} waits for the backoff`, async () => {
      const { supervisor, clock, recorded } = setup();
      const body = script(
        () => {
          throw new RetryError('later', afterMs === undefined ? {} : { afterMs });
        },
        () => 'done',
      );
      const submission = supervisor.submit({ backoff: PLAIN_BACKOFF, run: body.run });
      await clock.advance(100);
      expect(submission.status).toBe('ended');
      expect(await submission.value()).toBe('done');
      expect(recorded.of('backoffScheduled')).toMatchObject([{ delayMs: 100 }]);
    });

  for (const [what, make] of [
    ['a RetryError whose afterMs throws', () => new RetryError('x')],
    ['a CanceledError whose by throws', () => new CanceledError('x')],
    ['a CanceledError whose reason throws', () => new CanceledError('x')],
  ] as const)
    test(`${what} is captured like any other error`, async () => {
      const { supervisor, clock } = setup();
      const field = what.includes('afterMs') ? 'afterMs' : what.includes('by') ? 'by' : 'reason';
      const error = Object.defineProperty(make(), field, {
        get: () => {
          throw new Error('trap');
        },
      });
      const submission = supervisor.submit({
        maxRetries: 1,
        backoff: PLAIN_BACKOFF,
        run: () => {
          throw error;
        },
      });
      await clock.advance(100);
      expect(submission.status).toBe('ended');
      expect(supervisor.snapshot().slots).toEqual([]);
    });
});

describe('an error that sets no valid delay', () => {
  const retryAfter = (afterMs: unknown) => new RetryError('later', { afterMs: afterMs as number });
  for (const [what, error] of [
    ['an error that has an afterMs and is no RetryError', Object.assign(new Error('later'), { afterMs: 5_000 })],
    ['a RetryError whose afterMs is text', retryAfter('5000')],
    ['a RetryError whose afterMs is null', retryAfter(null)],
    ['a RetryError whose afterMs is a bigint', retryAfter(5_000n)],
  ] as const)
    test(`${what} is retried after the backoff`, async () => {
      const { submission, clock, recorded } = failingTask(error);
      await clock.advance(100);
      expect(await submission.outcome).toMatchObject({ because: 'maxRetries', attempts: 2 });
      expect(recorded.of('backoffScheduled')).toMatchObject([{ delayMs: 100 }]);
    });
});
