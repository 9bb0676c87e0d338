// The end of a schedule: what has come and has not had its turn is missed when it is cut off, and
// runs when no date is left.

import type { TaskContext } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { MINUTE, SECOND, START, world } from './world.ts';

type World = ReturnType<typeof world>;
type Made = ReturnType<World['make']>;

/** A delay for each draw. The last one stays. */
function draws(...delays: number[]): () => number {
  return () => (delays.length > 1 ? (delays.shift() as number) : (delays[0] as number));
}

/** How dates 2, 3 and 4 have not had their turn at 4.5 s. The first one ran. */
interface Delay {
  readonly options: () => object;
  /** From 1.5 s on. */
  readonly pass: (world: World, made: Made) => unknown;
  /** One of them is submitted already, and its body does not end. */
  readonly submitsOne?: true;
}
const DELAYS: Readonly<Record<string, Delay>> = {
  'delayed by jitter': {
    options: () => ({ jitterMs: 10 * SECOND, random: draws(0, 0.9) }),
    pass: ({ clock }) => clock.advance(3 * SECOND),
  },
  'that came during a pause': {
    options: () => ({}),
    pass: ({ clock }, { schedule }) => {
      schedule.pause();
      return clock.advance(3 * SECOND);
    },
  },
  'that came while the event loop was blocked': {
    options: () => ({}),
    pass: ({ clock }) => clock.block(3 * SECOND),
  },
  'that wait to be caught up': {
    options: () => ({ missed: { catchUp: 9 } }),
    pass: ({ clock }) => {
      clock.block(3 * SECOND);
      return clock.advance(0);
    },
    submitsOne: true,
  },
  'that wait to be caught up during a pause': {
    options: () => ({ missed: { catchUp: 9 } }),
    pass: async ({ clock }, { schedule }) => {
      clock.block(3 * SECOND);
      await clock.advance(0);
      schedule.pause();
    },
    submitsOne: true,
  },
};

const ENDS: Readonly<Record<string, (world: World, made: Made) => unknown>> = {
  'a stop': (_, { schedule }) => void schedule.stop(),
  'its disposal': (_, { schedule }) => void schedule[Symbol.asyncDispose](),
  'a shutdown': ({ supervisor }) => void supervisor.shutdown({ graceMs: MINUTE }),
  'an update of maxRuns': (_, { schedule }) => schedule.update({ maxRuns: schedule.totals.ran }),
};

for (const [end, cut] of Object.entries(ENDS))
  describe(`after ${end}`, () => {
    for (const [which, { options, pass, submitsOne = false }] of Object.entries(DELAYS))
      test(`dates ${which} are missed at once, recorded in runs, and never run`, async () => {
        const made = world();
        const dues: number[] = [];
        const run = (_: TaskContext, due: Date) => {
          dues.push((due.getTime() - START) / SECOND);
          return dues.length > 1 && new Promise<void>((resolve) => void made.clock.setTimer(MINUTE / 2, resolve));
        };
        const one = made.make({ everyMs: SECOND, ...options(), task: { run } });
        const ran = submitsOne ? [1, 2] : [1];
        await made.clock.advance(1_500);
        await pass(made, one);
        expect(one.schedule.totals).toMatchObject({ ran: ran.length, missed: 0, pending: 4 - ran.length });
        cut(made, one);
        const counts = { submitted: ran.length, ran: ran.length, missed: 4 - ran.length, pending: 0 };
        expect(one.schedule).toMatchObject({ status: 'ended', totals: counts });
        const [due, at] = [new Date(START + 4 * SECOND), new Date(START + 4_500)];
        expect(one.schedule.runs.at(-1)).toEqual({ kind: 'missed', count: 4 - ran.length, due, at });
        await made.clock.advance(2 * MINUTE);
        expect(dues).toEqual(ran);
        expect(one.schedule.totals).toMatchObject(counts);
      });
  });

