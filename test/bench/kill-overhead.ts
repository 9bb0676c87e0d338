// The overhead of a supervised body over the same bare body, when it ends by itself: until its
// first sign of life, and until its slot is free. Bodies do nothing, so the ratio is the worst
// case. Each pair is measured back to back, in alternating order.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Supervisor } from 'slotvisor';
import { subprocessTask } from 'slotvisor/subprocess';
import { workerTask } from 'slotvisor/worker';

/** Runs one body to its end, and returns when it gave its first sign of life. */
type Run = () => Promise<{ readonly signAt: number }>;
type Pair = readonly [name: string, ours: Run, bare: Run];

/**
 * Missing from the types of the project's language level, but present in the oldest supported Node.
 */
const { waitAsync } = Atomics as unknown as {
  waitAsync(on: Int32Array, at: number, value: number): { value: Promise<string> | string };
};

async function signed(run: (count: Int32Array) => Promise<unknown>): Promise<{ signAt: number }> {
  const count = new Int32Array(new SharedArrayBuffer(4));
  const over = run(count);
  await waitAsync(count, 0, 0).value;
  const signAt = performance.now();
  await over;
  return { signAt };
}

function pairs(supervisor: Supervisor, folder: string): Pair[] {
  const body = join(folder, 'body.mjs');
  writeFileSync(
    body,
    `import { parentPort, workerData } from 'node:worker_threads';
    const sign = (count) => Atomics.store(count, 0, 1) && Atomics.notify(count, 0);
    if (workerData.bare) parentPort.postMessage(sign(workerData.count));
    export default (task) => sign(task.workerData.count);`,
  );
  const inSlot = (run: Parameters<Supervisor['submit']>[0]['run']) =>
    supervisor.submit({ slot: 'overhead', restart: 'never', run }).value();
  const echo = ['-c', 'echo'];
  return [
    [
      'worker / bare Worker',
      () => signed((count) => inSlot(workerTask(body, { workerData: { count }, execArgv: [] }))),
      () =>
        signed((count) => {
          const worker = new Worker(body, { workerData: { bare: true, count }, execArgv: [] });
          return Promise.all([once(worker, 'message'), once(worker, 'exit')]);
        }),
    ],
    [
      'subprocess / bare spawn',
      async () => {
        let signAt = Number.NaN;
        const onLine = (): void => {
          signAt = performance.now();
        };
        await inSlot(subprocessTask('/bin/sh', echo, { onLine }));
        return { signAt };
      },
      async () => {
        let signAt = Number.NaN;
        const child = spawn('/bin/sh', echo, { env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
        child.stdout.once('data', () => {
          signAt = performance.now();
        });
        child.stderr.resume();
        await once(child, 'close');
        return { signAt };
      },
    ],
  ];
}

async function timed(run: Run): Promise<{ sign: number; whole: number }> {
  const startedAt = performance.now();
  const { signAt } = await run();
  return { sign: signAt - startedAt, whole: performance.now() - startedAt };
}

/** The median, and its 95 % confidence interval, which holds for any distribution. */
function median(values: readonly number[]): { at: number; from: number; to: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const reach = 0.98 * Math.sqrt(sorted.length);
  const place = (n: number): number => sorted[Math.max(0, Math.min(sorted.length - 1, Math.round(n)))] ?? Number.NaN;
  return { at: place(middle), from: place(middle - reach), to: place(middle + reach) };
}

export async function measureOverhead(supervisor: Supervisor, folder: string, rounds: number): Promise<void> {
  const title = `${rounds} pairs: ms more, as a ratio`;
  console.log(`\n${title.padEnd(30)}${'to first sign'.padStart(34)}${'to slot free'.padStart(34)}`);
  for (const [name, ours, bare] of pairs(supervisor, folder)) {
    const sign: Both[] = [];
    const whole: Both[] = [];
    for (let round = -3; round < rounds; round += 1) {
      const oursFirst = round % 2 === 0;
      const first = await timed(oursFirst ? ours : bare);
      const second = await timed(oursFirst ? bare : ours);
      if (round < 0) continue; // the first ones warm up
      const [a, b] = oursFirst ? [first, second] : [second, first];
      sign.push([a.sign, b.sign]);
      whole.push([a.whole, b.whole]);
    }
    console.log(`${name.padEnd(30)}${text(sign).padStart(34)}${text(whole).padStart(34)}`);
  }
}

type Both = readonly [ours: number, bare: number];

function text(pairs: readonly Both[]): string {
  const more = median(pairs.map(([ours, bare]) => ours - bare));
  const ratio = median(pairs.map(([ours, bare]) => ours / bare));
  return `${more.at.toFixed(2)} ms, ${ratio.at.toFixed(3)} (${ratio.from.toFixed(3)} to ${ratio.to.toFixed(3)})`;
}
