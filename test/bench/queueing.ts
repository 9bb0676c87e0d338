// Queueing: one slot, eight slots, distinct slots, bodies with a timeout, the concurrency gate, and
// the cost of a subscriber.

import AsyncLock from 'async-lock';
import PQueue from 'p-queue';
import { type AsyncBody, Chains } from './floors.ts';
import type { Contestant, Scenario } from './harness.ts';
import { repeated } from './measure.ts';
import {
  asyncLock,
  asyncMutex,
  fiberMapRun,
  newSupervisor,
  type Peer,
  partitionedPool,
  pQueue,
  queues,
  type Runner,
  withAdmission,
} from './peers.ts';

const OPERATIONS = 50_000;
const GATED = 20_000;
const SEQUENCE = 50_000;

const ours = withAdmission('queue');
const chains: Peer<Runner> = { name: 'floor', make: () => new Chains() };

/**
 * Submits the same instant body many times, over `slots` keys in turn, and waits for every outcome.
 */
function contestants(peers: readonly Peer<Runner>[], slots: number, count = OPERATIONS): Contestant[] {
  const keys = Array.from({ length: slots }, (_, n) => `slot-${n}`);
  return peers.map(({ operations = count, make, ...peer }) => ({
    ...peer,
    measure: repeated(operations, () => {
      const runner = make();
      let ran = 0;
      const body: AsyncBody = async () => {
        ran += 1;
      };
      return {
        async run() {
          const outcomes: Promise<unknown>[] = [];
          for (let i = 0; i < operations; i += 1) outcomes.push(runner.run(keys[i % slots] as string, body));
          await Promise.all(outcomes);
        },
        end() {
          if (ran !== operations) throw new Error(`${peer.name} ran ${ran} of ${operations} bodies`);
          return runner.end?.();
        },
      };
    }),
  }));
}

/** Submits, awaits the outcome, and submits again. */
const sequences = (peers: readonly Peer<Runner>[]): Contestant[] =>
  peers.map(({ operations = SEQUENCE, make, ...peer }) => ({
    ...peer,
    measure: repeated(operations, () => {
      const runner = make();
      const body: AsyncBody = async () => {};
      return {
        async run() {
          for (let i = 0; i < operations; i += 1) await runner.run('slot', body);
        },
        end: () => runner.end?.(),
      };
    }),
  }));

/**
 * slotvisor with a subscriber that counts every event. A round lasts until the subscriber got the
 * last event.
 */
const counted: Contestant = {
  name: 'slotvisor, counting subscriber',
  measure: repeated(OPERATIONS, () => {
    const supervisor = newSupervisor();
    // submitted, queued, started, attemptStarted, attemptSucceeded, finished. The first one is not
    // queued.
    const expected = 6 * OPERATIONS - 1;
    let received = 0;
    let finished = 0;
    let receivedLast = (): void => {};
    const last = new Promise<void>((resolve) => {
      receivedLast = resolve;
    });
    supervisor.subscribe(
      ({ type }) => {
        received += 1;
        if (type === 'finished') finished += 1;
        if (finished === OPERATIONS) receivedLast();
      },
      { capacity: expected },
    );
    const body: AsyncBody = async () => {};
    return {
      async run() {
        const outcomes: Promise<unknown>[] = [];
        for (let i = 0; i < OPERATIONS; i += 1) outcomes.push(supervisor.submit({ slot: 'slot-0', run: body }).outcome);
        await Promise.all(outcomes);
        await last;
      },
      end() {
        if (received !== expected) throw new Error(`the subscriber got ${received} of ${expected} events`);
      },
    };
  }),
};

const gated: readonly Peer<Runner>[] = [
  {
    name: 'bare p-queue of 8',
    lacks: 'no slots: two bodies of one key overlap',
    make() {
      const queue = new PQueue({ concurrency: 8 });
      return { run: (_key, body) => queue.add(body) };
    },
  },
  withAdmission('queue', { concurrency: 8 }),
  partitionedPool,
];

const TIMEOUT_MS = 5_000;

