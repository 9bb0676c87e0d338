// Shows: BullMQ keeps and carries the jobs, and the slot decides what becomes of them. Six revisions
// are added with the policy `replace`. Each stops the one before it, in whichever of three workers
// that runs, and starts when it has ended.
// Run: REDIS_URL=redis://localhost:6379 npx tsx examples/durable-bullmq.ts
//
// What the order of BullMQ does not promise: a job that is tried again, or whose worker has died,
// comes after newer revisions, and stops them. If that matters, compare revisions in the body. And
// a job may be delivered twice.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { type AdmissionPolicy, Supervisor, type TaskContext } from 'slotvisor';
import { redisLeases } from 'slotvisor/redis';

interface Sync {
  readonly slot: string;
  readonly admission: AdmissionPolicy;
  readonly revision: number;
}

const prefix = 'slotvisor-bullmq'; // of this example; without the option it is `slotvisor`
const url = process.env.REDIS_URL ?? 'redis://localhost:6379';
const redis = new Redis(url);
const connection = { url, maxRetriesPerRequest: null };

let begun = 0;
const outcomes = new Map<number, string>();

async function sync(ctx: TaskContext, revision: number): Promise<void> {
  console.log(`revision ${revision}: began`);
  begun += 1;
  try {
    while (revision < 6) await ctx.sleep(50); // the work; the last revision comes to an end
  } finally {
    console.log(`revision ${revision}: ended`);
  }
}

// In a service each worker is a process. It has one supervisor for all that it runs.
function startWorker() {
  const supervisor = new Supervisor({ leases: redisLeases(redis, { prefix, ttlMs: 3_000 }) });

  async function run({ data }: Job<Sync>, _token?: string, signal?: AbortSignal): Promise<string> {
    const { slot, admission, revision } = data;
    const task = { slot, admission, restart: 'never', signal, run: (ctx: TaskContext) => sync(ctx, revision) } as const;
    const outcome = await supervisor.submit(task).outcome;
    const how = outcome.kind === 'canceled' ? `canceled by ${outcome.by}` : outcome.kind;
    outcomes.set(revision, how);
    // What is thrown fails the job, and BullMQ tries it again, if it has `attempts`.
    if (outcome.kind === 'failed' || how === 'canceled by leaseLost') throw new Error(how);
    return how;
  }

  // A job that waits for its slot takes one of these places.
  const worker = new Worker<Sync>('sync', run, { connection, prefix, concurrency: 10 });
  return { supervisor, worker };
}

const workers = [startWorker(), startWorker(), startWorker()];

const queue = new Queue<Sync>('sync', { connection, prefix });
for (let revision = 1; revision <= 6; revision += 1) {
  await queue.add('sync', { slot: 'sync:acme', admission: 'replace', revision });
  while (begun < revision) await sleep(10);
}
while (outcomes.size < 6) await sleep(10);
console.log([1, 2, 3, 4, 5, 6].map((revision) => outcomes.get(revision)).join(', '));

for (const { supervisor, worker } of workers) {
  await worker.close();
  await supervisor.shutdown();
}
await queue.obliterate({ force: true });
await queue.close();
for await (const keys of redis.scanStream({ match: `*${prefix}*` })) if (keys.length > 0) await redis.unlink(keys);
redis.disconnect();
