// Common uses at a steady rate, in real time: resident loops, keys whose body is replaced again and
// again, and short jobs. Beside the same by hand. All figures are CPU time: the work waits most of
// the time.

import { setTimeout as sleep } from 'node:timers/promises';
import Bottleneck from 'bottleneck';
import PQueue from 'p-queue';
import type { Contestant, Scenario } from './harness.ts';
import { atRate, heapUsed, once, Together } from './measure.ts';
import { newSupervisor } from './peers.ts';

// Resident loops.

const LOOPS = 10_000;
const PERIOD_MS = 1_000;
const WORK_MS = 1;
const RETRY_MS = 200;
const RETRY_MAX_MS = 30_000;

type Loop = (signal: AbortSignal) => Promise<void>;

/** Starts the loops, each of which runs once a period. Returns what stops them. */
type StartLoops = (ran: () => void) => () => unknown;

/** A loop that goes on after a failure, later each time, and that can be stopped at any point. */
const loopByHand =
  (body: Loop): Loop =>
  async (signal) => {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await body(signal);
        failures = 0;
      } catch {
        failures += 1;
      }
      const pauseMs = failures === 0 ? PERIOD_MS : Math.min(RETRY_MS * 2 ** failures, RETRY_MAX_MS);
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
  };

const loopsByHand: StartLoops = (ran) => {
  const controllers = Array.from({ length: LOOPS }, () => new AbortController());
  const loop = loopByHand(async (signal) => {
    ran();
    await sleep(WORK_MS, undefined, { signal });
  });
  const ended = controllers.map(({ signal }) => loop(signal));
  return () => {
    for (const controller of controllers) controller.abort();
    return Promise.all(ended);
  };
};

const loopsInSlots: StartLoops = (ran) => {
  const supervisor = newSupervisor();
  for (let n = 0; n < LOOPS; n += 1)
    supervisor.submit({
      slot: `loop-${n}`,
      restart: 'always',
      intervalMs: PERIOD_MS,
      run: async (ctx) => {
        ran();
        await ctx.sleep(WORK_MS);
      },
    });
  return () => supervisor.shutdown();
};

/** CPU time a run, and bytes a loop between its runs. */
function looping(name: string, start: StartLoops): Contestant[] {
  const together = new Together(async () => {
    let runs = 0;
    const before = heapUsed();
    const stop = start(() => {
      runs += 1;
    });
    await sleep(PERIOD_MS * 1.5); // all run together; this is between two of their runs
    const bytes = (heapUsed() - before) / LOOPS;
    runs = 0;
    const { figure } = await once(1, () => sleep(PERIOD_MS));
    const cost = { figure: figure / runs };
    await stop();
    return { cost, bytes: { figure: bytes } };
  });
  return [
    { name, measure: together.figure('cost') },
    { name: `${name}, bytes a loop`, unit: 'bytes', measure: together.figure('bytes') },
  ];
}

// Work at a steady rate.

interface Worker {
  readonly name: string;
  readonly lacks?: string;
  open(): { work(key: string): unknown; close?(): unknown };
}

/** The keys take turns. */
function steadily({ open, ...worker }: Worker, keys: number, perSecond: number, seconds: number): Contestant {
  const names = Array.from({ length: keys }, (_, n) => `sync:${n}`);
  return {
    ...worker,
    async measure() {
      const { work, close } = open();
      let next = 0;
      const { operations, cpuNs } = await atRate(perSecond, seconds, () => {
        work(names[next] as string);
        next = (next + 1) % keys;
      });
      await close?.();
      await sleep(LAST_MS);
      return { figure: cpuNs / operations };
    },
  };
}

/** The last bodies have ended by then. */
const LAST_MS = 30;

// Replaced keys. A body listens to its signal as `fetch` does, and takes longer than it is given.

const REPLACED = { keys: 1_000, perSecond: 10_000, seconds: 1 } as const;
const TAKES_MS = 60_000;

const request = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, TAKES_MS);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });

interface Live {
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

const replacing: readonly Worker[] = [
  {
    name: 'by hand',
    lacks: 'a key stays; a superseded body still runs',
    open() {
      const owners = new Map<string, Live>();
      return {
        work(key) {
          const last = owners.get(key);
          last?.controller.abort();
          const controller = new AbortController();
          const ended = (last?.ended ?? Promise.resolve()).then(() => request(controller.signal)).catch(() => {});
          owners.set(key, { controller, ended });
        },
        close() {
          for (const { controller } of owners.values()) controller.abort();
        },
      };
    },
  },
  {
    name: 'slotvisor',
    open() {
      const supervisor = newSupervisor();
      return {
        work: (slot) =>
          supervisor.submit({ slot, admission: 'replace', restart: 'never', run: (ctx) => request(ctx.signal) }),
        close: () => supervisor.shutdown(),
      };
    },
  },
  {
    name: 'p-queue',
    lacks: 'a key stays; a superseded body still runs; the abort is wired by hand',
    open() {
      const all = new Map<string, { readonly queue: PQueue; controller: AbortController }>();
      return {
        work(key) {
          const controller = new AbortController();
          const known = all.get(key);
          known?.controller.abort();
          const one = known ?? { queue: new PQueue({ concurrency: 1 }), controller };
          one.controller = controller;
          all.set(key, one);
          one.queue.add(() => request(controller.signal)).catch(() => {});
        },
        close() {
          for (const { controller } of all.values()) controller.abort();
        },
      };
    },
  },
];

// Short jobs, one at a time for a key.

const JOBS = { keys: 100, perSecond: 2_000, seconds: 2 } as const;
const JOB_MS = 5;

const job = (): Promise<void> => sleep(JOB_MS);

const jobbing: readonly Worker[] = [
  {
    name: 'by hand',
    open() {
      const tails = new Map<string, Promise<void>>();
      return {
        work(key) {
          const tail = (tails.get(key) ?? Promise.resolve()).then(job, job);
          tails.set(key, tail);
          void tail.then(() => {
            if (tails.get(key) === tail) tails.delete(key);
          });
        },
      };
    },
  },
  {
    name: 'slotvisor',
    open() {
      const supervisor = newSupervisor();
      return { work: (slot) => supervisor.submit({ slot, restart: 'never', run: job }).outcome };
    },
  },
  {
    name: 'p-queue',
    lacks: 'a key stays',
    open() {
      const queues = new Map<string, PQueue>();
      return {
        work(key) {
          const queue = queues.get(key) ?? new PQueue({ concurrency: 1 });
          queues.set(key, queue);
          return queue.add(job);
        },
      };
    },
  },
  {
    name: 'bottleneck',
    open() {
      const group = new Bottleneck.Group({ maxConcurrent: 1 });
      return { work: (key) => group.key(key).schedule(job), close: () => group.disconnect() };
    },
  },
];

export const realUse: readonly Scenario[] = [
  {
    name: 'resident',
    title: '10,000 resident loops, each runs once a second and sleeps 1 ms: a run, and the bytes of a loop',
    unit: 'ns',
    floor: 'by hand, with an AbortController and timers/promises',
    reaches: [
      { atMost: 1, of: 'by hand' },
      { who: 'slotvisor, bytes a loop', atMost: 1, of: 'by hand, bytes a loop' },
    ],
    contestants: () => [...looping('by hand', loopsByHand), ...looping('slotvisor', loopsInSlots)],
  },
  {
    name: 'replaced-keys',
    title: '1,000 keys, each replaced 10 times a second; a body listens to its signal as fetch does',
    unit: 'ns',
    floor: 'by hand: a Map of keys to an AbortController and the end of its body',
    reaches: [{ atMost: 1, of: 'by hand' }],
    contestants: () => replacing.map((one) => steadily(one, REPLACED.keys, REPLACED.perSecond, REPLACED.seconds)),
  },
  {
    name: 'short-jobs',
    title: '2,000 jobs of 5 ms a second, over 100 keys, one at a time for a key',
    unit: 'ns',
    floor: 'by hand: a Map of keys to promise chains, that forgets idle keys',
    reaches: [
      { atMost: 1.3, of: 'by hand' },
      { atMost: 1, of: 'bottleneck' },
    ],
    contestants: () => jobbing.map((one) => steadily(one, JOBS.keys, JOBS.perSecond, JOBS.seconds)),
  },
];
