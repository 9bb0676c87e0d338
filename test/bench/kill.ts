// How long a body takes to begin, how long from the request to end it until it is proved dead, and
// what is still alive when a peer reports the end. Then the overhead of a body that ends by itself
// (kill-overhead.ts). npm run bench:kill -- [--rounds 20] Times are medians (and 90th percentiles)
// in ms. The rounds of all contenders are interleaved, so that all run under the same load.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { execa } from 'execa';
import { Piscina } from 'piscina';
import { Supervisor } from 'slotvisor';
import { subprocessTask } from 'slotvisor/subprocess';
import { workerTask } from 'slotvisor/worker';
import { x } from 'tinyexec';
import { measureOverhead } from './kill-overhead.ts';

interface Begun {
  /** Ends the body. Resolves when the contender reports the end. */
  end(): Promise<unknown>;
  /** How much of the body is still alive then. */
  left(): number | Promise<number>;
}
type Contender = readonly [name: string, begin: () => Promise<Begun>];

const { values: given } = parseArgs({ options: { rounds: { type: 'string' } } });
const rounds = Number(given.rounds ?? 20);
const folder = mkdtempSync(join(tmpdir(), 'slotvisor-bench-'));

console.log(`node ${process.versions.node}, ${rounds} rounds`);

// Missing from the types of the project's language level, but present in the oldest supported Node.
const { waitAsync } = Atomics as unknown as {
  waitAsync(on: Int32Array, at: number, value: number): { value: Promise<string> | string };
};

// The worker counts in shared memory while it lives. What it counts after its reported end is the
// overlap.
const spinner = join(folder, 'spinner.mjs');
writeFileSync(
  spinner,
  `import { workerData } from 'node:worker_threads';
  const spin = (count) => {
    for (;;) if (Atomics.add(count, 0, 1) === 0) Atomics.notify(count, 0);
  };
  if (workerData?.bare) spin(workerData.count);
  export default (task) => spin(task.workerData?.count ?? task.count);`,
);

async function counting(begin: (count: Int32Array) => () => Promise<unknown>): Promise<Begun> {
  const count = new Int32Array(new SharedArrayBuffer(4));
  const end = begin(count);
  await waitAsync(count, 0, 0).value;
  return {
    end,
    left: async () => {
      const then = Atomics.load(count, 0);
      await sleep(5);
      return Atomics.load(count, 0) === then ? 0 : 1;
    },
  };
}

const supervisor = new Supervisor({ defaults: { graceMs: 0 } });
const inSlot = (run: Parameters<Supervisor['submit']>[0]['run']) =>
  supervisor.submit({ slot: 'bench', restart: 'never', run });

const pool = () => new Piscina({ filename: spinner, maxThreads: 1, execArgv: [] });

const workers: Contender[] = [
  [
    'slotvisor/worker',
    () =>
      counting((count) => {
        const submission = inSlot(workerTask(spinner, { workerData: { count }, execArgv: [] }));
        return () => submission.cancel();
      }),
  ],
  [
    'bare Worker, terminate()',
    () =>
      counting((count) => {
        const worker = new Worker(spinner, { workerData: { bare: true, count }, execArgv: [] });
        return () => worker.terminate();
      }),
  ],
  [
    'piscina, destroy()',
    () =>
      counting((count) => {
        const threads = pool();
        threads.run({ count }, {}).catch(() => {});
        return () => threads.destroy();
      }),
  ],
  [
    'piscina, signal',
    () =>
      counting((count) => {
        const threads = pool();
        const stop = new AbortController();
        const done = threads.run({ count }, { signal: stop.signal }).catch(() => {});
        return () => {
          stop.abort();
          return done.finally(() => void threads.destroy());
        };
      }),
  ],
];

// The shell has a child that outlives it by ten seconds, unless the whole group is ended. Both end
// at once when they are asked to.
const SCRIPT = 'sleep 10 & echo $!; wait';

