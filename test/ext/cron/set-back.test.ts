// The wall clock may be set back by an hour in all, to the second, and no date comes twice. Set
// back by more, dates count from the new time.

import type { ScheduleOptions } from 'slotvisor/cron';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND, START, world } from './world.ts';

const TEN_MINUTES = { cron: '*/10 * * * *' } as const;

/** A schedule that has run its dates until 02:00:01 of the wall clock. */
async function untilTwo(options: Partial<ScheduleOptions> = TEN_MINUTES) {
  const one = world();
  const dues: number[] = [];
  const run = (_: unknown, due: Date) => void dues.push(due.getTime());
  const { schedule: made } = one.make({ missed: { catchUp: 50 }, ...options, task: { run } } as never);
  await one.clock.advance(2 * HOUR + SECOND);
  return { ...one, made, dues };
}

type Running = Awaited<ReturnType<typeof untilTwo>>;

const noneTwice = (dues: readonly number[]) => expect(dues.length - new Set(dues).size).toBe(0);

/** Dates of ten minutes from the start to `ms`. */
const tensUntil = (ms: number) => Math.floor((ms - START) / (10 * MINUTE));

/** Steps back, in seconds, and what passes between two of them. */
const WAYS: readonly [name: string, steps: readonly number[], between: (one: Running) => unknown][] = [
  ['in one step of 3,599 s', [3_599], () => {}],
  ['in one step of 3,600 s', [3_600], () => {}],
  ['in two steps of 3,599 s in all', [1_800, 1_799], () => {}],
  ['in two steps of 3,600 s in all', [3_000, 600], () => {}],
  ['in two steps of 3,600 s in all, with a look in between', [1_800, 1_800], ({ made }) => made.next()],
  [
    'in two steps of 3,600 s in all, half a minute apart',
    [1_800, 1_830],
    async ({ clock, made }) => {
      made.next(); // a paused schedule looks at the clock only when it is asked
      await clock.advance(30 * SECOND);
    },
  ],
  ['in twelve steps of 3,600 s in all, with looks in between', Array<number>(12).fill(300), ({ made }) => made.next()],
];

async function setBack(one: Running, steps: readonly number[], between: (one: Running) => unknown): Promise<void> {
  for (const [i, step] of steps.entries()) {
    if (i > 0) await between(one);
    one.clock.setWall(one.clock.wallNow() - step * SECOND);
  }
}

describe('a wall clock that is set back by up to an hour', () => {
  for (const [way, steps, between] of WAYS) {
    test(`${way} repeats no date and loses none`, async () => {
      const one = await untilTwo();
      await setBack(one, steps, between);
      await one.clock.advance(2 * HOUR);
      noneTwice(one.dues);
      expect(one.made.totals).toMatchObject({ ran: tensUntil(one.clock.wallNow()), missed: 0, pending: 0 });
      expect(one.dues).toHaveLength(one.made.totals.ran);
    });

    test(`${way}, in a pause, repeats no date and loses none`, async () => {
      const one = await untilTwo();
      one.made.pause();
      await setBack(one, steps, between);
      await one.clock.advance(20 * MINUTE);
      one.made.resume();
      await one.clock.advance(2 * HOUR);
      noneTwice(one.dues);
      expect(one.made.totals).toMatchObject({ ran: tensUntil(one.clock.wallNow()), missed: 0, pending: 0 });
    });

    test(`${way}, before and after the loop is blocked, repeats no date and loses none`, async () => {
      const one = await untilTwo();
      one.clock.block(15 * MINUTE);
      await setBack(one, steps, between);
      one.clock.block(5 * MINUTE);
      await one.clock.advance(2 * HOUR);
      noneTwice(one.dues);
      expect(one.made.totals).toMatchObject({ ran: tensUntil(one.clock.wallNow()), missed: 0, pending: 0 });
    });

    const updates: readonly [string, object][] = [
      ['the same dates in another zone', { timezone: 'Asia/Tokyo' }],
      ['another expression with the same dates', { cron: '0,10,20,30,40,50 * * * *' }],
      ['another expression', { cron: '*/5 * * * *' }],
      ['a fixed rate', { everyMs: 10 * MINUTE }],
      ['a fixed rate from an earlier moment', { everyMs: 10 * MINUTE, startAt: START }],
      ['the dates from a moment just past', { startAt: START + HOUR }],
      ['one date that has run', { at: START + 2 * HOUR }],
    ];
    for (const [what, update] of updates)
      test(`${way}, repeats no date after an update to ${what}`, async () => {
        const one = await untilTwo();
        await setBack(one, steps, between);
        try {
          one.made.update({ ...update, toleranceMs: 10 * MINUTE } as never);
        } catch (error) {
          expect(error).toMatchObject({ field: 'at' });
        }
        const ran = one.made.totals.ran + one.made.totals.missed;
        await one.clock.advance(2 * HOUR);
        if (!('everyMs' in update)) noneTwice(one.dues);
        const again = one.dues.slice(ran).filter((due) => due <= START + 2 * HOUR);
        expect(again).toEqual([]);
      });
  }

  test('repeats no date, over and over: it is measured from the latest time ever shown', async () => {
    const one = await untilTwo();
    for (let hours = 0; hours < 5; hours += 1) {
      one.clock.setWall(one.clock.wallNow() - HOUR);
      await one.clock.advance(HOUR + 7 * MINUTE);
    }
    noneTwice(one.dues);
    expect(one.made.totals).toMatchObject({ ran: tensUntil(one.clock.wallNow()), missed: 0 });
  });
});

