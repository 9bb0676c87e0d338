// What slotvisor/cron costs, beside the timers of croner and node-cron; whether that stays flat
// with many schedules and many expressions; and what a long sleep of the machine costs. Figures are
// CPU time: schedules wait most of the time.

import { setTimeout as sleep } from 'node:timers/promises';
import { Cron } from 'croner';
import { schedule as nodeCron } from 'node-cron';
import { Supervisor } from 'slotvisor';
import { type Schedule, schedule } from 'slotvisor/cron';
import { VirtualClock } from 'slotvisor/testing';
import type { Contestant, Scenario } from './harness.ts';
import { collectGarbage, inMs, lazily, type Measured, once, repeated, Together } from './measure.ts';
import { StagedClock } from './staged-clock.ts';

/** Jobs that run at every full second. */
interface Jobs {
  /** Makes a job. Returns its stop. */
  make(run: () => void): () => unknown;
  end?(): unknown;
}

interface Peer {
  readonly name: string;
  open(): Jobs;
}

const JOBS = 1_000;
const SECONDLY = '* * * * * *';

const peers: readonly Peer[] = [
  {
    name: 'setTimeout',
    open: () => ({
      make(run) {
        let timer: NodeJS.Timeout;
        const arm = (): void => {
          timer = setTimeout(fire, 1_000 - (Date.now() % 1_000));
        };
        const fire = (): void => {
          arm();
          run();
        };
        arm();
        return () => clearTimeout(timer);
      },
    }),
  },
  {
    name: 'slotvisor',
    open() {
      const supervisor = new Supervisor();
      return {
        make(run) {
          const made = schedule(supervisor, { cron: SECONDLY, task: { run } });
          return () => made.stop();
        },
        end: () => supervisor.shutdown(),
      };
    },
  },
  {
    name: 'croner',
    open: () => ({
      make(run) {
        const job = new Cron(SECONDLY, run);
        return () => job.stop();
      },
    }),
  },
  {
    name: 'node-cron',
    open: () => ({
      make(run) {
        const task = nodeCron(SECONDLY, run);
        return () => task.destroy();
      },
    }),
  },
];

const nothing = (): void => {};

/** Makes many jobs. */
function making({ open, ...peer }: Peer): Contestant {
  const prepare = () => {
    const jobs = open();
    const stops: (() => unknown)[] = [];
    return {
      async run() {
        for (let n = 0; n < JOBS; n += 1) stops.push(jobs.make(nothing));
      },
      async end() {
        await Promise.all(stops.map((stop) => stop()));
        await jobs.end?.();
      },
    };
  };
  return { ...peer, measure: repeated(JOBS, prepare) };
}

function stopping({ open, ...peer }: Peer): Contestant {
  const prepare = () => {
    const jobs = open();
    const stops = Array.from({ length: JOBS }, () => jobs.make(nothing));
    return { run: () => Promise.all(stops.map((stop) => stop())), end: () => jobs.end?.() };
  };
  return { ...peer, measure: repeated(JOBS, prepare) };
}

const SECONDS = 2;

/** Lets many jobs fire for some seconds. Begins and ends between two full seconds. */
function firing({ open, ...peer }: Peer): Contestant {
  return {
    ...peer,
    async measure() {
      const jobs = open();
      let fires = 0;
      const run = (): void => {
        fires += 1;
      };
      const stops = Array.from({ length: JOBS }, () => jobs.make(run));
      collectGarbage();
      await sleep(1_500 - (Date.now() % 1_000));
      fires = 0;
      const { figure } = await once(1, () => sleep(SECONDS * 1_000));
      const fired = fires;
      await Promise.all(stops.map((stop) => stop()));
      await jobs.end?.();
      if (Math.abs(fired / (SECONDS * JOBS) - 1) > 0.01) throw new Error(`${peer.name} fired ${fired} times`);
      return { figure: figure / fired };
    },
  };
}

// Many schedules, on a virtual clock.

