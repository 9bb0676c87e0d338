// Shows: a newer revision replaces a thread that computes without a pause, and kills it.
// Run: node --import tsx examples/worker-hash.ts

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Supervisor } from 'slotvisor';
import { workerTask } from 'slotvisor/worker';

const folder = fileURLToPath(new URL('../src', import.meta.url)); // files of this repository
const supervisor = new Supervisor({ defaults: { graceMs: 100 } });

// A promise that never yields cannot be stopped. A thread can be terminated. The next revision
// starts when the thread of the old one has ended.
function startHashing(revision: number, rounds: number) {
  const hashed = new Int32Array(new SharedArrayBuffer(4)); // counts hashed blocks
  const submission = supervisor.submit({
    slot: 'hash',
    name: `revision ${revision}`,
    admission: 'replace',
    restart: 'never',
    run: workerTask<string[]>(new URL('./worker-hash/sha256.mjs', import.meta.url), {
      workerData: { folder, rounds, hashed },
      execArgv: [], // plain JavaScript: the worker needs no loader
    }),
  });
  console.log(`revision ${revision}: ${submission.admission}`);
  return { submission, hashed };
}

const first = startHashing(1, Infinity);
while (first.hashed[0] === 0) await sleep(1);
console.log('revision 1: hashing, round after round');

const second = startHashing(2, 1);
const { kind } = await first.submission.outcome;
const blocks = first.hashed[0];
console.log(`revision 1: ${kind}`);

const digests = await second.submission.value();
console.log(`revision 2: completed`);

const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
const expected = paths.map((path) => createHash('sha256').update(readFileSync(path)).digest('hex'));
console.log(`the digests are those of node:crypto: ${digests.join() === expected.join()}`);
console.log(`blocks that revision 1 hashed after its end: ${Number(first.hashed[0]) - Number(blocks)}`);
