// The process that is measured: a supervisor with many slots and a steady load, and its dashboard.
// Run: node --expose-gc backend.js SLOTS SUBMISSIONS_A_SECOND, with an IPC channel for commands.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Supervisor, type TaskContext, type TaskSpec } from 'slotvisor';
import { type Dashboard, dashboard } from 'slotvisor/dashboard';
import type { Answers, Command, Page, Usage } from './commands.ts';

const [slots = 0, rate = 0] = process.argv.slice(2).map(Number);
const TICKS_A_SECOND = 50;
const KINDS = ['sync', 'feed', 'consumer', 'mail'];

const supervisor = new Supervisor({ slotDefaults: { queueLimit: Infinity }, warnings: false });
for (let n = 0; n < slots; n += 1) supervisor.submit(residentOf(n));

let jobs = 0;
if (rate > 0)
  setInterval(() => {
    for (let k = 0; k < rate / TICKS_A_SECOND; k += 1) {
      jobs += 1;
      supervisor.submit(jobOf(jobs));
    }
  }, 1_000 / TICKS_A_SECOND);

let page: Dashboard | undefined;
let server: Server | undefined;

const doers: { [C in Command]: () => Promise<Answers[C]> } = {
  open: async () => {
    page = dashboard(supervisor);
    server = createServer(page.listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
  close: async () => {
    page?.close();
    server?.closeAllConnections();
    server?.close();
    page = undefined;
    server = undefined;
    return true;
  },
  usage: async () => usage(),
  usageAfterGc: async () => {
    globalThis.gc?.();
    return usage();
  },
  connections: async () => (server === undefined ? 0 : promisify(server.getConnections).call(server)),
  pages: async () => pages(),
  memory: async () => memory(),
  end: async () => {
    await doers.close();
    setTimeout(() => process.exit(), 100); // after the answer
    return true;
  },
};
process.on('message', async (command: Command) => process.send?.(await doers[command]()));
process.once('disconnect', () => process.exit());

/** Most run and run. Some fail again and again, and some take too long. */
function residentOf(n: number): TaskSpec {
  const slot = `${KINDS[n % KINDS.length]}:tenant-${n}`;
  if (n % 1_000 < 6) return { slot, backoff: { firstMs: 4_000, maxMs: 40_000 }, run: (ctx) => refused(ctx, n) };
  if (n % 1_000 === 6) return { slot, timeoutMs: 700, backoff: { firstMs: 3_000 }, run: (ctx) => ctx.sleep(60_000) };
  return { slot, name: `revision ${n % 9}`, run: (ctx) => ctx.sleep(Infinity) };
}

async function refused(ctx: TaskContext, n: number): Promise<void> {
  await ctx.sleep(200 + (n % 7) * 60);
  throw new Error(`upstream answered 503 for tenant-${n}`);
}

function jobOf(n: number): TaskSpec {
  const run = async (ctx: TaskContext): Promise<void> => {
    await ctx.sleep(5 + (n % 50));
    if (n % 37 === 0) throw new Error('deadlock detected');
  };
  return { slot: `job:${n % 300}`, name: `job ${n}`, restart: 'never', run };
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  const { totals, eventsDropped } = supervisor.stats();
  return {
    atMs: performance.now(),
    cpuMs: (user + system) / 1_000,
    rssBytes: rss,
    heapBytes: heapUsed,
    submitted: totals.submitted,
    eventsDropped,
  };
}

/** By how many bytes the heap grows until all that is remembered is full, but for the minutes. */
async function memory(): Promise<number> {
  const heap = (): number => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  };
  const slotOf = (n: number): string => `import:${n % 1_000}`;
  const fill = async () => {
    for (let n = 0; n < 40_000; n += 1) {
      const run = (): never => {
        throw new Error(`table ${String.fromCharCode(97 + (n % 26), 97 + ((n >> 3) % 26))} is locked by request ${n}`);
      };
      supervisor.submit({ slot: slotOf(n), restart: 'never', run });
      supervisor.submit({ slot: slotOf(n), admission: 'dropIfRunning', run });
      if (n % 200 === 0) await sleep(40); // else events are lost
    }
    await sleep(1_000);
  };
  await fill(); // so that the code is compiled, and the supervisor has made its own
  const before = heap();
  await doers.open();
  await fill();
  return heap() - before;
}

const QUERIES = ['api/slots', 'api/slots?sort=name', 'api/slots?q=tenant-777', 'api/slots?group=mail&sort=since'];
const ROUNDS = 5;

/** Asks for pages one after another, while a timer of 2 ms looks for the longest block. */
async function pages(): Promise<Page[]> {
  const found: Page[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    for (const query of QUERIES) {
      await sleep(500 + 6 * (found.at(-1)?.ms ?? 0)); // past the rest that follows each sweep
      let worstMs = 0;
      let last = performance.now();
      const timer = setInterval(() => {
        const now = performance.now();
        worstMs = Math.max(worstMs, now - last - 2);
        last = now;
      }, 2);
      await sleep(10);
      worstMs = 0;
      const began = performance.now();
      const cpuBefore = process.cpuUsage();
      const response = await (page as Dashboard).fetch(new Request(`http://127.0.0.1/${query}`));
      await response.text();
      const ms = performance.now() - began;
      const { user, system } = process.cpuUsage(cpuBefore);
      await sleep(10);
      clearInterval(timer);
      found.push({ query, ms, cpuMs: (user + system) / 1_000, blockMs: worstMs });
    }
  return found;
}