const COUNTS = [1_000, 10_000, 100_000] as const;
const PROBES = 1_000;
const MINUTELY = { cron: '* * * * *', timezone: 'Europe/Berlin' };
const HOURLY = { cron: '0 * * * *', timezone: 'Europe/Berlin' };

function newWorld() {
  const clock = new VirtualClock();
  const supervisor = new Supervisor({ clock });
  const task = { run: nothing };
  const make = (dates = MINUTELY): Schedule => schedule(supervisor, { ...dates, task });
  return { clock, supervisor, make };
}

/** The CPU time of one minute, in which so many schedules fire once. */
async function firingOne(clock: VirtualClock, live: number): Promise<Measured> {
  await clock.advance(60_000); // warms up
  return repeated(live, () => ({ run: () => clock.advance(60_000) }))();
}

const text = (count: number): string => count.toLocaleString('en-US');

/** Makes some schedules beside `live` others, changes their dates twice, and stops them. */
async function besideOthers(live: number): Promise<Record<string, Measured>> {
  const { clock, make } = newWorld();
  for (let n = 0; n < live; n += 1) make();
  const made: Schedule[] = [];
  const each = (count: number, work: () => unknown): Promise<Measured> => {
    collectGarbage();
    return once(count, async () => work());
  };
  const makeNs = await each(PROBES, () => {
    for (let n = 0; n < PROBES; n += 1) made.push(make());
  });
  const updateNs = await each(2 * PROBES, () => {
    for (const dates of [HOURLY, MINUTELY]) for (const one of made) one.update(dates);
  });
  const stopNs = await each(PROBES, () => Promise.all(made.map((one) => one.stop())));
  const fireNs = await firingOne(clock, live);
  const figures = { make: makeNs, fire: fireNs, update: updateNs, stop: stopNs };
  return Object.fromEntries(Object.entries(figures).map(([what, ns]) => [`slotvisor, ${what}, ${text(live)}`, ns]));
}

const ofRun = (run: Together, name: string): Contestant => ({ name, measure: run.figure(name) });

const WORK = ['make', 'fire', 'update', 'stop'] as const;

function manySchedules(): Contestant[] {
  const runs = COUNTS.map((live) => [live, new Together(() => besideOthers(live))] as const);
  return WORK.flatMap((what) => runs.map(([live, run]) => ofRun(run, `slotvisor, ${what}, ${text(live)}`)));
}

/** One schedule that fires again and again beside others that do not fire. */
const OFTEN_MS = 5;
const FIRED_MS = 5_000;
const YEARLY = { cron: '0 0 31 12 *', timezone: 'Europe/Berlin' };

function frequentBeside(live: number): Contestant {
  const made = lazily(() => {
    const { clock, supervisor, make } = newWorld();
    for (let n = 0; n < live; n += 1) make(YEARLY);
    schedule(supervisor, { everyMs: OFTEN_MS, task: { run: nothing } });
    return clock;
  });
  return {
    name: `slotvisor, ${text(live)}`,
    measure: repeated(FIRED_MS / OFTEN_MS, () => ({ run: () => made().advance(FIRED_MS) })),
  };
}

/** Many expressions: every schedule has its own. All match every minute of January. */
const EXPRESSIONS = [150, 250, 2_000] as const;

function ownExpression(n: number): string {
  const more = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].filter((_, bit) => (n >> bit) & 1);
  return `* * 1-31 ${[1, ...more].join(',')} *`;
}

const manyExpressions = (): Contestant[] =>
  EXPRESSIONS.map((count) => ({
    name: `slotvisor, ${text(count)}`,
    measure() {
      const { clock, make } = newWorld();
      for (let n = 0; n < count; n += 1) make({ ...MINUTELY, cron: ownExpression(n) });
      return firingOne(clock, count);
    },
  }));

// The machine sleeps for a week.

const SLEEPERS = 2_000;
const WEEK_MS = 7 * 86_400_000;
const HALF_MINUTE_MS = 30_000;

