// Very many at once: to end them all, and to run them all. What it costs each, and how long a turn
// of the event loop gets.

import type { Supervisor, TaskContext } from 'slotvisor';
import { type AsyncBody, Chains } from './floors.ts';
import type { Contestant, Reach, Scenario } from './harness.ts';
import { collectGarbage, type Measured, repeated, Together, turn, watchTurns } from './measure.ts';
import { newSupervisor, type Peer, queueNamed, type Runner, withAdmission } from './peers.ts';

const instant: AsyncBody = async () => {};
const untilCanceled = (ctx: TaskContext): Promise<unknown> => new Promise((resolve) => ctx.onCancel(resolve));

const LONGEST_TURN_MS = 20;
/** A round of a million takes some seconds. */
const FEWER_ROUNDS = 5;

type EndAll = () => Promise<unknown>;

/** Makes so many, and returns what ends them all. */
type Crowd = (count: number) => EndAll | Promise<EndAll>;

const named = (count: number): string => `slotvisor, ${count.toLocaleString('en-US')}`;
const turnOf = (count: number): string => `${named(count)}, longest turn`;

/** From the call until all have ended: CPU time each, and the longest turn of the event loop. */
function ending(count: number, crowd: Crowd): Contestant[] {
  const together = new Together(async () => {
    let longest: Measured = { figure: 0 };
    const cost = repeated(count, async () => {
      const endAll = await crowd(count);
      return {
        async run() {
          const stopWatching = watchTurns();
          await endAll();
          const turn = stopWatching();
          if (turn.figure > longest.figure) longest = turn;
        },
      };
    });
    return { [named(count)]: await cost(), [turnOf(count)]: longest };
  });
  return [
    { name: named(count), measure: together.figure(named(count)) },
    { name: turnOf(count), unit: 'ms', measure: together.figure(turnOf(count)) },
  ];
}

function endingAll(name: string, what: string, few: number, many: number, crowd: Crowd): Scenario {
  const reaches: Reach[] = [
    { who: named(many), atMost: 2, of: named(few) },
    ...[few, many].map((count) => ({ who: turnOf(count), atMost: LONGEST_TURN_MS })),
  ];
  return {
    name,
    title: `${what}: each, until all have ended, and the longest turn of the event loop`,
    unit: 'ns',
    rounds: FEWER_ROUNDS,
    floor: `${few.toLocaleString('en-US')} of them`,
    reaches,
    contestants: () => [...ending(few, crowd), ...ending(many, crowd)],
  };
}

async function waitingBehindOne(count: number): Promise<Supervisor> {
  const supervisor = newSupervisor();
  supervisor.submit({ slot: 'slot', run: untilCanceled });
  for (let n = 0; n < count; n += 1) supervisor.submit({ slot: 'slot', run: instant });
  await turn();
  return supervisor;
}

async function inSlots(count: number, signal?: AbortSignal): Promise<Supervisor> {
  const supervisor = newSupervisor();
  let running = 0;
  const run = (ctx: TaskContext): Promise<unknown> => {
    running += 1;
    return untilCanceled(ctx);
  };
  for (let n = 0; n < count; n += 1) supervisor.submit({ slot: `slot-${n}`, run, ...(signal && { signal }) });
  while (running < count) await turn();
  return supervisor;
}

async function cancelSlot(count: number): Promise<EndAll> {
  const supervisor = await waitingBehindOne(count);
  return async () => {
    await supervisor.slot('slot').cancel();
    await supervisor.idle();
  };
}

async function shutdownOfWaiting(count: number): Promise<EndAll> {
  const supervisor = await waitingBehindOne(count);
  return () => supervisor.shutdown();
}

async function shutdownOfSlots(count: number): Promise<EndAll> {
  const supervisor = await inSlots(count);
  return () => supervisor.shutdown();
}

async function abortShared(count: number): Promise<EndAll> {
  const controller = new AbortController();
  const supervisor = await inSlots(count, controller.signal);
  return () => {
    controller.abort();
    return supervisor.idle();
  };
}

const DRAINED = 200_000;
const chains: Peer<Runner> = { name: 'floor', make: () => new Chains() };

/** The machine's share: the event loop turns, and nothing blocks it. */
const turns: Contestant = {
  name: 'turns of the loop, nothing else',
  async measure() {
    collectGarbage();
    const stopWatching = watchTurns();
    const until = performance.now() + 200;
    while (performance.now() < until) await turn();
    return stopWatching();
  },
};

/** From the return of the submitting code to the last outcome. */
function longestTurn({ make, ...peer }: Peer<Runner>): Contestant {
  return {
    ...peer,
    async measure() {
      const runner = make();
      const outcomes: Promise<unknown>[] = [];
      collectGarbage();
      for (let i = 0; i < DRAINED; i += 1) outcomes.push(runner.run('slot', instant));
      const all = Promise.all(outcomes);
      const stopWatching = watchTurns();
      await all;
      const longest = stopWatching();
      await runner.end?.();
      return longest;
    },
  };
}

export const crowds: readonly Scenario[] = [
  endingAll('cancel-slot', 'slot.cancel() of 10,000 that wait, and of 1,000,000', 10_000, 1_000_000, cancelSlot),
  endingAll('shutdown-queue', 'shutdown() of 10,000 that wait, and of 1,000,000', 10_000, 1_000_000, shutdownOfWaiting),
  endingAll('shutdown-slots', 'shutdown() of 10,000 live slots, and of 300,000', 10_000, 300_000, shutdownOfSlots),
  endingAll(
    'abort-shared',
    'abort() of a signal that 1,000 live slots share, and 100,000',
    1_000,
    100_000,
    abortShared,
  ),
  {
    name: 'event-loop',
    title: '200,000 queued instant bodies drain: the longest turn of the event loop',
    unit: 'ms',
    floor: 'a Map of keys to promise chains',
    reaches: [{ atMost: LONGEST_TURN_MS }],
    contestants: () => [...[chains, withAdmission('queue'), queueNamed('p-queue')].map(longestTurn), turns],
  },
];
