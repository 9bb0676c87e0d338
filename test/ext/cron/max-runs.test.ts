// maxRuns: a date takes a place when it is submitted, gives it back if its run is rejected, and
// uses it up when its run owns its slot.

import { Supervisor, type TaskContext } from 'slotvisor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { HOUR, MINUTE, SECOND, START, world } from './world.ts';

afterEach(() => vi.restoreAllMocks());

/** The second of a date. */
const secondOf = (due: Date) => (due.getTime() - START) / SECOND;

describe('of slow bodies, with a date every second and maxRuns 3,', () => {
  interface Row {
    readonly admission: 'dropIfRunning' | 'queue' | 'replace' | 'keepLatest' | 'join';
    /** The body ends only when its 2.4 s are over, also if it is asked to stop. */
    readonly stubborn?: boolean;
    /** The dates whose body began. */
    readonly began: readonly number[];
    readonly endsAt: number;
    readonly totals: object;
  }
  const rows: readonly Row[] = [
    { admission: 'dropIfRunning', began: [1, 4, 7], endsAt: 7_000, totals: { submitted: 7, dropped: 4 } },
    // Dates 4 and 5 find no place. The third run owns the slot at 5.8.
    { admission: 'queue', began: [1, 2, 3], endsAt: 5_800, totals: { submitted: 3, missed: 2 } },
    { admission: 'replace', began: [1, 2, 3], endsAt: 3_000, totals: { submitted: 3 } },
    // Date 3 supersedes date 2, whose place is free again. Date 4 takes it, and date 5 finds none.
    {
      ...{ admission: 'replace', stubborn: true, began: [1, 3, 4], endsAt: 5_800 },
      totals: { submitted: 4, superseded: 1, missed: 1 },
    },
    {
      ...{ admission: 'keepLatest', began: [1, 3, 4], endsAt: 5_800 },
      totals: { submitted: 4, superseded: 1, missed: 1 },
    },
    { admission: 'join', began: [1], endsAt: 3_000, totals: { submitted: 3 } },
  ];
  for (const { admission, stubborn = false, began, endsAt, totals } of rows)
    test(`${admission}${stubborn ? ' of bodies that do not stop' : ''} runs three dates, and the others are counted`, async () => {
      const { clock, make } = world();
      const starts: number[] = [];
      const run = (ctx: TaskContext, due: Date): Promise<void> => {
        starts.push(secondOf(due));
        return stubborn ? new Promise((resolve) => void clock.setTimer(2_400, resolve)) : ctx.sleep(2_400);
      };
      const { schedule: made } = make({ everyMs: SECOND, maxRuns: 3, task: { admission, run } });
      await clock.advance(endsAt - 1);
      expect(made.status).toBe('active');
      await clock.advance(1);
      expect(made.status).toBe('ended');
      await clock.advance(MINUTE);
      expect(starts).toEqual(began);
      const none = { triggered: 0, superseded: 0, dropped: 0, missed: 0, elsewhere: 0, errors: 0, pending: 0 };
      expect(made.totals).toEqual({ ...none, ran: 3, ...totals });
      const { ran, superseded, dropped, missed } = made.totals;
      expect(ran + superseded + dropped + missed).toBe(Math.floor(endsAt / SECOND));
    });
});

