// Does the cost stay flat? One operation beside few others, and beside very many.

import type { Submission, Supervisor } from 'slotvisor';
import type { AsyncBody } from './floors.ts';
import type { Contestant, Scenario } from './harness.ts';
import { collectGarbage, lazily, type Measured, once, repeated, turn } from './measure.ts';
import { newSupervisor } from './peers.ts';

const instant: AsyncBody = async () => {};
/** A new promise each time: a shared one would keep every supervisor that ever waited for it. */
const forever = (): Promise<void> => new Promise(() => {});

const text = (count: number): string => count.toLocaleString('en-US');

/** The operation beside more others is compared with the one beside the fewest. */
const flat = (what: string, [few, ...more]: readonly number[]) =>
  more.map((count) => ({
    who: `slotvisor, ${text(count)} ${what}`,
    atMost: 2,
    of: `slotvisor, ${text(few as number)} ${what}`,
  }));

// Backoff. Delays of five to ten minutes with jitter: nearly every delay needs its own timer list,
// and none fires during the run.
const BACKOFF = { firstMs: 600_000, maxMs: 600_000, jitter: 'equal' } as const;
const MANY = 100_000;
const FEW = MANY / 4;

interface Retrying {
  /** Makes every body fail, and waits until every failure has been handled. */
  fail(): Promise<void>;
  cancel(): Promise<unknown>;
}

/** One actor in each slot. Every body runs until `fail`. */
async function retrying(count: number): Promise<Retrying> {
  const supervisor = newSupervisor();
  const error = new Error('not yet');
  const failing: ((error: Error) => void)[] = [];
  const run = (): Promise<void> => new Promise((_resolve, reject) => failing.push(reject));
  const submissions: readonly Submission[] = Array.from({ length: count }, () =>
    supervisor.submit({ run, backoff: BACKOFF }),
  );
  while (failing.length < count) await turn();
  return {
    async fail() {
      for (const reject of failing) reject(error);
      await turn();
    },
    cancel() {
      if (submissions.some(({ status }) => status !== 'backoff')) throw new Error('not all of them are in backoff');
      return Promise.all(submissions.map((submission) => submission.cancel()));
    },
  };
}

/**
 * One set of actors is measured while it enters the backoff and while it leaves it. Each figure is
 * returned once.
 */
class BothWays {
  readonly #count: number;
  readonly #in: Measured[] = [];
  readonly #out: Measured[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  in(name: string): Contestant {
    return { name, measure: () => this.#take(this.#in) };
  }

