// A clock whose timers fire after they were canceled.

import type { TaskContext } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
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
