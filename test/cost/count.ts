// Runs in its own process, so that no other promises are counted. Prints its counts as JSON.

import { createHook } from 'node:async_hooks';
import { Supervisor, type TaskContext } from 'slotvisor';

const never = (): Promise<never> => new Promise(() => {});
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

/** The least of several: the platform compiles what has become hot whenever it likes. */
async function leastBytesQueued(count: number, options?: { timeoutMs?: number }): Promise<number> {
  let bytes = Infinity;
  for (let n = 0; n < 5; n += 1) bytes = Math.min(bytes, await bytesQueued(count, options));
  return bytes;
}

/** Bytes that a running body and its listener hold, less those of a body without a listener. */
async function bytesListening(count: number): Promise<number> {
  const listener = () => {};
  const bytesOf = async (run: (ctx: TaskContext) => Promise<never>): Promise<number> => {
    const supervisor = newSupervisor();
    const before = await heapUsed();
    for (let n = 0; n < count; n += 1) supervisor.submit({ run });
    while (supervisor.stats().tasks.running < count) await new Promise((resolve) => setImmediate(resolve));
    const bytes = ((await heapUsed()) - before) / count;
    await supervisor.shutdown({ graceMs: 0 });
    return bytes;
  };
  const forever = never(); // shared, so that the promise of a body does not count
  const silent = await bytesOf(() => forever);
  const listening = await bytesOf((ctx) => {
    ctx.onCancel(listener);
    return forever;
  });
  return listening - silent;
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

/** Bytes that a live slot holds, with its owner and a body that never ends. */
async function bytesLive(count: number): Promise<number> {
  const supervisor = newSupervisor();
  const body = never();
  let begun = 0;
  const run = () => {
    begun += 1;
    return body;
  };
  const names = Array.from({ length: count }, (_, n) => `live:${n}`);
  const before = await heapUsed();
  for (const slot of names) supervisor.submit({ slot, run });
  while (begun < count) await new Promise((resolve) => setImmediate(resolve));
  const bytes = ((await heapUsed()) - before) / count;
  return supervisor.stats().bodies === count ? bytes : Infinity; // alive until here
}

/** Bytes that a call allocates, and its time in ms: the smallest of several. */
function costOf(call: () => unknown): { readonly bytes: number; readonly ms: number } {
  let bytes = Infinity;
  let ms = Infinity;
  for (let n = 0; n < 200; n += 1) {
    const [before, fromMs] = [process.memoryUsage().heapUsed, performance.now()];
    call();
    ms = Math.min(ms, performance.now() - fromMs);
    const used = process.memoryUsage().heapUsed - before;
    if (used > 0) bytes = Math.min(bytes, used); // else there was a collection
  }
  return { bytes, ms };
}

const costOfStats = (queued: number) => {
  const supervisor = newSupervisor();
  const spec = { slot: 's', run: never };
  for (let n = 0; n <= queued; n += 1) supervisor.submit(spec);
  return costOf(() => supervisor.stats());
};

/** The first 50 views, each without its queue. */
const costOfSlots = (slots: number) => {
  const supervisor = newSupervisor();
  for (let n = 0; n < slots; n += 1) for (let k = 0; k < 2; k += 1) supervisor.submit({ slot: `s${n}`, run: never });
  return costOf(() => {
    let left = 50;
    for (const { queuedCount } of supervisor.slots({ queued: 0 })) {
      left -= queuedCount;
      if (left === 0) return;
    }
  });
};

await bytesQueued(10_000); // warm-up: one-time allocations happen here
await resources(1_000);
await bytesLive(3_000);
const few = await resources(1_000);
const many = await resources(100_000);
console.log(
  JSON.stringify({
    bytesQueued: await leastBytesQueued(10_000),
    bytesQueuedMany: await bytesQueued(1_000_000),
    bytesQueuedWithOptions: await leastBytesQueued(10_000, { timeoutMs: 60_000 }),
    bytesLive: await bytesLive(20_000),
    bytesListening: await bytesListening(10_000),
    promises: few.promises,
    promisesMany: many.promises,
    resources: few.all,
    resourcesMany: many.all,
    stats: costOfStats(1_000),
    statsMany: costOfStats(1_000_000),
    slots: costOfSlots(100),
    slotsMany: costOfSlots(100_000),
  }),
);