describe('a wall clock that is set back by more than an hour', () => {
  const nothing = () => {};
  const look = ({ made }: Running) => made.next();
  // If it is noticed half a minute later, the clock is half a minute less behind by then.
  for (const [way, steps, between, after] of [
    ['in one step of 3,601 s that is seen at once', [3_601], nothing, look],
    ['in two steps of 3,601 s in all that are seen at once', [3_000, 601], nothing, look],
    ['in two steps of 3,601 s in all that are seen one by one', [3_000, 601], look, look],
    ['in one step of 3,631 s', [3_631], nothing, nothing],
    ['in two steps of 3,631 s in all', [3_000, 631], nothing, nothing],
    ['by a day', [DAY / SECOND], nothing, nothing],
  ] as const)
    test(`${way} makes dates count from the new time`, async () => {
      const one = await untilTwo();
      one.made.next(); // the clock was still right
      await setBack(one, steps, between);
      const back = one.clock.wallNow();
      after(one);
      await one.clock.advance(30 * SECOND);
      const noticed = one.clock.wallNow();
      expect(one.made.next()).toEqual([new Date(Math.floor(noticed / (10 * MINUTE) + 1) * 10 * MINUTE)]);
      await one.clock.advance(HOUR);
      expect(one.dues).toHaveLength(12 + tensUntil(one.clock.wallNow()) - tensUntil(back));
      noneTwice(one.dues.slice(12));
    });

  test('is no such clock where each step follows a run that the new time allows', async () => {
    const one = await untilTwo();
    await setBack(one, [3_000], () => {});
    await one.clock.advance(51 * MINUTE); // it shows 02:01 again
    await setBack(one, [3_600], () => {});
    await one.clock.advance(HOUR);
    noneTwice(one.dues);
    expect(one.made.totals.ran).toBe(12);
  });
});

describe('a wall clock that loses fifty seconds a minute for ten hours', () => {
  const drift = async (one: Running, each: (minute: number) => unknown = () => {}) => {
    for (let minute = 0; minute < 600; minute += 1) {
      await one.clock.advance(MINUTE);
      one.clock.setWall(one.clock.wallNow() - 50 * SECOND);
      await each(minute);
    }
  };

  test('still shows each date once: it is never far behind the latest time', async () => {
    const one = await untilTwo();
    await drift(one);
    noneTwice(one.dues);
    expect(one.made.totals).toMatchObject({ ran: tensUntil(one.clock.wallNow()), missed: 0, pending: 0 });
  });

  test('shows each date once to a schedule that is paused and resumed all the time', async () => {
    const one = await untilTwo();
    await drift(one, (minute) => (minute % 2 === 0 ? one.made.pause() : one.made.resume()));
    one.made.resume();
    await one.clock.advance(MINUTE);
    noneTwice(one.dues);
    expect(one.made.totals).toMatchObject({ ran: tensUntil(one.clock.wallNow()), missed: 0, pending: 0 });
  });

  test('leaves the dates of a fixed rate alone', async () => {
    const one = await untilTwo({ everyMs: 10 * MINUTE } as never);
    await drift(one);
    expect(one.made.totals).toMatchObject({ ran: 12 + 60, missed: 0, pending: 0 });
  });

  test('that is, by twelve seconds a step, in all more than an hour behind its monotonic time, repeats nothing', async () => {
    const one = await untilTwo({ cron: '* * * * *' });
    const first = one.dues.length;
    for (let step = 0; step < 400; step += 1) {
      one.clock.setWall(one.clock.wallNow() - 12 * SECOND);
      await one.clock.advance(30 * SECOND);
    }
    noneTwice(one.dues);
    expect(one.dues.length - first).toBe(Math.floor((one.clock.wallNow() - START) / MINUTE) - first);
  });
});
