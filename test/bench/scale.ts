// Does the cost stay flat? Many actors in backoff, a very long queue, many live slots, and the
// event loop while the queue drains.

import type { Submission } from 'slotvisor';
import { type AsyncBody, Chains } from './floors.ts';
import type { Contestant, Scenario } from './harness.ts';
import { collectGarbage, heapUsed, type Measured, once, repeated, turn, watchTimers } from './measure.ts';
import { newSupervisor, type Peer, queueNamed, type Runner, withAdmission } from './peers.ts';

const ours = withAdmission('queue');
const chains: Peer<Runner> = { name: 'floor', make: () => new Chains() };

const instant: AsyncBody = async () => {};
/** A new promise each time: a shared one would keep every supervisor that ever waited for it. */
const forever = (): Promise<void> => new Promise(() => {});

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

// The long queue. Its owner does not end, so everything else waits.
const LONG = 1_000_000;

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

const CANCELS = 2_000;

/** Cancels some from the middle of a queue that was built once, and waits for their outcomes. */
function cancelFromMiddle(name: string, length: number): Contestant {
  const supervisor = newSupervisor();
  supervisor.submit({ slot: 'slot', run: forever });
  const waiting = Array.from({ length }, () => supervisor.submit({ slot: 'slot', run: instant }));
  let from = length >> 2;
  return {
    name,
    measure() {
      const some = waiting.slice(from, from + CANCELS);
      from += CANCELS;
      return once(CANCELS, () => Promise.all(some.map((submission) => submission.cancel())));
    },
  };
}

// Live slots: each has an owner that runs.
const PROBES = 10_000;

/** One submission to each of many idle slots, beside live slots. The live slots are made once. */
async function besideLiveSlots(name: string, live: number): Promise<Contestant> {
  const supervisor = newSupervisor();
  const end = forever();
  let running = 0;
  const run = (): Promise<void> => {
    running += 1;
    return end;
  };
  for (let i = 0; i < live; i += 1) supervisor.submit({ slot: `live-${i}`, run });
  while (running < live) await turn();
  const slots = Array.from({ length: PROBES }, (_, n) => `probe-${n}`);
  return {
    name,
    measure: () =>
      once(PROBES, () => Promise.all(slots.map((slot) => supervisor.submit({ slot, run: instant }).outcome))),
  };
}

// The event loop.
const DRAINED = 200_000;

/** The machine's share: the event loop turns, and nothing blocks it. */
const turns: Contestant = {
  name: 'turns of the loop, nothing else',
  async measure() {
    collectGarbage();
    const stopWatching = watchTimers();
    const until = performance.now() + 200;
    while (performance.now() < until) await turn();
    return { figure: stopWatching() };
  },
};

/**
 * The greatest lateness of a timer in a round, from the return of the submitting code to the last
 * outcome.
 */
function longestDelay({ make, ...peer }: Peer<Runner>): Contestant {
  return {
    ...peer,
    async measure() {
      const runner = make();
      const outcomes: Promise<unknown>[] = [];
      collectGarbage();
      for (let i = 0; i < DRAINED; i += 1) outcomes.push(runner.run('slot', instant));
      const all = Promise.all(outcomes);
      const stopWatching = watchTimers();
      await all;
      const late = stopWatching();
      await runner.end?.();
      return { figure: late };
    },
  };
}

export const scale: readonly Scenario[] = [
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
    name: 'live-slots',
    title: '10,000 submissions, a slot each, beside 1,000,000 live slots',
    unit: 'ns',
    floor: 'the same beside one live slot',
    reaches: ['100', '10,000', '1,000,000'].map((live) => ({
      who: `slotvisor, ${live} live`,
      atMost: 2,
      of: 'slotvisor, 1 live',
    })),
    contestants: async () => [
      await besideLiveSlots('slotvisor, 1 live', 1),
      await besideLiveSlots('slotvisor, 100 live', 100),
      await besideLiveSlots('slotvisor, 10,000 live', 10_000),
      await besideLiveSlots('slotvisor, 1,000,000 live', 1_000_000),
    ],
  },
  {
    name: 'event-loop',
    title: '200,000 queued instant bodies drain: the longest that a timer of the process was late',
    unit: 'ms',
    floor: 'a Map of keys to promise chains',
    reaches: [{ atMost: 20 }],
    contestants: () => [...[chains, ours, queueNamed('p-queue')].map(longestDelay), turns],
  },
];
