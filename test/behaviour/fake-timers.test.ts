// Fake timers that a test of the user puts in and takes out while a supervisor runs. In real time:
// each wait lasts a few ms, and its end is awaited.

import { mock } from 'node:test';
import {
  type Clock,
  FatalError,
  once,
  periodic,
  type Submission,
  Supervisor,
  type SupervisorOptions,
  type TaskBody,
} from 'slotvisor';
import { afterEach, describe, expect, test, vi } from 'vitest';

type Faked = NonNullable<NonNullable<Parameters<typeof vi.useFakeTimers>[0]>['toFake']>;
type Mocked = NonNullable<Parameters<typeof mock.timers.enable>[0]>['apis'];

const WAIT_MS = 5;
const ALL: Faked = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'];
const { setImmediate } = globalThis;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

const vitest = (...toFake: Faked) => {
  return () => void vi.useFakeTimers({ toFake, now: 0 });
};
const nodeTest = (...apis: NonNullable<Mocked>) => {
  return () => mock.timers.enable({ apis });
};
/** Ways to put fake timers in. */
const FAKES: Record<string, () => void> = {
  'setTimeout of vitest': vitest('setTimeout'),
  'clearTimeout of vitest': vitest('clearTimeout'),
  'setImmediate of vitest': vitest('setImmediate'),
  'queueMicrotask of vitest': vitest('queueMicrotask'),
  'performance of vitest': vitest('performance'),
  'Date of vitest': vitest('Date'),
  'all timers of vitest': vitest(...ALL, 'queueMicrotask', 'performance', 'Date'),
  'setTimeout of node:test': nodeTest('setTimeout'),
  'setImmediate of node:test': nodeTest('setImmediate'),
  'all timers of node:test': nodeTest('setTimeout', 'setInterval', 'setImmediate', 'Date'),
};
const takeOut = (): void => {
  mock.timers.reset();
  vi.useRealTimers();
};
afterEach(takeOut);

const never = (): Promise<never> => new Promise(() => {});
const failsFirst: TaskBody = ({ attempt }) => {
  if (attempt === 1) throw new Error('no');
};
const fatalSecond: TaskBody = ({ attempt }) => {
  if (attempt === 2) throw new FatalError('enough');
};
const BACKOFF = { firstMs: WAIT_MS, jitter: 'none' } as const;

interface Wait {
  readonly options?: SupervisorOptions;
  /** Begins the wait. What it resolves with is what follows the wait. */
  readonly begin: (supervisor: Supervisor) => Promise<unknown>;
  readonly result: object;
}

const outcome = ({ outcome: end }: Submission): Promise<unknown> => end;
const WAITS: Record<string, Wait> = {
  'a backoff': {
    begin: (supervisor) => outcome(supervisor.submit({ backoff: BACKOFF, run: failsFirst })),
    result: { kind: 'completed', attempts: 2 },
  },
  'an interval': {
    begin: (supervisor) => outcome(supervisor.submit(periodic(WAIT_MS, fatalSecond))),
    result: { kind: 'fatal', attempts: 2 },
  },
  'a timeout': {
    begin: (supervisor) => outcome(supervisor.submit(once((ctx) => ctx.sleep(Infinity), { timeoutMs: WAIT_MS }))),
    result: { kind: 'failed', failure: { kind: 'timedOut' } },
  },
  'a stall': {
    begin: (supervisor) => outcome(supervisor.submit(once((ctx) => ctx.sleep(Infinity), { stallMs: WAIT_MS }))),
    result: { kind: 'failed', failure: { kind: 'stalled' } },
  },
  'a grace': {
    begin: async (supervisor) => {
      const submission = supervisor.submit({ graceMs: WAIT_MS, onOverrun: 'abandon', run: never });
      await turn();
      return submission.cancel();
    },
    result: { kind: 'abandoned' },
  },
  'a deadline': {
    begin: (supervisor) => outcome(supervisor.submit({ deadlineMs: WAIT_MS, run: (ctx) => ctx.sleep(Infinity) })),
    result: { kind: 'canceled', by: 'deadline' },
  },
  'a queue timeout': {
    begin: (supervisor) => {
      supervisor.submit({ slot: 's', run: (ctx) => ctx.sleep(Infinity) });
      return outcome(supervisor.submit({ slot: 's', queueTimeoutMs: WAIT_MS, run: never }));
    },
    result: { kind: 'rejected', reason: 'queueTimeout' },
  },
  'a sleep': {
    begin: (supervisor) => outcome(supervisor.submit({ run: (ctx) => ctx.sleep(WAIT_MS) })),
    result: { kind: 'completed' },
  },
  'the window of a rate': {
    options: { rate: { limit: 1, intervalMs: WAIT_MS } },
    begin: (supervisor) => {
      supervisor.submit({ run: () => 'first' });
      return outcome(supervisor.submit({ run: () => 'second' }));
    },
    result: { kind: 'completed', value: 'second' },
  },
  'a place at the gate': {
    options: { concurrency: 1 },
    begin: (supervisor) => {
      for (let n = 0; n < 3; n += 1) supervisor.submit({ run: () => turn() });
      return outcome(supervisor.submit({ run: () => 'last' }));
    },
    result: { kind: 'completed', value: 'last' },
  },
  'a turn among many': {
    begin: (supervisor) => Promise.all(Array.from({ length: 600 }, () => supervisor.submit({ run: () => 1 }).outcome)),
    result: { length: 600 },
  },
  'the grace of a shutdown': {
    begin: async (supervisor) => {
      supervisor.submit({ name: 'stubborn', run: never });
      await turn();
      return supervisor.shutdown({ graceMs: WAIT_MS });
    },
    result: { abandoned: [{ name: 'stubborn' }] },
  },
  'a subscriber that a shutdown waits for': {
    options: { subscriberGraceMs: WAIT_MS },
    begin: (supervisor) => {
      supervisor.subscribe(never);
      return supervisor.shutdown();
    },
    result: { cause: 'caller' },
  },
  'events for a subscriber, over many turns': {
    begin: async (supervisor) => {
      let events = 0;
      const count = (): void => {
        events += 1;
      };
      supervisor.subscribe(count, { capacity: 1e6 });
      for (let n = 0; n < 300; n += 1) supervisor.submit({ run: () => 1 });
      await supervisor.idle();
      await supervisor.shutdown();
      return { delivered: events > 1_500 };
    },
    result: { delivered: true },
  },
};

