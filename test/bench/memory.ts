// What submissions and live slots hold in memory.

import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskContext, TaskSpec } from 'slotvisor';
import { type AsyncBody, Busy, Chains } from './floors.ts';
import type { Contestant, Scenario } from './harness.ts';
import { heapUsed, turn } from './measure.ts';
import { newSupervisor, type Peer, queueNamed, type Runner, withAdmission } from './peers.ts';

const ours = withAdmission('queue');
const chains: Peer<Runner> = { name: 'floor', make: () => new Chains() };
const LONG = 1_000_000;

/** A new promise each time: a shared one would keep every supervisor that ever waited for it. */
const forever = (): Promise<void> => new Promise(() => {});

/** Bytes that a waiting submission holds above the caller's closure, which is made beforehand. */
function bytesEach({ make, ...peer }: Peer<Runner>, count: number): Contestant {
  return {
    ...peer,
    async measure() {
      const runner = make();
      const bodies = Array.from(
        { length: count },
        (_, n): AsyncBody =>
          async () =>
            void n,
      );
      const outcomes = new Array<unknown>(count).fill(undefined);
      void runner.run('slot', forever);
      const before = heapUsed();
      for (let i = 0; i < count; i += 1) outcomes[i] = runner.run('slot', bodies[i] as AsyncBody);
      const bytes = (heapUsed() - before) / outcomes.length;
      // The submissions and the closures must be reachable until here.
      if (!runner || bodies.length !== outcomes.length) throw new Error('nothing was measured');
      return { figure: bytes };
    },
  };
}

const unwatched: Peer<Runner> = {
  name: 'slotvisor, no outcome asked for',
  make() {
    const supervisor = newSupervisor();
    const unasked = forever();
    return {
      run(slot, run) {
        supervisor.submit({ slot, run });
        return unasked;
      },
    };
  },
};

const LIVE = 20_000;
const NAMES = Array.from({ length: LIVE }, (_, n) => `live-${n}`);

/** Bytes that a live slot holds, above its name. */
function bytesOfSlot(name: string, submitAll: () => Promise<unknown>): Contestant {
  return {
    name,
    async measure() {
      const before = heapUsed();
      const kept = await submitAll();
      const figure = (heapUsed() - before) / LIVE;
      if (!kept) throw new Error('nothing was measured'); // reachable until here
      return { figure };
    },
  };
}

const bareMap = bytesOfSlot('floor', async () => {
  const busy = new Busy();
  for (const slot of NAMES) void busy.run(slot, forever);
  return busy;
});

/** A slot each. Resolves when every body has begun, and those that end by themselves have ended. */
const living = (
  name: string,
  spec: Omit<TaskSpec<unknown>, 'slot' | 'run'>,
  body: (ctx: TaskContext) => Promise<unknown>,
) =>
  bytesOfSlot(name, async () => {
    const supervisor = newSupervisor();
    let began = 0;
    const run = (ctx: TaskContext): Promise<unknown> => {
      began += 1;
      return body(ctx);
    };
    for (const slot of NAMES) supervisor.submit({ ...spec, slot, run });
    while (began < LIVE) await turn();
    await sleep(100);
    return supervisor;
  });

export const memory: readonly Scenario[] = [
  {
    name: 'memory',
    title: "1,000,000 queued submissions on one slot, bytes each above the caller's closure",
    unit: 'bytes',
    rounds: 1,
    floor: 'a Map of keys to promise chains, 250,000 long, as are the peers',
    reaches: [{ atMost: 450 }, { atMost: 1.2, of: 'slotvisor, 250,000' }],
    contestants: () => [
      bytesEach(chains, LONG / 4),
      bytesEach(ours, LONG),
      bytesEach({ ...ours, name: 'slotvisor, 250,000' }, LONG / 4),
      bytesEach(unwatched, LONG),
      ...['p-queue', 'p-limit', 'fastq'].map((name) => bytesEach(queueNamed(name), LONG / 4)),
    ],
  },
  {
    name: 'live-memory',
    title: '20,000 live slots, bytes each above the name',
    unit: 'bytes',
    rounds: 3, // a figure that hardly varies
    floor: "a Map of keys to the bodies' promises",
    reaches: [
      { who: 'slotvisor, body runs', atMost: 1_000 },
      { who: 'slotvisor, body listens', atMost: 1_300 },
    ],
    contestants: () => [
      bareMap,
      living('slotvisor, body runs', {}, forever),
      living('slotvisor, body listens', {}, (ctx) => new Promise((resolve) => ctx.onCancel(resolve))),
      living('slotvisor, loop between runs', { restart: 'always', intervalMs: 3_600_000 }, (ctx) => ctx.sleep(1)),
    ],
  },
];
