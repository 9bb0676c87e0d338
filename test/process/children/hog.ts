// A body that blocks the event loop for 300 ms: `hog.ts block|flood`. The other bodies wait, and
// nothing else happens to them.

import { Supervisor } from 'slotvisor';

const HOG_MS = 300;
const HOGS: Readonly<Record<string, () => void | Promise<void>>> = {
  block: () => {
    for (const until = performance.now() + HOG_MS; performance.now() < until; );
  },
  flood: async () => {
    for (const until = performance.now() + HOG_MS; performance.now() < until; ) await null;
  },
};
const hog = HOGS[process.argv[2] ?? ''];
if (hog === undefined) throw new Error('block or flood?');

const supervisor = new Supervisor();
const order: string[] = [];
const alive = new Map<string, number>();
let overlaps = 0;
const seqs: number[] = [];
const bad: string[] = [];
supervisor.subscribe(({ seq, type }) => {
  seqs.push(seq);
  if (type === 'attemptStalled' || type === 'attemptTimedOut' || type === 'overrun') bad.push(type);
});

/** Wraps a body: records its start, and counts the bodies that overlap in its slot. */
const counted = (slot: string, name: string, body: () => void | Promise<void>) => async () => {
  if ((alive.get(slot) ?? 0) > 0) overlaps += 1;
  alive.set(slot, (alive.get(slot) ?? 0) + 1);
  order.push(name);
  await body();
  alive.set(slot, (alive.get(slot) ?? 0) - 1);
};
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 5));

let starvedMs = 0;
const submissions = [
  supervisor.submit({
    slot: 'watched',
    stallMs: 200,
    run: async (ctx) => {
      for (let i = 0; i < 20; i += 1) {
        const from = performance.now();
        await pause();
        // The heartbeat comes after the timers of its turn: a watch that only compared times would
        // stall first.
        await new Promise((resolve) => setImmediate(resolve));
        starvedMs = Math.max(starvedMs, performance.now() - from);
        ctx.heartbeat();
      }
    },
  }),
  supervisor.submit({ slot: 'hog', run: counted('hog', 'first', pause) }),
  supervisor.submit({ slot: 'hog', run: counted('hog', 'hog', hog) }),
  supervisor.submit({ slot: 'hog', run: counted('hog', 'behind', pause) }),
  supervisor.submit({ slot: 'hog', run: counted('hog', 'last', pause) }),
  supervisor.submit({ slot: 'other', timeoutMs: 3_600_000, run: counted('other', 'other', pause) }),
];
const outcomes = await Promise.all(submissions.map((submission) => submission.outcome));
await supervisor.idle();
await new Promise((resolve) => setImmediate(resolve));
console.log(
  JSON.stringify({
    outcomes: outcomes.map(({ kind, ...rest }) => `${kind} ${'attempts' in rest ? rest.attempts : 0}`),
    order: order.filter((name) => name !== 'other'),
    overlaps,
    starved: starvedMs >= HOG_MS * 0.9,
    bad,
    gaps: seqs.filter((seq, i) => i > 0 && seq !== (seqs[i - 1] ?? 0) + 1).length,
    slots: supervisor.snapshot().slots.length,
  }),
);
