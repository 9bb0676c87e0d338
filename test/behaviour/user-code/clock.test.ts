// A clock whose timers fire after they were canceled, and the delays that a clock gets.

import { Supervisor, type TaskContext } from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { seededRandom, VirtualClock } from 'slotvisor/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { never } from '../../support/bodies.ts';
import { boom, nothingEscapes, raise } from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';

describe('a hostile clock', () => {
  /** Its timers cannot be canceled, and fire `times` times. */
  class StubbornClock extends VirtualClock {
    times = 1;
    override setTimer(ms: number, fire: () => void): () => void {
      super.setTimer(ms, () => {
        for (let time = 0; time < this.times; time += 1) fire();
      });
      return () => {};
    }
  }

  test.each([1, 2])('a timer that fires %s time(s) after it was canceled changes nothing (S8)', async (times) => {
    await nothingEscapes(async () => {
      const clock = Object.assign(new StubbornClock(), { times });
      const { supervisor } = setup({ clock });
      const timers = { timeoutMs: 100, stallMs: 90, deadlineMs: 5_000, queueTimeoutMs: 50, graceMs: 10 } as const;
      const order: string[] = [];
      const run = async (ctx: TaskContext) => {
        order.push(`first ${ctx.attempt}`);
        await ctx.sleep(5);
        return ctx.attempt === 1 ? raise(boom) : 'first';
      };
      const submissions = [
        supervisor.submit({ ...timers, slot: 's', backoff: { firstMs: 10 }, run }),
        supervisor.submit({ ...timers, slot: 's', run: () => order.push('second') }),
        supervisor.submit({ slot: 's', run: (ctx) => ctx.sleep(10_000) }),
      ];
      await clock.advance(20_000);
      expect(await Promise.all(submissions.map(({ outcome }) => outcome))).toMatchObject([
        { kind: 'completed', value: 'first', attempts: 2 },
        { kind: 'completed', value: 3, attempts: 1 },
        { kind: 'completed', attempts: 1 },
      ]);
      expect(order).toEqual(['first 1', 'first 2', 'second']);
      expect(supervisor.snapshot()).toMatchObject({ slots: [], totals: { attempts: 4, retries: 1 } });
    });
  });

  test('the timer of a canceled backoff starts nothing (S8)', async () => {
    const clock = new StubbornClock();
    const { supervisor } = setup({ clock });
    const attempts: number[] = [];
    const run = (ctx: TaskContext) => attempts.push(ctx.attempt) && raise(boom);
    const submission = supervisor.submit({ backoff: { firstMs: 10 }, run });
    await clock.settle();
    expect(await submission.cancel()).toEqual({ kind: 'canceled', by: 'caller', attempts: 1 });
    await clock.advance(1_000);
    expect(attempts).toEqual([1]);
  });
});