async function child(begin: (heard: (line: string) => void) => () => Promise<unknown>): Promise<Begun> {
  let heard = (_: string): void => {};
  const line = new Promise<string>((resolve) => {
    heard = resolve;
  });
  const end = begin(heard);
  const pid = Number(await line);
  return {
    end,
    left: () => {
      if (readState(pid) === 'dead') return 0;
      process.kill(pid, 'SIGKILL');
      return 1;
    },
  };
}

function readState(pid: number): 'dead' | 'alive' {
  try {
    process.kill(pid, 0);
    return process.platform === 'linux' && / Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')) ? 'dead' : 'alive';
  } catch {
    return 'dead';
  }
}

const firstLine = async (lines: AsyncIterable<string>, heard: (line: string) => void): Promise<void> => {
  for await (const line of lines) heard(line);
};

const processes: Contender[] = [
  [
    'slotvisor/subprocess',
    () =>
      child((heard) => {
        const submission = supervisor.submit({
          slot: 'bench',
          restart: 'never',
          graceMs: 10_000,
          run: subprocessTask('sh', ['-c', SCRIPT], { onLine: heard }),
        });
        return () => submission.cancel();
      }),
  ],
  [
    'bare spawn, kill()',
    () =>
      child((heard) => {
        const bare = spawn('sh', ['-c', SCRIPT], { stdio: ['ignore', 'pipe', 'pipe'] });
        bare.stdout.once('data', (data) => heard(String(data)));
        return () => {
          bare.kill();
          return once(bare, 'exit');
        };
      }),
  ],
  [
    'execa, cancelSignal',
    () =>
      child((heard) => {
        const stop = new AbortController();
        const run = execa('sh', ['-c', SCRIPT], { cancelSignal: stop.signal, stdin: 'ignore', buffer: false });
        firstLine(run, heard).catch(() => {});
        const exit = new Promise((resolve) => (run as unknown as NodeJS.EventEmitter).once('exit', resolve));
        run.catch(() => {});
        return () => {
          stop.abort();
          return exit;
        };
      }),
  ],
  [
    'tinyexec, kill()',
    () =>
      child((heard) => {
        const run = x('sh', ['-c', SCRIPT], {});
        firstLine(run, heard).catch(() => {});
        const exit = once((run as unknown as { process: NodeJS.EventEmitter }).process, 'exit');
        return () => {
          run.kill('SIGTERM');
          return exit;
        };
      }),
  ],
];

async function measure(title: string, contenders: readonly Contender[]): Promise<void> {
  const figures = new Map(contenders.map(([name]) => [name, { begin: [] as number[], end: [] as number[], left: 0 }]));
  for (let round = -2; round < rounds; round += 1)
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(turn + round + 2) % contenders.length]; // each round begins with another contender
      if (contender === undefined) continue;
      const [name, begin] = contender;
      const startedAt = performance.now();
      const begun = await begin();
      const askedAt = performance.now();
      await begun.end();
      const endedAt = performance.now();
      const left = await begun.left();
      const figure = figures.get(name);
      if (round < 0 || figure === undefined) continue; // the first ones warm up
      figure.begin.push(askedAt - startedAt);
      figure.end.push(endedAt - askedAt);
      figure.left += left;
    }
  console.log(
    `\n${title.padEnd(28)}${'to first sign'.padStart(20)}${'end to free'.padStart(20)}${'alive after'.padStart(16)}`,
  );
  for (const [name, { begin, end, left }] of figures)
    console.log(
      `${name.padEnd(28)}${spread(begin).padStart(20)}${spread(end).padStart(20)}${`${left} of ${rounds}`.padStart(16)}`,
    );
}

function spread(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(1);
  return `${at(0.5)} (${at(0.9)})`;
}

await measure('a worker that spins', workers);
await measure('a shell with a child', processes);
await measureOverhead(supervisor, folder, rounds * 5);
await supervisor.shutdown({ graceMs: 0 });
rmSync(folder, { recursive: true });
