import { Supervisor } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { afterEach, expect, test, vi } from 'vitest';

const defaults = { backoff: { firstMs: 30_000, jitter: 'none' } } as const;

afterEach(() => {
  vi.useRealTimers();
});

test('with fake timers, put in before the supervisor is made', async () => {
  vi.useFakeTimers();
  const supervisor = new Supervisor({ defaults });
  const task = supervisor.submit({
    run: ({ attempt }) => {
      if (attempt < 3) throw new Error('no answer');
      return 'fresh rates';
    },
  });
  await vi.advanceTimersByTimeAsync(60_000); // two retries, each after 30 s
  expect(task.status).toBe('ended');
  expect(await task.value()).toBe('fresh rates');
});

test('with a virtual clock, and without fake timers', async () => {
  const clock = new VirtualClock();
  const supervisor = new Supervisor({ clock, defaults });
  const task = supervisor.submit({
    run: ({ attempt }) => {
      if (attempt < 3) throw new Error('no answer');
      return 'fresh rates';
    },
  });
  await clock.advance(60_000);
  expect(task.status).toBe('ended');
  expect(await task.value()).toBe('fresh rates');
});
