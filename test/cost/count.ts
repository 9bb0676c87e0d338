// Runs in its own process, so that no other promises are counted. Prints its counts as JSON.

import { createHook } from 'node:async_hooks';
import { Supervisor } from 'slotvisor';

const newSupervisor = () => new Supervisor({ slotDefaults: { queueLimit: Infinity } });

async function heapUsed(): Promise<number> {
  for (let turn = 0; turn < 3; turn += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

async function bytesQueued(count: number, options: { timeoutMs?: number } = {}): Promise<number> {
  const supervisor = newSupervisor();
  const owner = supervisor.submit({ slot: 's', run: (ctx) => ctx.sleep(Infinity) });
  const spec = { slot: 's', run: async () => {}, ...options };
  const before = await heapUsed();
  for (let n = 0; n < count; n += 1) supervisor.submit(spec);
  const bytes = ((await heapUsed()) - before) / count;
  await supervisor.slot('s').cancel();
  await owner.outcome;
  return bytes;
}

async function resources(count: number): Promise<{ readonly promises: number; readonly all: number }> {
  const supervisor = newSupervisor();
  let promises = 0;
  let all = 0;
  const hook = createHook({
    init(_, type) {
      all += 1;
      if (type === 'PROMISE') promises += 1;
    },
  }).enable();
  for (let n = 0; n < count; n += 1) await supervisor.submit({ slot: 's', run: async () => {} }).outcome;
  hook.disable();
  return { promises: promises / count, all: all / count };
}

await bytesQueued(1_000); // warm-up: one-time allocations happen here
await resources(1_000);
const few = await resources(1_000);
const many = await resources(100_000);
console.log(
  JSON.stringify({
    bytesQueued: await bytesQueued(10_000),
    bytesQueuedMany: await bytesQueued(1_000_000),
    bytesQueuedWithOptions: await bytesQueued(10_000, { timeoutMs: 60_000 }),
    promises: few.promises,
    promisesMany: many.promises,
    resources: few.all,
    resourcesMany: many.all,
  }),
);