for (const [fake, putIn] of Object.entries(FAKES))
  describe(`a supervisor that was made before the fake ${fake}`, () => {
    for (const [name, { options, begin, result }] of Object.entries(WAITS))
      test(`ends ${name} in real time`, async () => {
        for (const moment of ['before', 'during']) {
          const supervisor = new Supervisor(options);
          if (moment === 'before') putIn();
          const end = begin(supervisor);
          if (moment === 'during') {
            await turn();
            putIn();
          }
          expect(await end).toMatchObject(result);
          takeOut();
        }
      });

    test('runs no body in a slot that a canceled backoff has left', async () => {
      const supervisor = new Supervisor();
      const bodies: string[] = [];
      const canceled = supervisor.submit({
        slot: 's',
        backoff: BACKOFF,
        run: ({ attempt }) => {
          bodies.push(`canceled ${attempt}`);
          throw new Error('no');
        },
      });
      await turn();
      putIn();
      expect(await canceled.cancel()).toMatchObject({ kind: 'canceled' });
      const before = [...bodies]; // a slow machine may have seen a retry
      takeOut();
      const next = supervisor.submit({
        slot: 's',
        run: async (ctx) => {
          bodies.push('next');
          await ctx.sleep(3 * WAIT_MS);
        },
      });
      expect(await next.outcome).toMatchObject({ kind: 'completed' });
      expect(bodies).toEqual([...before, 'next']);
    });

    test('begins one attempt, where a restart ends a backoff', async () => {
      const supervisor = new Supervisor();
      let begun = 0;
      const submission = supervisor.submit({
        backoff: BACKOFF,
        run: async (ctx) => {
          begun = ctx.attempt;
          if (ctx.attempt === 1) throw new Error('no');
          await ctx.sleep(3 * WAIT_MS);
        },
      });
      await turn();
      putIn();
      const before = begun; // 1, or 2 where a slow machine has seen the end of the backoff
      submission.restart();
      takeOut();
      expect(await submission.outcome).toMatchObject({ kind: 'completed', attempts: before + 1 });
    });
  });

