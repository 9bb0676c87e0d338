// The other admission policies on a busy slot: drop, replace, keep the latest, join.

import { Mutex } from 'async-mutex';
import { type AsyncBody, Busy, LatestWins, SingleFlight, type StoppableBody } from './floors.ts';
import type { Contestant, Scenario } from './harness.ts';
import { repeated } from './measure.ts';
import { droppers, newSupervisor, type Peer, type Replacer, type Runner, replacers, withAdmission } from './peers.ts';

const DROPS = 100_000;
const STORM = 50_000;
const HAND_OVERS = 20_000;
const SIGNAL_HAND_OVERS = 10_000;

const idle: AsyncBody = async () => {};

/** A body that runs until the round ends it, so that its slot stays busy. */
function holding(): { readonly body: AsyncBody; release(): void } {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { body: () => released, release };
}

/** Submits to a busy key and awaits the outcome, one after the other. No body may run. */
function dropped({ make, ...peer }: Peer<Runner>): Contestant {
  return {
    ...peer,
    measure: repeated(DROPS, async () => {
      const runner = make();
      const owner = holding();
      const owned = runner.run('slot', owner.body);
      await soon();
      const never: AsyncBody = async () => {
        throw new Error(`${peer.name} ran a body that should have been dropped`);
      };
      return {
        async run() {
          for (let i = 0; i < DROPS; i += 1) await runner.run('slot', never);
        },
        async end() {
          owner.release();
          await owned;
          await runner.end?.();
        },
      };
    }),
  };
}

/** Submits beside one owner and awaits every outcome. The owner ends after the last submission. */
function whileOwned({ make, ...peer }: Peer<Runner>): Contestant {
  return {
    ...peer,
    measure: repeated(STORM, async () => {
      const runner = make();
      const owner = holding();
      const outcomes = [runner.run('slot', owner.body)];
      await soon();
      return {
        async run() {
          for (let i = 0; i < STORM; i += 1) outcomes.push(runner.run('slot', idle));
          owner.release();
          await Promise.all(outcomes);
        },
      };
    }),
  };
}

const untilStopped: StoppableBody = (onStop) => new Promise((resolve) => onStop(resolve));

/**
 * One owner, then many replacements in one go: all but the last are superseded. The clock stops
 * when the last one has ended.
 */
function storm({ make, ...peer }: Peer<Replacer>): Contestant {
  return {
    ...peer,
    measure: repeated(STORM, async () => {
      const replacer = make();
      const outcomes = [replacer.replace('slot', untilStopped)];
      await soon();
      return {
        async run() {
          for (let i = 1; i < STORM; i += 1) outcomes.push(replacer.replace('slot', untilStopped));
          outcomes.push(replacer.replace('slot', idle));
          await Promise.all(outcomes);
        },
        end: () => replacer.end?.(),
      };
    }),
  };
}

/**
 * Each replacement waits until the next owner runs, then is replaced itself. The last one ends by
 * itself.
 */
function handOver({ make, ...peer }: Peer<Replacer>, count: number): Contestant {
  return {
    ...peer,
    measure: repeated(count, () => {
      const replacer = make();
      return {
        async run() {
          const outcomes: Promise<unknown>[] = [];
          for (let i = 0; i < count; i += 1)
            await new Promise<void>((started) => {
              const body: StoppableBody = (onStop) => {
                started();
                return new Promise((resolve) => onStop(resolve));
              };
              outcomes.push(replacer.replace('slot', body));
            });
          outcomes.push(replacer.replace('slot', idle));
          await Promise.all(outcomes);
        },
        end: () => replacer.end?.(),
      };
    }),
  };
}

const latestWins: Peer<Replacer> = { name: 'floor', make: () => new LatestWins() };

