import { expect, test } from 'vitest';
import { callAround } from '../../src/engine/around-attempt.ts';
import type { AttemptInfo } from '../../src/model/task.ts';

const info = { slot: 's', name: 's', attempt: 1, meta: undefined } as AttemptInfo;

test('an aroundAttempt that ends without a call of next fails the attempt with an error that says so', async () => {
  await expect(
    callAround(
      async () => {},
      info,
      async () => 'value',
    ),
  ).rejects.toThrow('aroundAttempt ended without calling next()');
});

test('an aroundAttempt that calls next after it has ended gets an error, and the body is not called', async () => {
  let late: (() => Promise<void>) | undefined;
  let calls = 0;
  const attempt = callAround(
    async (_, next) => {
      late = next;
    },
    info,
    async () => {
      calls += 1;
    },
  );
  await expect(attempt).rejects.toThrow();
  await expect(late?.()).rejects.toThrow('aroundAttempt called next() after it had ended');
  expect(calls).toBe(0);
});
