// A supervisor inside a worker thread. The thread must exit by itself.

import { parentPort } from 'node:worker_threads';
import { Supervisor } from 'slotvisor';

const supervisor = new Supervisor();
const { outcomes, shutdown } = await supervisor.run([
  { slot: 'a', run: () => 'value' },
  { slot: 'a', run: (ctx) => ctx.sleep(5) },
  { slot: 'b', restart: 'never', timeoutMs: 5, run: (ctx) => ctx.sleep(3_600_000) },
]);
parentPort?.postMessage({ outcomes: outcomes.map(({ kind }) => kind), cause: shutdown.cause });