describe('a place', () => {
  test('is free again when a run is rejected while it waits', async () => {
    const { clock, make } = world();
    const body = gateBody();
    const task = { admission: 'queue', queueTimeoutMs: 500, run: body.body } as const;
    const { schedule: made } = make({ everyMs: SECOND, maxRuns: 2, task });
    await clock.advance(2 * SECOND);
    expect(made.next(5)).toEqual([]); // both places are taken
    await clock.advance(500);
    expect(made.next(5)).toEqual([new Date(START + 3 * SECOND)]);
    await clock.advance(600);
    expect(made.totals).toMatchObject({ submitted: 3, ran: 1, dropped: 1, missed: 0, pending: 1 });
    body.open('done');
    await clock.settle();
    expect(made).toMatchObject({ status: 'ended', totals: { ran: 2 } });
  });

  test('is free again when submit throws', async () => {
    const { clock, make } = world();
    const made = make({ everyMs: SECOND, maxRuns: 1 });
    vi.spyOn(Supervisor.prototype, 'submit').mockImplementationOnce(() => {
      throw new Error('out of order');
    });
    await clock.advance(SECOND);
    expect(made.schedule).toMatchObject({ status: 'active', totals: { errors: 1 } });
    await clock.advance(SECOND);
    expect(made.dues).toEqual(['00:00:02']);
    expect(made.schedule).toMatchObject({ status: 'ended', totals: { submitted: 1, ran: 1, errors: 1, missed: 0 } });
  });

  test('is used up by a run that fails or is canceled, too', async () => {
    const { clock, make } = world();
    let runs = 0;
    const run = (ctx: TaskContext) => {
      runs += 1;
      if (runs === 1) throw new Error('no');
      return ctx.sleep(HOUR);
    };
    const { schedule: made } = make({ everyMs: SECOND, maxRuns: 2, task: { restart: 'never', timeoutMs: 10, run } });
    await clock.advance(5 * SECOND);
    expect(made).toMatchObject({ status: 'ended', totals: { submitted: 2, ran: 2 } });
  });

  test('is used up once by a run with many attempts', async () => {
    const { clock, make } = world();
    let attempts = 0;
    const run = () => {
      attempts += 1;
      if (attempts < 5) throw new Error('again');
    };
    const task = { admission: 'queue', backoff: { firstMs: 10, jitter: 'none' }, run } as const;
    const { schedule: made } = make({ everyMs: SECOND, maxRuns: 2, task });
    await clock.advance(5 * SECOND);
    expect(made.totals).toMatchObject({ submitted: 2, ran: 2 });
    expect(attempts).toBe(6);
  });

  test('is not taken by a trigger', async () => {
    const { clock, make } = world();
    const { schedule: made } = make({ everyMs: SECOND, maxRuns: 2, task: { admission: 'queue' } });
    for (let i = 0; i < 3; i += 1) made.trigger();
    expect(made.next(5)).toHaveLength(2);
    await clock.advance(5 * SECOND);
    expect(made.totals).toMatchObject({ submitted: 5, triggered: 3, ran: 2, missed: 0 });
  });

  test('is taken by dates that are caught up, one after the other; those that find none are missed', async () => {
    const { clock, make } = world();
    const made = make({ everyMs: SECOND, maxRuns: 2, missed: { catchUp: 9 } });
    clock.block(5 * SECOND);
    await clock.advance(SECOND);
    expect(made.dues).toEqual(['00:00:01 at 00:00:05', '00:00:02 at 00:00:05']);
    expect(made.schedule).toMatchObject({ status: 'ended', totals: { submitted: 2, ran: 2, missed: 3, pending: 0 } });
  });
});

describe('an update of maxRuns', () => {
  /** The run of the first date is alive, and that of the second waits. */
  async function two(maxRuns: number) {
    const { clock, make } = world();
    const body = gateBody();
    const { schedule: made } = make({ everyMs: SECOND, maxRuns, task: { admission: 'queue', run: body.body } });
    await clock.advance(2 * SECOND);
    return { clock, made, body };
  }

  test('to more gives new places, from the next date on', async () => {
    const { clock, made, body } = await two(2);
    await clock.advance(SECOND);
    made.update({ maxRuns: 3 });
    expect(made.next(5)).toEqual([new Date(START + 4 * SECOND)]);
    await clock.advance(2 * SECOND);
    expect(made.totals).toMatchObject({ submitted: 3, missed: 2, pending: 2 }); // dates 3 and 5
    for (let i = 0; i < 3; i += 1) {
      body.open('done');
      await clock.settle();
    }
    expect(made).toMatchObject({ status: 'ended', totals: { ran: 3, missed: 2, pending: 0 } });
  });

  test('to as many as places are taken leaves none, and ends the schedule when they are used up', async () => {
    const { clock, made, body } = await two(9);
    made.update({ maxRuns: 2 });
    expect(made).toMatchObject({ status: 'active' });
    expect(made.next(5)).toEqual([]);
    await clock.advance(SECOND);
    body.open('done');
    await clock.settle();
    expect(made).toMatchObject({ status: 'ended', totals: { submitted: 2, ran: 2, missed: 1 } });
  });

  for (const maxRuns of [1, 2])
    test(`to ${maxRuns} of the 2 that are used up ends the schedule at once`, async () => {
      const { clock, made, body } = await two(9);
      body.open('done');
      await clock.settle();
      expect(made).toMatchObject({ status: 'active', totals: { ran: 2 } });
      made.update({ maxRuns });
      expect(made.status).toBe('ended');
      await clock.advance(MINUTE);
      expect(made.totals).toMatchObject({ submitted: 2, ran: 2, missed: 0 });
    });

  test('to fewer than are submitted stops no run that waits', async () => {
    const { clock, made, body } = await two(9);
    made.update({ maxRuns: 1 });
    expect(made.status).toBe('ended');
    body.open('done');
    await clock.settle();
    expect(made.totals).toMatchObject({ submitted: 2, ran: 2, dropped: 0 });
    expect(body.calls).toHaveLength(2);
  });

  test('to the number that it has changes nothing', async () => {
    const { clock, made } = await two(3);
    made.update({ maxRuns: 3 });
    await clock.advance(5 * SECOND);
    expect(made.totals).toMatchObject({ submitted: 3, missed: 4 });
  });
});
