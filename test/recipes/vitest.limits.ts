// What does not work with fake timers, as the README of slotvisor/testing says.

import { Supervisor } from 'slotvisor';
import { afterEach, expect, test, vi } from 'vitest';

const defaults = { backoff: { firstMs: 30_000, jitter: 'none' } } as const;

function failsTwice({ attempt }: { attempt: number }): string {
  if (attempt < 3) throw new Error('no answer');
  return 'fresh rates';
}

afterEach(() => {
  vi.useRealTimers();
});

test('a synchronous advance runs no attempt: each one needs a turn after its timer', async () => {
  vi.useFakeTimers();
  const supervisor = new Supervisor({ defaults });
  const task = supervisor.submit({ run: failsTwice });
  vi.advanceTimersByTime(60_000);
  expect(task.status).toBe('starting');
  await vi.advanceTimersByTimeAsync(0);
  vi.advanceTimersByTime(60_000);
  await vi.advanceTimersByTimeAsync(0);
  expect(task.status).toBe('backoff'); // the second retry was not even scheduled during the advance
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await task.value()).toBe('fresh rates');
});

test('a supervisor that was made before the fake timers does not follow them', async () => {
  const supervisor = new Supervisor({ defaults });
  vi.useFakeTimers();
  const task = supervisor.submit({ run: failsTwice });
  await vi.advanceTimersByTimeAsync(600_000);
  expect(task.status).toBe('backoff');
  expect(await task.cancel()).toMatchObject({ kind: 'canceled', attempts: 1 });
});

test('a supervisor that was made under fake timers gets no time once they are taken out', async () => {
  vi.useFakeTimers();
  const supervisor = new Supervisor({ defaults: { backoff: { firstMs: 10, jitter: 'none' } } });
  const task = supervisor.submit({ run: failsTwice });
  await vi.advanceTimersByTimeAsync(0);
  vi.useRealTimers();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(task.status).toBe('backoff');
  expect(await task.cancel()).toMatchObject({ kind: 'canceled', attempts: 1 });
});