  out(name: string): Contestant {
    return { name, measure: () => this.#take(this.#out) };
  }

  async #take(figures: Measured[]): Promise<Measured> {
    if (figures.length === 0) {
      const actors = await retrying(this.#count);
      collectGarbage();
      this.#in.push(await once(this.#count, actors.fail));
      collectGarbage();
      this.#out.push(await once(this.#count, actors.cancel));
    }
    return figures.shift() as Measured;
  }
}

const setTimers: Contestant = {
  name: 'setTimeout',
  measure: repeated(MANY, () => {
    const timers: NodeJS.Timeout[] = [];
    return {
      async run() {
        for (let i = 0; i < MANY; i += 1) timers.push(bareTimer());
      },
      end() {
        for (const timer of timers) clearTimeout(timer);
      },
    };
  }),
};

const clearTimers: Contestant = {
  name: 'clearTimeout',
  measure: repeated(MANY, () => {
    const timers = Array.from({ length: MANY }, bareTimer);
    return {
      async run() {
        for (const timer of timers) clearTimeout(timer);
      },
    };
  }),
};

function bareTimer(): NodeJS.Timeout {
  return setTimeout(stay, BACKOFF.firstMs * (0.5 + Math.random() / 2));
}

function stay(): void {}

// Live slots: each has an owner that runs.

const PROBES = 10_000;
const LIVE = [1, 100, 10_000, 300_000];
const LIVE_BESIDE_HOT = [0, 100, 10_000, 30_000];

async function withLive(live: number): Promise<Supervisor> {
  const supervisor = newSupervisor();
  let running = 0;
  const run = (): Promise<void> => {
    running += 1;
    return forever();
  };
  for (let i = 0; i < live; i += 1) supervisor.submit({ slot: `live-${i}`, run });
  while (running < live) await turn();
  return supervisor;
}

function besideLive(live: number, submitAll: (supervisor: Supervisor) => Promise<unknown>): Contestant {
  const made = lazily(() => withLive(live));
  return {
    name: `slotvisor, ${text(live)} live`,
    async measure() {
      const supervisor = await made();
      collectGarbage();
      return once(PROBES, () => submitAll(supervisor));
    },
  };
}

const PROBED = Array.from({ length: PROBES }, (_, n) => `probe-${n}`);

/** One submission to each of many idle slots. */
const toManySlots = (supervisor: Supervisor): Promise<unknown> =>
  Promise.all(PROBED.map((slot) => supervisor.submit({ slot, run: instant }).outcome));

/** The same idle slot again and again. */
async function toOneSlot(supervisor: Supervisor): Promise<void> {
  for (let n = 0; n < PROBES; n += 1) await supervisor.submit({ slot: 'hot', run: instant }).outcome;
}

// A long queue. Its owner does not end, so everything else waits.

const LONG = 1_000_000;
const CANCELS = 2_000;
const BATCHES = 2_000;
const LATEST = 2_000;
const LATEST_BATCHES = 10;
const WAITING = [10, 1_000, 100_000];

function withWaiting(waiting: number): Supervisor {
  const supervisor = newSupervisor();
  supervisor.submit({ slot: 'slot', run: forever });
  for (let n = 0; n < waiting; n += 1) supervisor.submit({ slot: 'slot', run: instant });
  return supervisor;
}

function submitOnly(name: string, count: number): Contestant {
  return {
    name,
    measure: repeated(count, () => {
      const supervisor = newSupervisor();
      supervisor.submit({ slot: 'slot', run: forever });
      const outcomes: Promise<unknown>[] = [];
      return {
        async run() {
          for (let i = 0; i < count; i += 1) outcomes.push(supervisor.submit({ slot: 'slot', run: instant }).outcome);
        },
      };
    }),
  };
}

/** Cancels some from the middle of a queue that was built once, and waits for their outcomes. */
function cancelFromMiddle(name: string, length: number): Contestant {
  const made = lazily(() => {
    const supervisor = withWaiting(0);
    return Array.from({ length }, () => supervisor.submit({ slot: 'slot', run: instant }));
  });
  let from = length >> 2;
  return {
    name,
    measure() {
      const some = made().slice(from, from + CANCELS);
      from += CANCELS;
      collectGarbage();
      return once(CANCELS, () => Promise.all(some.map((submission) => submission.cancel())));
    },
  };
}

/** Batches of one join the queue. Afterwards they leave it. */
function batchesOfOne(waiting: number): Contestant {
  const made = lazily(() => withWaiting(waiting));
  return {
    name: `slotvisor, ${text(waiting)} waiting`,
    async measure() {
      const supervisor = made();
      const joined: Submission[] = [];
      collectGarbage();
      const cost = await once(BATCHES, async () => {
        for (let n = 0; n < BATCHES; n += 1) joined.push(...supervisor.submitAll([{ slot: 'slot', run: instant }]));
      });
      await Promise.all(joined.map((submission) => submission.cancel()));
      return cost;
    },
  };
}

/** Batches of which each submission takes the place of the one before. */
function latestInBatch(waiting: number): Contestant {
  const made = lazily(() => withWaiting(waiting));
  const batch = Array.from({ length: LATEST }, () => ({
    slot: 'slot',
    admission: 'keepLatest' as const,
    run: instant,
  }));
  return {
    name: `slotvisor, ${text(waiting)} waiting`,
    measure: repeated(LATEST_BATCHES * LATEST, () => {
      const supervisor = made();
      return {
        async run() {
          for (let n = 0; n < LATEST_BATCHES; n += 1) supervisor.submitAll(batch);
        },
      };
    }),
  };
}

export const growth: readonly Scenario[] = [
  {
    name: 'backoff',
    title:
      '100,000 actors at once: in, every body fails and its backoff of jittered length begins; out, all are canceled',
    unit: 'ns',
    floor: 'setTimeout with such delays',
    reaches: ['slotvisor in', 'slotvisor out'].flatMap((who) => [
      { who, atMost: 3_000 },
      { who, atMost: 2, of: `${who}, 25,000` },
    ]),
    contestants() {
      const many = new BothWays(MANY);
      const few = new BothWays(FEW);
      return [
        setTimers,
        clearTimers,
        many.in('slotvisor in'),
        many.out('slotvisor out'),
        few.in('slotvisor in, 25,000'),
        few.out('slotvisor out, 25,000'),
      ];
    },
  },
  {
    name: 'long-queue',
    title: '1,000,000 submissions into one queue, submitting alone',
    unit: 'ns',
    rounds: 3,
    floor: '50,000 of them',
    reaches: [{ atMost: 2, of: 'slotvisor, 50,000' }],
    contestants: () => [submitOnly('slotvisor, 50,000', 50_000), submitOnly('slotvisor', LONG)],
  },
  {
    name: 'cancel-from-middle',
    title: '2,000 canceled from the middle of a queue of 1,000,000',
    unit: 'ns',
    rounds: 15, // each round uses up a part of the queue
    floor: 'the same in a queue of 100,000',
    reaches: [{ atMost: 2, of: 'slotvisor, 100,000' }],
    contestants: () => [cancelFromMiddle('slotvisor, 100,000', 100_000), cancelFromMiddle('slotvisor', LONG)],
  },
  {
    name: 'submit-all',
    title: '2,000 batches of one, by submitAll, into a long queue',
    unit: 'ns',
    floor: 'beside 10 that wait',
    reaches: flat('waiting', WAITING),
    contestants: () => WAITING.map(batchesOfOne),
  },
  {
    name: 'submit-all-latest',
    title: '2,000 keepLatest in one submitAll, into a long queue',
    unit: 'ns',
    floor: 'beside 10 that wait',
    reaches: flat('waiting', WAITING),
    contestants: () => WAITING.map(latestInBatch),
  },
  {
    name: 'live-slots',
    title: '10,000 submissions, a slot each, beside live slots',
    unit: 'ns',
    floor: 'beside one live slot',
    reaches: flat('live', LIVE),
    contestants: () => LIVE.map((live) => besideLive(live, toManySlots)),
  },
  {
    name: 'hot-slot',
    title: '10,000 submissions to the same slot, each when the last one has ended, beside live slots',
    unit: 'ns',
    floor: 'beside no other slot',
    reaches: flat('live', LIVE_BESIDE_HOT),
    contestants: () => LIVE_BESIDE_HOT.map((live) => besideLive(live, toOneSlot)),
  },
];
