// Guards the cost of a place at the gate by a count: of the jobs of p-queue. A job costs as much as
// the rest of a short attempt.

import PQueue from 'p-queue';
import { Supervisor } from 'slotvisor';
import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.restoreAllMocks();
});

test('a place at the gate is one job of p-queue, however many attempts have it one after the other', async () => {
  const jobs = vi.spyOn(PQueue.prototype, 'add');
  const supervisor = new Supervisor({ concurrency: 4 });
  const submit = (slot: number) => supervisor.submit({ slot: `${slot}`, run: async () => {} }).outcome;
  supervisor.pause();
  const all = Promise.all(Array.from({ length: 500 }, (_, n) => submit(n))); // all of them wait
  supervisor.resume();
  await all;
  for (let n = 0; n < 500; n += 1) await submit(n); // none of them waits
  expect(jobs).toHaveBeenCalledTimes(4);
});