describe('when the last run of maxRuns owns its slot,', () => {
  for (const [which, { options, pass, submitsOne }] of Object.entries(DELAYS))
    if (submitsOne === undefined)
      test(`dates ${which} are missed, and never run`, async () => {
        const made = world();
        const owner = gateBody();
        made.supervisor.submit({ slot: 's', run: owner.body });
        await made.clock.settle();
        const one = made.make({ everyMs: SECOND, ...options(), maxRuns: 1, task: { slot: 's', admission: 'queue' } });
        await made.clock.advance(1_500);
        await pass(made, one);
        expect(one.schedule.totals).toMatchObject({ submitted: 1, ran: 0, missed: 0, pending: 4 });
        owner.open('done');
        await made.clock.settle(); // fires no timer
        expect(one.schedule).toMatchObject({ status: 'ended', totals: { ran: 1, missed: 3, pending: 0 } });
        await made.clock.advance(MINUTE);
        expect(one.dues).toEqual(['00:00:01 at 00:00:04']);
      });

  test('dates that wait to be caught up are missed', async () => {
    const { clock, make } = world();
    const body = gateBody();
    const task = { run: body.body };
    const { schedule: made } = make({ everyMs: SECOND, maxRuns: 2, missed: { catchUp: 9 }, task });
    clock.block(5 * SECOND);
    await clock.advance(0);
    expect(made).toMatchObject({ status: 'active', totals: { ran: 1, missed: 0, pending: 4 } });
    body.open('done');
    await clock.settle();
    expect(made).toMatchObject({ status: 'ended', totals: { ran: 2, missed: 3, pending: 0 } });
    expect(made.runs.at(-1)).toMatchObject({ kind: 'missed', count: 3, due: new Date(START + 5 * SECOND) });
  });
});

test('a second end adds nothing', async () => {
  const { clock, supervisor, make } = world();
  const { schedule: made } = make({ everyMs: SECOND });
  clock.block(2 * SECOND);
  await made.stop();
  const before = { totals: made.totals, runs: made.runs };
  clock.block(2 * SECOND);
  await made.stop();
  await supervisor.shutdown();
  expect({ totals: made.totals, runs: made.runs }).toEqual(before);
  expect(before.totals.missed).toBe(2);
});

describe('when no date is left, the schedule still runs', () => {
  const endAt = START + 3 * SECOND + 1;

  test('the last date if jitter delays it past endAt', async () => {
    const { clock, make } = world();
    const made = make({ everyMs: SECOND, endAt, jitterMs: 10 * SECOND, random: draws(0, 0, 0.9) });
    await clock.advance(5 * SECOND);
    expect(made.schedule).toMatchObject({ status: 'active', totals: { ran: 2, pending: 1 } });
    await clock.advance(MINUTE);
    expect(made.dues).toEqual(['00:00:01', '00:00:02', '00:00:03 at 00:00:12']);
    expect(made.schedule).toMatchObject({ status: 'ended', totals: { ran: 3, missed: 0, pending: 0 } });
  });

  for (const [missed, seconds] of [
    ['once', [3]],
    [{ catchUp: 2 }, [2, 3]],
  ] as const)
    test(`what ${JSON.stringify(missed)} keeps of a pause that goes on past endAt`, async () => {
      const { clock, make } = world();
      const made = make({ everyMs: SECOND, endAt, missed });
      made.schedule.pause();
      await clock.advance(10 * MINUTE);
      expect(made.schedule).toMatchObject({ status: 'paused', totals: { missed: 0, pending: 3 } });
      made.schedule.resume();
      await clock.advance(SECOND);
      expect(made.dues).toEqual(seconds.map((second) => `00:00:0${second} at 00:10:00`));
      expect(made.schedule).toMatchObject({ status: 'ended', totals: { missed: 3 - seconds.length, pending: 0 } });
    });

  test('dates that wait to be caught up, also if it was paused meanwhile', async () => {
    const { clock, make } = world();
    const body = gateBody();
    const { schedule: made } = make({ everyMs: SECOND, endAt, missed: { catchUp: 9 }, task: { run: body.body } });
    clock.block(9 * SECOND);
    await clock.advance(0);
    expect(made).toMatchObject({ status: 'ended', totals: { ran: 1, pending: 2 } });
    made.pause(); // it has ended, so this has no effect
    for (let i = 0; i < 3; i += 1) {
      body.open('done');
      await clock.settle();
    }
    expect(made).toMatchObject({ status: 'ended', totals: { ran: 3, missed: 0, pending: 0 } });
  });
});
