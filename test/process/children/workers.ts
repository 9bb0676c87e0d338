// A supervisor in a worker thread, and worker threads under a supervisor.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type KillableTask, Supervisor } from 'slotvisor';

// A thread does not inherit the loader for TypeScript.
const entry = JSON.stringify(new URL('./worker-inside.ts', import.meta.url).href);
const inside = new Worker(`import('tsx/esm/api').then(({ register }) => (register(), import(${entry})))`, {
  eval: true,
});
const [[report], [code]] = await Promise.all([once(inside, 'message'), once(inside, 'exit')]);
console.log(JSON.stringify({ inside: report, code }));

/** A thread that only `terminate` can stop. */
const alive = new Set<Worker>();
let most = 0;
let spinning = 0;
function spinner(): KillableTask<unknown> {
  let worker: Worker;
  return {
    run: async () => {
      worker = new Worker('require("node:worker_threads").parentPort.postMessage(0); for (;;);', { eval: true });
      alive.add(worker);
      most = Math.max(most, alive.size);
      const exit = once(worker, 'exit').then(() => alive.delete(worker));
      await once(worker, 'message');
      spinning += 1;
      await exit;
    },
    kill: async () => {
      await worker.terminate();
    },
  };
}

const supervisor = new Supervisor({ defaults: { graceMs: 3_600_000 } });
const first = supervisor.submit({ slot: 'cpu', name: 'first', graceMs: 20, run: spinner() });
while (spinning < 1) await new Promise((resolve) => setTimeout(resolve, 5));
supervisor.submit({ slot: 'cpu', name: 'second', admission: 'replace', run: spinner() });
const replaced = await first.outcome;
while (spinning < 2) await new Promise((resolve) => setTimeout(resolve, 5));
// The second attempt has a grace of an hour. Only the grace of the shutdown can end it.
const { killed, clean } = await supervisor.shutdown({ graceMs: 20 });
console.log(
  JSON.stringify({ replaced, spinning, most, alive: alive.size, clean, killed: killed.map(({ name }) => name) }),
);
