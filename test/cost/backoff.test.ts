// Guards the cost of a wait between two attempts by a count: of the timers of the platform. It
// keeps a list for each length of a timer.

import { Supervisor } from 'slotvisor';
import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.restoreAllMocks();
});

test('tasks in backoff and in intervals share one timer of the platform, which is set again only for an earlier end', async () => {
  const setTimer = vi.spyOn(globalThis, 'setTimeout');
  const supervisor = new Supervisor({ warnings: false });
  const inBackoff = () => {
    throw new Error('not yet');
  };
  supervisor.submit({ restart: 'always', intervalMs: 100_000, run: () => {} });
  for (let n = 0; n < 500; n += 1) {
    supervisor.submit({ backoff: { firstMs: 200_000 + n, maxMs: 1e6, jitter: 'none' }, run: inBackoff });
    supervisor.submit({ restart: 'always', intervalMs: 300_000 + n, run: () => {} });
  }
  await vi.waitUntil(() => {
    const { backoff, interval } = supervisor.stats().tasks;
    return backoff === 500 && interval === 501;
  });
  expect(setTimer.mock.calls.filter(([, ms]) => (ms as number) > 50_000)).toHaveLength(1);
  await supervisor.shutdown();
});