/** The same where bodies look at an AbortSignal. */
interface SignalReplacer {
  replace(body: (signal: AbortSignal) => Promise<void>): Promise<unknown>;
  stop(): unknown;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

function handOverBySignal({ make, ...peer }: Peer<SignalReplacer>): Contestant {
  return {
    ...peer,
    measure: repeated(SIGNAL_HAND_OVERS, () => {
      const replacer = make();
      return {
        async run() {
          const outcomes: Promise<unknown>[] = [];
          for (let i = 0; i < SIGNAL_HAND_OVERS; i += 1)
            await new Promise<void>((started) => {
              const body = (signal: AbortSignal): Promise<void> => {
                started();
                return aborted(signal);
              };
              outcomes.push(replacer.replace(body));
            });
          replacer.stop();
          await Promise.all(outcomes);
        },
      };
    }),
  };
}

/**
 * The platform's own cost: a controller, a listener and an abort each time. No key, and no wait for
 * the end.
 */
function bareAbort(): SignalReplacer {
  let owner: AbortController | undefined;
  return {
    replace(body) {
      owner?.abort();
      owner = new AbortController();
      return body(owner.signal);
    },
    stop: () => owner?.abort(),
  };
}

/** Written by hand: abort the running body, then wait for its end behind a lock. */
function abortBehindMutex(): SignalReplacer {
  const mutex = new Mutex();
  let owner: AbortController | undefined;
  return {
    replace(body) {
      owner?.abort();
      const own = new AbortController();
      owner = own;
      return mutex.runExclusive(() => body(own.signal));
    },
    stop: () => owner?.abort(),
  };
}

function replaceOnSignal(): SignalReplacer {
  const supervisor = newSupervisor();
  return {
    replace: (body) =>
      supervisor.submit({ slot: 'slot', admission: 'replace', run: (ctx) => body(ctx.signal) }).outcome,
    stop: () => supervisor.slot('slot').cancel(),
  };
}

const bySignal: readonly Peer<SignalReplacer>[] = [
  { name: 'floor', make: bareAbort },
  { name: 'slotvisor', make: replaceOnSignal },
  { name: 'async-mutex + AbortController', lacks: 'a superseded body still runs; one key', make: abortBehindMutex },
];

const latestKept: readonly Peer<Runner>[] = [
  {
    name: 'floor',
    make() {
      const latest = new LatestWins();
      return { run: (key, body) => latest.keepLatest(key, body) };
    },
  },
  withAdmission('keepLatest'),
];

const joined: readonly Peer<Runner>[] = [{ name: 'floor', make: () => new SingleFlight() }, withAdmission('join')];

/** Long enough for every contestant to have started its owner. */
function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

export const policies: readonly Scenario[] = [
  {
    name: 'drop',
    title: '100,000 dropIfRunning on a busy slot, each awaited',
    unit: 'ns',
    floor: 'a look-up in a Map, and a resolved promise',
    reaches: [{ atMost: 3, of: 'floor' }],
    contestants: () => [{ name: 'floor', make: () => new Busy() }, ...droppers].map(dropped),
  },
  {
    name: 'replace-storm',
    title: '50,000 replacements of one owner in one go',
    unit: 'ns',
    floor: 'a Map of owners, each with one waiting submission: the latest',
    reaches: [
      { atMost: 3, of: 'floor' },
      { atMost: 1, of: 'effect FiberMap' },
    ],
    contestants: () => [latestWins, ...replacers].map(storm),
  },
  {
    name: 'hand-over',
    title: '20,000 replacements, each waits until its body runs; bodies wait on ctx.onCancel',
    unit: 'ns',
    floor: 'a Map of owners, each with one waiting submission: the latest',
    reaches: [{ atMost: 5.5, of: 'floor' }],
    contestants: () => [latestWins, ...replacers].map((peer) => handOver(peer, HAND_OVERS)),
  },
  {
    name: 'hand-over-signal',
    title: '10,000 replacements, each waits until its body runs; bodies wait on ctx.signal',
    unit: 'ns',
    floor: 'a bare AbortController, a listener, and abort()',
    reaches: [{ atMost: 1.4, of: 'floor' }],
    contestants: () => bySignal.map(handOverBySignal),
  },
  {
    name: 'keep-latest',
    title: '50,000 keepLatest behind one owner',
    unit: 'ns',
    floor: 'a Map of owners, each with one waiting submission: the latest',
    reaches: [{ atMost: 2.5, of: 'floor' }],
    contestants: () => latestKept.map(whileOwned),
  },
  {
    name: 'join',
    title: '50,000 join one owner',
    unit: 'ns',
    floor: "a look into a Map, and the owner's own promise",
    reaches: [{ atMost: 6, of: 'floor' }],
    contestants: () => joined.map(whileOwned),
  },
];