/** 2,000 minutely schedules, half a minute before their next date. */
function sleepers() {
  const clock = new StagedClock(Date.UTC(2020, 0, 1, 12, 0, 30));
  const supervisor = new Supervisor({ clock });
  let ran = 0;
  const run = (): void => {
    ran += 1;
  };
  const all = Array.from({ length: SLEEPERS }, () => schedule(supervisor, { ...MINUTELY, task: { run } }));
  return {
    clock,
    allRan: () => ran >= SLEEPERS,
    allMissed: () => all.every(({ totals }) => totals.missed > 0),
    end: () => Promise.all(all.map((one) => one.stop())),
  };
}

async function minuteAwake(): Promise<Measured> {
  const { clock, allRan, end } = sleepers();
  collectGarbage();
  clock.skip(HALF_MINUTE_MS);
  const ns = await once(1, () => clock.runUntil(allRan));
  await end();
  return inMs(ns);
}

async function weekAsleep(): Promise<Record<string, Measured>> {
  const { clock, allMissed, end } = sleepers();
  collectGarbage();
  clock.sleep(WEEK_MS);
  clock.skip(HALF_MINUTE_MS); // the wall clock is read at least as often
  let longestMs = 0;
  const ns = await once(1, async () => {
    longestMs = await clock.runUntil(allMissed);
  });
  await end();
  return { 'slotvisor, asleep': inMs(ns), 'slotvisor, longest turn': { figure: longestMs } };
}

const jobs = (what: string) => ({
  title: `${what} 1,000 jobs of the expression ${SECONDLY}`,
  unit: 'ns' as const,
  floor: 'a timer to the next full second',
});

export const schedules: readonly Scenario[] = [
  {
    ...jobs('make'),
    name: 'make-jobs',
    reaches: [{ atMost: 1, of: 'croner' }],
    contestants: () => peers.map(making),
  },
  {
    ...jobs('fire, for 2 s,'),
    name: 'fire-jobs',
    reaches: [{ atMost: 3, of: 'croner' }], // a fire is a whole submission: admission, attempt, outcome
    contestants: () => peers.map(firing),
  },
  {
    ...jobs('stop'),
    name: 'stop-jobs',
    reaches: [],
    contestants: () => peers.map(stopping),
  },
  {
    name: 'many-schedules',
    title: 'one schedule beside 1,000 others, beside 10,000 and beside 100,000, all of one expression',
    unit: 'ns',
    rounds: 3,
    floor: 'to make one beside 1,000',
    reaches: WORK.map((what) => ({
      who: `slotvisor, ${what}, 100,000`,
      atMost: 2,
      of: `slotvisor, ${what}, 1,000`,
    })),
    contestants: manySchedules,
  },
  {
    name: 'frequent-schedule',
    title: 'fire one schedule again and again, beside 1,000 others that rest, and beside 100,000',
    unit: 'ns',
    floor: 'beside 1,000',
    reaches: [{ who: 'slotvisor, 100,000', atMost: 2, of: 'slotvisor, 1,000' }],
    contestants: () => [frequentBeside(1_000), frequentBeside(100_000)],
  },
  {
    name: 'expressions',
    title: 'fire schedules that all have expressions of their own',
    unit: 'ns',
    floor: '150 of them',
    reaches: [250, 2_000].map((count) => ({ who: `slotvisor, ${text(count)}`, atMost: 1.25, of: 'slotvisor, 150' })),
    contestants: manyExpressions,
  },
  {
    name: 'asleep',
    title: '2,000 minutely schedules after a week of sleep: all CPU, and the longest turn of the event loop',
    unit: 'ms',
    rounds: 3,
    floor: 'a minute without a sleep',
    reaches: [
      { who: 'slotvisor, asleep', atMost: 5, of: 'slotvisor, awake' },
      { who: 'slotvisor, longest turn', atMost: 20 },
    ],
    contestants() {
      const asleep = new Together(weekAsleep);
      return [
        { name: 'slotvisor, awake', measure: minuteAwake },
        ofRun(asleep, 'slotvisor, asleep'),
        ofRun(asleep, 'slotvisor, longest turn'),
      ];
    },
  },
];
