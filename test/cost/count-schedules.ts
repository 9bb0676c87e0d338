// Runs in its own process, so that nothing else fills the heap. Prints the bytes of one schedule
// whose expression it shares with the others, as JSON.

import { Supervisor } from 'slotvisor';
import { type Schedule, schedule } from 'slotvisor/cron';
import { VirtualClock } from 'slotvisor/testing';

async function heapUsed(): Promise<number> {
  for (let turn = 0; turn < 3; turn += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

async function bytesOfOne(count: number): Promise<number> {
  const supervisor = new Supervisor({ clock: new VirtualClock() });
  const options = { cron: '* * * * *', timezone: 'Europe/Berlin', task: { run: () => {} } };
  const made = new Array<Schedule | undefined>(count).fill(undefined);
  const before = await heapUsed();
  for (let n = 0; n < count; n += 1) made[n] = schedule(supervisor, options);
  const bytes = ((await heapUsed()) - before) / count;
  await Promise.all(made.map((one) => one?.stop()));
  return bytes;
}

await bytesOfOne(500); // warm-up: one-time allocations happen here
console.log(JSON.stringify({ few: await bytesOfOne(1_000), many: await bytesOfOne(10_000) }));
