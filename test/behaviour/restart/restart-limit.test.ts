// restartLimit bounds the restarts within a sliding window.

import { describe, expect, test } from 'vitest';
import { fail } from '../../support/scripted-body.ts';
import { setup } from '../../support/setup.ts';

describe('restartLimit', () => {
  test('a task with more restarts than restartLimit within the sliding window fails because of restartLimit', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({
      backoff: { firstMs: 100, factor: 1, jitter: 'none' },
      restartLimit: { restarts: 3, withinMs: 1_000 },
      run: () => fail(),
    });
    await clock.advance(10_000);
    expect(submission.status).toBe('ended');
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'restartLimit', attempts: 4 });
    expect(clock.timers).toBe(0);
  });

  test('restarts that are far enough apart continue forever, because the window slides', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({
      backoff: { firstMs: 500, factor: 1, jitter: 'none' },
      restartLimit: { restarts: 2, withinMs: 1_000 },
      run: () => fail(),
    });
    await clock.advance(50_000);
    expect(submission.status).toBe('backoff');
    expect(supervisor.tasks()).toMatchObject([{ attempt: 101 }]);
  });

  test('restarts after a success do not count towards restartLimit', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({
      restart: 'always',
      intervalMs: 1,
      backoff: { firstMs: 1, factor: 1, jitter: 'none' },
      restartLimit: { restarts: 1, withinMs: 1_000 },
      run: ({ attempt }) => attempt !== 50 || fail(),
    });
    await clock.advance(200);
    expect(submission.status).toBe('interval');
    expect(supervisor.tasks()).toMatchObject([{ attempt: 201, retries: 1 }]);
  });

  test('restart() empties the window: as many restarts as at first are allowed again', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({
      backoff: { firstMs: 100, factor: 1, jitter: 'none' },
      restartLimit: { restarts: 2, withinMs: 1e6 },
      run: () => fail(),
    });
    await clock.advance(150); // two restarts are used: the second one waits for its backoff
    expect(submission.restart()).toBe(true);
    await clock.advance(150);
    expect([submission.status, supervisor.tasks()[0]?.attempt]).toEqual(['backoff', 4]);
    await clock.advance(10_000);
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'restartLimit', attempts: 5 });
  });

  test('a restartLimit of 0 restarts fails the task at its first failure', async () => {
    const { supervisor } = setup();
    const submission = supervisor.submit({ restartLimit: { restarts: 0, withinMs: 1_000 }, run: () => fail() });
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'restartLimit', attempts: 1 });
  });
});