describe('a supervisor that was made under fake timers', () => {
  const UNDER: Record<string, { putIn: () => void; tick: (ms: number) => void }> = {
    'setTimeout of node:test, which leaves performance.now alone': {
      putIn: nodeTest('setTimeout'),
      tick: (ms) => mock.timers.tick(ms),
    },
    'all timers of node:test, which leave performance.now alone': {
      putIn: nodeTest('setTimeout', 'setInterval', 'setImmediate', 'Date'),
      tick: (ms) => mock.timers.tick(ms),
    },
    'setTimeout of vitest, without performance': {
      putIn: vitest('setTimeout', 'clearTimeout'),
      tick: (ms) => vi.advanceTimersByTime(ms),
    },
    'setTimeout and performance of vitest': {
      putIn: vitest('setTimeout', 'clearTimeout', 'performance', 'Date'),
      tick: (ms) => vi.advanceTimersByTime(ms),
    },
  };
  const HOUR = 3_600_000;
  for (const [fake, { putIn, tick }] of Object.entries(UNDER))
    test(`follows them: ${fake}`, async () => {
      putIn();
      const supervisor = new Supervisor({ rate: { limit: 1, intervalMs: HOUR } });
      const runs: string[] = [];
      const retried = supervisor.submit({
        name: 'retried',
        priority: 1,
        backoff: { firstMs: 10 * HOUR, maxMs: 10 * HOUR, jitter: 'none' },
        run: (ctx) => {
          runs.push(`retried ${ctx.attempt}`);
          return failsFirst(ctx);
        },
      });
      const next = supervisor.submit({ run: () => void runs.push('next') });
      const bounded = supervisor.submit({ slot: 'b', deadlineMs: 5 * HOUR, run: () => never() });
      for (const [hours, expected] of [
        [0, ['retried 1']],
        [1, ['retried 1', 'next']],
        [8, ['retried 1', 'next']],
        [1, ['retried 1', 'next', 'retried 2']],
      ] as const) {
        if (hours > 0) tick(hours * HOUR);
        await turn();
        expect(runs).toEqual(expected);
      }
      expect([retried.status, next.status]).toEqual(['ended', 'ended']);
      expect(await bounded.outcome).toMatchObject({ kind: 'canceled', by: 'deadline' });
    });

  for (const [fake, { putIn, tick }] of Object.entries(UNDER))
    for (const [name, { options, begin, result }] of Object.entries(WAITS))
      test(`ends ${name} when they are moved on: ${fake}`, async () => {
        putIn();
        const supervisor = new Supervisor(options);
        let end: { readonly value: unknown } | undefined;
        const ended = begin(supervisor).then((value) => {
          end = { value };
        });
        for (let ticks = 0; end === undefined && ticks < 200; ticks += 1) {
          await turn();
          tick(WAIT_MS);
        }
        expect(end?.value).toMatchObject(result);
        await ended;
      });

  test('gets no time any more once they are taken out, and does no harm', async () => {
    vitest(...ALL, 'performance', 'Date')();
    const supervisor = new Supervisor();
    const submission = supervisor.submit({ backoff: BACKOFF, run: failsFirst });
    await turn();
    takeOut();
    const { clock } = supervisor;
    const before = [clock.now(), clock.wallNow()];
    const real = new Supervisor();
    await real.submit({ run: (ctx) => ctx.sleep(2 * WAIT_MS) }).outcome;
    expect([clock.now(), clock.wallNow()]).toEqual(before);
    expect(await submission.cancel()).toMatchObject({ kind: 'canceled', attempts: 1 });
  });
});

test('a timer of the platform that fires although it was cleared revives no task', async () => {
  vi.spyOn(globalThis, 'clearTimeout').mockImplementation(() => {});
  const supervisor = new Supervisor();
  vi.restoreAllMocks();
  const attempts: string[] = [];
  const fail = (name: string): TaskBody => {
    return ({ attempt }) => {
      attempts.push(`${name} ${attempt}`);
      throw new Error('no');
    };
  };
  const canceled = supervisor.submit({ slot: 's', backoff: BACKOFF, run: fail('canceled') });
  const again = supervisor.submit({ backoff: { ...BACKOFF, firstMs: 4 * WAIT_MS }, maxRetries: 2, run: fail('again') });
  await turn();
  void canceled.cancel();
  again.restart();
  const owner = supervisor.submit({ slot: 's', run: (ctx) => ctx.sleep(6 * WAIT_MS) });
  await owner.outcome;
  expect(attempts).toEqual(['canceled 1', 'again 1', 'again 2', 'again 3']);
  expect(supervisor.snapshot().totals.attempts).toBe(5);
});

describe('a clock that breaks its promises', () => {
  /** Fires each timer when it is asked to, whether it was canceled or has fired before. */
  const broken = () => {
    const fires: (() => void)[] = [];
    let now = 0;
    const clock: Clock = {
      now: () => now,
      wallNow: () => now,
      setTimer: (_, fire) => {
        fires.push(fire);
        return () => {};
      },
    };
    const fireAll = async () => {
      now += 1_000_000;
      for (const fire of [...fires, ...fires]) fire();
      await turn();
    };
    return { clock, fireAll };
  };

  test('revives no task that has ended', async () => {
    const { clock, fireAll } = broken();
    const supervisor = new Supervisor({ clock });
    let runs = 0;
    const run = (): never => {
      runs += 1;
      throw new Error('no');
    };
    const all = [
      supervisor.submit({ slot: 's', backoff: BACKOFF, timeoutMs: 1, stallMs: 1, deadlineMs: 1, run }),
      supervisor.submit({ slot: 's', queueTimeoutMs: 1, run }),
    ];
    await turn();
    await Promise.all(all.map((one) => one.cancel()));
    const owner = supervisor.submit({ slot: 's', run: never });
    await turn();
    await fireAll();
    await fireAll();
    expect([runs, owner.status, supervisor.snapshot().totals.attempts]).toEqual([1, 'running', 2]);
  });
});