/** A body with a time limit that has no consequence: a timer around the body. */
const timed =
  (body: AsyncBody): AsyncBody =>
  async () => {
    const timer = setTimeout(() => {}, TIMEOUT_MS);
    try {
      await body();
    } finally {
      clearTimeout(timer);
    }
  };

const bounded: readonly Peer<Runner>[] = [
  {
    name: 'floor',
    make() {
      const tails = new Chains();
      return { run: (key, body) => tails.run(key, timed(body)) };
    },
  },
  {
    name: 'slotvisor',
    make() {
      const supervisor = newSupervisor();
      return {
        run: (slot, run) => supervisor.submit({ slot, restart: 'never', timeoutMs: TIMEOUT_MS, run }).outcome,
      };
    },
  },
  {
    name: 'p-queue',
    lacks: 'a timeout frees the place before the body has ended, and does not stop the body',
    make() {
      const queue = new PQueue({ concurrency: 1, timeout: TIMEOUT_MS });
      return { run: (_key, body) => queue.add(body) };
    },
  },
  {
    name: 'async-lock',
    lacks: 'a timeout frees the place before the body has ended, and does not stop the body',
    make() {
      const lock = new AsyncLock({ maxPending: Infinity, maxExecutionTime: TIMEOUT_MS });
      return { run: (key, body) => lock.acquire(key, body) };
    },
  },
];

export const queueing: readonly Scenario[] = [
  {
    name: 'one-slot',
    title: '50,000 queued instant bodies on one slot',
    unit: 'ns',
    floor: 'a Map of keys to promise chains',
    reaches: [
      { atMost: 5.5, of: 'floor' },
      { atMost: 0.9, of: 'fastq' },
      ...['p-queue', 'p-limit', 'async-mutex', 'async-lock', 'rxjs concatMap'].map((of) => ({ atMost: 1, of })),
    ],
    contestants: () => contestants([chains, ours, ...queues], 1),
  },
  {
    name: 'sequence',
    title: '50,000 instant bodies on one slot, each submitted when the last one has ended',
    unit: 'ns',
    floor: 'a Map of keys to promise chains',
    reaches: [{ atMost: 6, of: 'floor' }],
    contestants: () => sequences([chains, ours, ...queues]),
  },
  {
    name: 'eight-slots',
    title: '50,000 queued instant bodies on eight slots',
    unit: 'ns',
    floor: 'a Map of keys to promise chains',
    reaches: [{ atMost: 5, of: 'floor' }],
    contestants: () => contestants([chains, ours, ...queues], 8),
  },
  {
    name: 'distinct-slots',
    title: '50,000 instant bodies, each in its own slot',
    unit: 'ns',
    floor: 'a Map of keys to promise chains',
    reaches: [
      { atMost: 6, of: 'floor' },
      { atMost: 2, of: 'effect FiberMap' },
    ],
    contestants: () => contestants([chains, ours, pQueue, asyncMutex, asyncLock, fiberMapRun], OPERATIONS),
  },
  {
    name: 'timeouts',
    title: '50,000 queued instant bodies on one slot, each with a timeout',
    unit: 'ns',
    floor: 'a Map of keys to promise chains, and a timer around each body',
    reaches: [
      { atMost: 1, of: 'p-queue' },
      { atMost: 1, of: 'async-lock' },
    ],
    contestants: () => contestants(bounded, 1),
  },
  {
    name: 'gate',
    title: '20,000 instant bodies over 1,000 slots, eight at a time',
    unit: 'ns',
    floor: 'one p-queue of concurrency 8, with no slots',
    reaches: [{ atMost: 1, of: 'bare p-queue of 8' }],
    contestants: () => contestants(gated, 1_000, GATED),
  },
  {
    name: 'subscriber',
    title: '50,000 queued instant bodies on one slot, a subscriber counts the events',
    unit: 'ns',
    floor: 'slotvisor without a subscriber',
    reaches: [{ who: 'slotvisor, counting subscriber', atMost: 1.8, of: 'slotvisor' }],
    contestants: () => [...contestants([ours], 1), counted],
  },
];
