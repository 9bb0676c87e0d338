// Who decides on a retry where several could, and what is not taken for an answer.

import { RetryError, type TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { setup } from '../support/setup.ts';

const BACKOFF = { firstMs: 100, jitter: 'none' } as const;

/** Fails with `error` until it is stopped. */
function failing(error: unknown, spec: Partial<TaskSpec> = {}) {
  const world = setup();
  const run = () => {
    throw error;
  };
  return { ...world, submission: world.supervisor.submit({ backoff: BACKOFF, maxRetries: 1, ...spec, run }) };
}

test('a retryIf that says no is final, though the restart limit has room', async () => {
  const { submission } = failing(new Error('no'), {
    restartLimit: { restarts: 5, withinMs: 1e6 },
    retryIf: () => false,
  });
  expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'retryIf', attempts: 1 });
});

test('a promise for an answer of retryIf is told as what it is', async () => {
  const retryIf = (async () => true) as unknown as () => boolean;
  const outcome = await failing(new Error('no'), { retryIf }).submission.outcome;
  expect(outcome).toMatchObject({ retryIfError: { message: expect.stringContaining('got a promise') } });
});

describe('the delay before a retry is the backoff', () => {
  const asking = (afterMs: unknown) => new RetryError('later', { afterMs: afterMs as number });
  for (const [what, error] of [
    ['for an error that has an afterMs and is no RetryError', Object.assign(new Error('later'), { afterMs: 5_000 })],
    ['for a RetryError that asks with a text', asking('5000')],
    ['for a RetryError that asks with null', asking(null)],
    ['for a RetryError that asks with a bigint', asking(5_000n)],
  ] as const)
    test(what, async () => {
      const { submission, clock, recorded } = failing(error);
      await clock.advance(100);
      expect(await submission.outcome).toMatchObject({ because: 'maxRetries', attempts: 2 });
      expect(recorded.of('backoffScheduled')).toMatchObject([{ delayMs: 100 }]);
    });
});