describe('no delay is negative, also where the event loop was blocked and timers are late:', () => {
  afterEach(() => {
    vi.restoreAllMocks(); // first: it puts back what was spied on, which may be a fake timer
    vi.useRealTimers();
  });

  interface Time {
    readonly advance: (ms: number) => Promise<unknown>;
    readonly block: (ms: number) => void;
  }

  /** Submits tasks with every kind of timer, while time passes and the event loop is blocked. */
  async function passTime(supervisor: Supervisor, { advance, block }: Time, seed: number): Promise<void> {
    const random = seededRandom(seed);
    const upTo = (max: number): number => random() * max;
    const pick = <T>(...values: T[]): T => values[Math.floor(random() * values.length)] as T;
    const run = async (ctx: TaskContext): Promise<unknown> => {
      for (let beats = pick(0, 3); beats > 0; beats -= 1) {
        await ctx.sleep(upTo(20)).catch(pick<(error: unknown) => void>(raise, () => {}));
        ctx.heartbeat();
        if (pick(true, false)) block(upTo(100));
      }
      return pick<() => unknown>(
        never,
        () => 1,
        () => raise(boom),
      )();
    };
    schedule(supervisor, { everyMs: 7, jitterMs: 3, task: { slot: 'dates', admission: 'replace', run } });
    for (let n = 0; n < 60; n += 1) {
      supervisor.submit({
        slot: `s${n % 5}`,
        admission: pick('queue', 'replace', 'keepLatest', 'join'),
        restart: pick('onFailure', 'always'),
        stallMs: 0.1 + upTo(40),
        timeoutMs: 1 + upTo(100),
        deadlineMs: 1 + upTo(1_000),
        queueTimeoutMs: upTo(300),
        graceMs: upTo(10),
        onOverrun: 'abandon',
        backoff: { firstMs: upTo(10), jitter: pick('none', 'full', 'band') },
        run,
      });
      block(pick(0, upTo(200)));
      await advance(upTo(30));
    }
    const report = supervisor.shutdown({ graceMs: 50 });
    block(500);
    await advance(10_000);
    await report;
  }

  const rate = { limit: 3, intervalMs: 10 } as const;

  test('that of no timer of a clock', async () => {
    const delays: number[] = [];
    for (let seed = 1; seed <= 10; seed += 1) {
      const clock = new (class extends VirtualClock {
        override setTimer(ms: number, fire: () => void): () => void {
          delays.push(ms);
          return super.setTimer(Math.max(0, ms), fire);
        }
      })();
      const supervisor = new Supervisor({ clock, rate, random: seededRandom(seed), subscriberGraceMs: 0 });
      await passTime(supervisor, { advance: (ms) => clock.advance(ms), block: (ms) => clock.block(ms) }, seed);
    }
    expect(delays.length).toBeGreaterThan(5_000);
    expect(delays.filter((ms) => !(ms >= 0))).toEqual([]);
  });

  test('that of no timer of the platform', async () => {
    const delays: unknown[] = [];
    for (let seed = 1; seed <= 3; seed += 1) {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const { setTimeout } = globalThis;
      vi.spyOn(globalThis, 'setTimeout').mockImplementation(((fire: () => void, ms: number) => {
        delays.push(ms);
        return setTimeout(fire, ms);
      }) as never);
      const now = performance.now.bind(performance);
      let blockedMs = 0;
      vi.spyOn(performance, 'now').mockImplementation(() => now() + blockedMs);
      const supervisor = new Supervisor({ rate, random: seededRandom(seed), subscriberGraceMs: 0 });
      const advance = (ms: number) => vi.advanceTimersByTimeAsync(ms);
      const block = (ms: number): void => {
        blockedMs += ms;
      };
      await passTime(supervisor, { advance, block }, seed);
      vi.restoreAllMocks(); // first: it puts back what was spied on, which may be a fake timer
      vi.useRealTimers();
    }
    expect(delays.length).toBeGreaterThan(500);
    expect(delays.filter((ms) => !(typeof ms === 'number' && ms >= 0))).toEqual([]);
  });
});

test.for([
  ['cancels the slot', (supervisor: Supervisor): void => void supervisor.slot('s').cancel()],
  ['begins a shutdown', (supervisor: Supervisor): void => void supervisor.shutdown()],
  [
    'submits a replacement',
    (supervisor: Supervisor): void => void supervisor.submit({ slot: 's', admission: 'replace', run: () => {} }),
  ],
] as const)('nothing stays live of a submission within which the clock %s', async ([, callBack]) => {
  for (let nth = 1; nth <= 5; nth += 1) {
    const { supervisor, clock } = setup();
    let left = nth;
    const now = vi.spyOn(clock, 'now').mockImplementation(() => {
      left -= 1;
      if (left === 0) callBack(supervisor);
      return 0;
    });
    const submission = supervisor.submit({ slot: 's', run: () => {} });
    now.mockRestore();
    await clock.settle();
    expect([submission.status, supervisor.tasks(), supervisor.stats().slotCount]).toEqual(['ended', [], 0]);
  }
});
