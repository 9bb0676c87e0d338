// Errors at run time: a calendar that fails, a submission that is refused, and user code (random
// source, callbacks, lease store) that throws or calls back.

import { CronDate } from 'croner';
import { Supervisor } from 'slotvisor';
import { schedule, schedulesOf } from 'slotvisor/cron';
import { seededRandom } from 'slotvisor/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { nothingEscapes } from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const START = Date.UTC(2020, 0, 1);

afterEach(() => vi.restoreAllMocks());

/** From 00:10 to 00:14 croner returns `answer` of the moment it is asked for. Counts the calls. */
function breakCroner(answer: (ms: number) => Date | null): { calls: number } {
  const seen = { calls: 0 };
  const real = CronDate.prototype.increment;
  vi.spyOn(CronDate.prototype, 'increment').mockImplementation(function (this: CronDate, ...options) {
    seen.calls += 1;
    const ms = this.getTime();
    if (ms < START + 10 * MINUTE || ms >= START + 14 * MINUTE) return real.apply(this, options);
    const date = answer(ms);
    return date && Object.assign(new CronDate(undefined, 0), { getTime: () => date.getTime() });
  });
  return seen;
}

describe('calendar errors', () => {
  const rows: readonly [string, (ms: number) => Date, RegExp][] = [
    [
      'returns the same moment',
      (ms) => new Date(ms),
      /calendar returned 2020-01-01T00:1.*Z for 'after 2020-01-01T00:1.*Z': not later/,
    ],
    ['returns an earlier moment', (ms) => new Date(ms - HOUR), /returned 2019-12-31T23:1.* for 'after .*': not later/],
    ['returns an invalid date', () => new Date(Number.NaN), /returned NaN for 'after .*': not later/],
    [
      'throws',
      () => {
        throw new Error('no such day');
      },
      /no such day/,
    ],
  ];
  for (const [way, answer, text] of rows)
    test(`the error is reported and the calendar is asked again a minute later if it ${way}`, async () => {
      const { supervisor, clock } = setup();
      const dues: number[] = [];
      const errors: unknown[] = [];
      const made = schedule(supervisor, {
        cron: '* * * * *',
        timezone: 'UTC',
        onError: (error) => void errors.push(error),
        task: { run: (_, due) => void dues.push((due.getTime() - START) / MINUTE) },
      });
      const seen = breakCroner(answer);
      await clock.advance(20 * MINUTE);
      // The date that was already known runs. Then one call a minute, until the calendar works.
      expect(dues).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 18, 19, 20]);
      expect(errors.map(String)).toEqual(Array.from({ length: 5 }, () => expect.stringMatching(text)));
      expect(made.totals).toMatchObject({ submitted: 16, ran: 16, errors: 0 }); // it lost no date that it knew
      expect(made.runs.filter((run) => run.kind === 'error').map((run) => run.error)).toEqual(errors);
      expect(seen.calls).toBeLessThan(40);
    });

  test('after a failure the first date from the next question on runs, and the jitter before it counts no more', async () => {
    const { supervisor, clock } = setup();
    const starts: number[] = [];
    let drawn = 0.5;
    schedule(supervisor, {
      cron: '* * * * *',
      timezone: 'UTC',
      jitterMs: MINUTE,
      random: () => drawn,
      task: { run: () => void starts.push((clock.wallNow() - START) / MINUTE) },
    });
    breakCroner((ms) => new Date(ms));
    await clock.advance(10 * MINUTE); // the jitter of the next date is drawn already
    drawn = 0;
    await clock.advance(7 * MINUTE);
    // The calendar is asked again at 11.5, 12.5, 13.5 and 14.5.
    expect(starts.slice(-4)).toEqual([10.5, 15, 16, 17]);
  });

  test('after a failure the jitter of the date before excuses no lateness when an update decides', async () => {
    const { supervisor, clock } = setup();
    const made = schedule(supervisor, {
      cron: '* * * * *',
      timezone: 'UTC',
      jitterMs: MINUTE,
      random: () => 0.5,
      toleranceMs: 0,
      task: { run: () => 1 },
    });
    breakCroner((ms) => new Date(ms));
    await clock.advance(10.6 * MINUTE); // date 10 ran at 10.5, and what follows it is not known
    vi.restoreAllMocks();
    await clock.advance(0.8 * MINUTE);
    made.update({ missed: 'once' });
    expect(made.totals).toMatchObject({ ran: 10, missed: 1, pending: 0 });
  });

  for (const [missed, dues, lost] of [
    ['skip', [15], 4],
    ['once', [15], 4],
    [{ catchUp: 2 }, [14, 15], 3],
    [{ catchUp: 9 }, [11, 12, 13, 14, 15], 0],
  ] as const)
    test(`dates that came while the calendar failed are decided when it works again: ${JSON.stringify(missed)}`, async () => {
      const { supervisor, clock } = setup();
      const runs: number[] = [];
      const run = (_: unknown, due: Date) => void runs.push((due.getTime() - START) / MINUTE);
      const made = schedule(supervisor, { cron: '* * * * *', timezone: 'UTC', missed, task: { run } });
      await clock.advance(9.5 * MINUTE);
      const spy = vi.spyOn(CronDate.prototype, 'increment').mockImplementation(() => {
        throw new Error('not now');
      });
      await clock.advance(5 * MINUTE); // the date that was already known runs
      spy.mockRestore();
      await clock.advance(MINUTE);
      expect(runs.slice(9)).toEqual([10, ...dues]);
      expect(made.totals).toMatchObject({ ran: 10 + dues.length, missed: lost, errors: 0, pending: 0 });
    });

  test('a schedule whose calendar fails from the start is made, and runs once the calendar works', async () => {
    const { supervisor, clock } = setup();
    await clock.advance(12 * MINUTE);
    breakCroner((ms) => new Date(ms));
    const made = schedule(supervisor, { cron: '* * * * *', timezone: 'UTC', task: { run: () => 1 } });
    expect(made.runs).toMatchObject([{ kind: 'error', at: new Date(START + 12 * MINUTE) }]);
    await clock.advance(4 * MINUTE);
    expect(made.totals.submitted).toBe(2);
  });

  test('a schedule whose calendar fails until no date is left ends', async () => {
    const { supervisor, clock } = setup();
    const endAt = START + 13 * MINUTE;
    const made = schedule(supervisor, { cron: '* * * * *', timezone: 'UTC', endAt, task: { run: () => 1 } });
    breakCroner((ms) => new Date(ms));
    await clock.advance(15 * MINUTE);
    expect(made).toMatchObject({ status: 'ended', totals: { submitted: 10, errors: 0 } });
    expect(made.runs.filter((run) => run.kind === 'error')).toHaveLength(5);
    expect(clock.timers).toBe(0);
  });

  test('previous throws if the calendar returns a date that is not earlier', () => {
    const { supervisor } = setup();
    const made = schedule(supervisor, { cron: '* * * * *', timezone: 'UTC', task: { run: () => 1 } });
    vi.spyOn(CronDate.prototype, 'decrement').mockReturnValue(new CronDate(new Date(START), 0));
    expect(() => made.previous()).toThrow(/for 'before 2020-01-01T00:00:00.000Z': not earlier/);
  });
});

test('a calendar that fails for the time of an absence is reported, and the next dates run', async () => {
  const { supervisor, clock } = setup();
  await clock.advance(20 * MINUTE);
  const errors: unknown[] = [];
  breakCroner((ms) => new Date(ms));
  const claims = { claim: async () => true, last: async () => new Date(START + 11 * MINUTE) };
  const options = { cron: '* 0-2 * * *', timezone: 'UTC', onError: (error: unknown) => void errors.push(error) };
  const made = schedule(supervisor, { ...options, name: 'n', claims, task: { slot: 's', run: () => 1 } });
  await nothingEscapes(() => clock.advance(2 * MINUTE));
  expect(errors.map(String)).toEqual([expect.stringContaining('not later')]);
  expect(made.totals).toMatchObject({ ran: 2, missed: 0 });
});

describe('errors and calls of user code', () => {
  test('what onError throws or rejects with is recorded, and escapes nowhere', async () => {
    const throwing = () => {
      throw new Error('thrown');
    };
    const rejecting = () => Promise.reject(new Error('rejected'));
    // Equal expressions share what their calendar has answered: each is asked for the first time.
    for (const [cron, onError] of [
      ['* 0 * * *', throwing],
      ['* 0-1 * * *', rejecting],
    ] as const) {
      const { supervisor, clock } = setup();
      await clock.advance(10 * MINUTE);
      breakCroner((ms) => new Date(ms));
      const options = { cron, timezone: 'UTC', onError, task: { run: () => 1 } };
      const made = schedule(supervisor, options);
      vi.restoreAllMocks();
      await nothingEscapes(() => clock.advance(3 * MINUTE));
      expect(made.totals.errors).toBe(0);
      expect(made.runs.map((run) => run.kind)).toEqual(['error', 'error', 'submitted', 'submitted', 'submitted']);
    }
  });

  test('onError is called only after the call that failed has returned', async () => {
    const { supervisor, clock } = setup();
    const made = schedule(supervisor, { cron: '* * * * *', timezone: 'UTC', task: { run: () => 1 } });
    made.pause();
    await clock.advance(10 * MINUTE);
    breakCroner((ms) => new Date(ms));
    const onError = vi.fn();
    // It fails for the dates of the pause, which the old settings decide, and for the new dates.
    made.update({ onError, cron: '*/1 * * * *' });
    made.resume();
    expect(made.runs.map((run) => run.kind)).toEqual(['missed', 'error', 'error']);
    expect(onError).not.toHaveBeenCalled();
    await clock.settle();
    expect(onError).toHaveBeenCalledTimes(1);
  });

  test('a failed run does not end or delay its schedule', async () => {
    const { supervisor, clock } = setup();
    const run = () => {
      throw new Error('no');
    };
    const made = schedule(supervisor, { everyMs: 1_000, maxRuns: 2, task: { restart: 'never', run } });
    await clock.advance(3_000);
    expect(made.runs).toMatchObject([1, 2].map(() => ({ outcome: { kind: 'failed', because: 'policy' } })));
    expect(made.totals.errors).toBe(0);
  });

  test('what submit throws is recorded, its date is counted in errors, and the next date is submitted', async () => {
    const { supervisor, clock } = setup();
    const made = schedule(supervisor, { everyMs: 1_000, task: { run: () => 1 } });
    vi.spyOn(Supervisor.prototype, 'submit').mockImplementationOnce(() => {
      throw new Error('out of order');
    });
    await clock.advance(2_000);
    expect(made.runs).toMatchObject([
      { kind: 'error', due: new Date(START + 1_000), error: new Error('out of order') },
      { kind: 'submitted' },
    ]);
    expect(made.totals).toMatchObject({ submitted: 1, ran: 1, errors: 1, pending: 0 });
  });

  test('a random source may stop the schedule', async () => {
    const { supervisor, clock } = setup();
    const random = () => {
      if (clock.now() > 0) void made.stop();
      return 0.5;
    };
    const made = schedule(supervisor, { everyMs: 1_000, jitterMs: 10, random, task: { run: () => 1 } });
    await clock.advance(5_000);
    expect(made).toMatchObject({ status: 'ended', totals: { submitted: 1 } });
    expect(clock.timers).toBe(0);
  });

  test('a random source may update the schedule', async () => {
    const { supervisor, clock } = setup();
    const seconds: number[] = [];
    let draws = 0;
    const random = () => {
      draws += 1;
      if (draws === 2) made.update({ cron: '30 * * * * *', timezone: 'UTC' });
      return 0;
    };
    const run = () => void seconds.push(Math.floor(clock.now() / 1_000));
    const made = schedule(supervisor, { everyMs: 7_000, jitterMs: 10, random, task: { run } });
    clock.setWall(clock.wallNow() + HOUR); // the two clocks differ from here on
    await clock.advance(2 * MINUTE);
    expect(seconds).toEqual([7, 30, 90]);
  });

  test.for(['after a pause', 'after a date'])(
    'a random source that is asked %s may change endAt: no date vanishes or runs early',
    async (when) => {
      const { supervisor, clock } = setup();
      const runs: number[] = [];
      let draws = 0;
      const random = () => {
        draws += 1;
        if (draws === 2) made.update({ endAt: START + 10 * MINUTE });
        return 0;
      };
      const options = { cron: '* * * * *', timezone: 'UTC', jitterMs: 1, random } as const;
      const made = schedule(supervisor, { ...options, task: { run: () => void runs.push(clock.now() / MINUTE) } });
      if (when === 'after a pause') {
        made.pause();
        made.resume();
      }
      await clock.advance(5 * MINUTE);
      expect(runs).toEqual([1, 2, 3, 4, 5]);
      expect(made.totals).toMatchObject({ ran: 5, pending: 0 });
    },
  );

  test('a lease store may update the schedule while it is asked for a lease', async () => {
    const lost = new AbortController().signal;
    let asked = 0;
    const acquire = () => {
      asked += 1;
      if (asked === 1) made.update({ cron: '30 * * * * *', timezone: 'UTC' });
      return { fence: BigInt(asked), lost, release: () => {} };
    };
    const { supervisor, clock } = setup({ leases: { acquire } });
    const seconds: number[] = [];
    const run = () => void seconds.push(clock.now() / 1_000);
    const made = schedule(supervisor, { everyMs: 7_000, task: { run } });
    clock.setWall(clock.wallNow() + HOUR);
    await clock.advance(2 * MINUTE);
    expect(seconds).toEqual([7, 30, 90]);
    expect(made.totals).toMatchObject({ submitted: 3, missed: 0 });
  });

  test('a lease store may change what is decided about late dates, while some are due', async () => {
    const lost = new AbortController().signal;
    let fence = 0n;
    const acquire = () => {
      fence += 1n;
      if (fence === 1n) made.update({ missed: 'once' });
      return { fence, lost, release: () => {} };
    };
    const { supervisor, clock } = setup({ leases: { acquire } });
    const minutes: number[] = [];
    const task = {
      admission: 'queue',
      run: (_: unknown, due: Date) => void minutes.push(due.getUTCMinutes()),
    } as const;
    const made = schedule(supervisor, {
      cron: '* * * * *',
      timezone: 'UTC',
      jitterMs: 1.5 * MINUTE,
      random: () => 0.999,
      task,
    });
    await clock.advance(10 * MINUTE);
    expect(minutes).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(made.totals).toMatchObject({ ran: 8, missed: 0, pending: 2 });
  });

  test('a lease store may be the first to notice that the wall clock was set back', async () => {
    const lost = new AbortController().signal;
    let fence = 0n;
    const acquire = () => {
      fence += 1n;
      if (fence === 1n) {
        clock.setWall(START - 2 * HOUR);
        made.next();
      }
      return { fence, lost, release: () => {} };
    };
    const { supervisor, clock } = setup({ leases: { acquire } });
    const hours: number[] = [];
    const task = { run: (_: unknown, due: Date) => void hours.push(due.getUTCHours()) };
    const made = schedule(supervisor, { cron: '0 * * * *', timezone: 'UTC', task });
    await clock.advance(5 * HOUR);
    expect(hours).toEqual([1, 23, 0, 1, 2]);
  });

  test('a getter of an update may update the schedule: what it changes stays', async () => {
    const { supervisor, clock } = setup();
    const minutes: number[] = [];
    const task = { run: (_: unknown, due: Date) => void minutes.push(due.getUTCMinutes()) };
    const made = schedule(supervisor, { cron: '0 * * * *', timezone: 'UTC', task });
    made.update({
      get historySize() {
        made.update({ cron: '*/20 * * * *' });
        return 5;
      },
    });
    await clock.advance(HOUR);
    expect(made.when).toEqual({ cron: '*/20 * * * *', timezone: 'UTC' });
    expect(minutes).toEqual([20, 40, 0]);
  });

  test('a random source may stop a schedule that is being made: its claims are asked nothing', async () => {
    const { supervisor, clock } = setup();
    const claims = { claim: vi.fn(async () => true), last: vi.fn(async () => new Date(START - 5 * HOUR)) };
    const random = () => {
      for (const one of schedulesOf(supervisor)) void one.stop();
      return 0;
    };
    const made = schedule(supervisor, {
      ...{ name: 'hourly', claims, cron: '0 * * * *', timezone: 'UTC', missed: 'once', jitterMs: 1, random },
      task: { slot: 'hourly', run: () => 1 },
    });
    await clock.advance(HOUR);
    expect(made).toMatchObject({ status: 'ended', totals: { submitted: 0, missed: 0 } });
    expect(claims.last).not.toHaveBeenCalled();
  });

  test('a bad random source delays no date by more than jitterMs', async () => {
    const sources: readonly [random: () => number, most: number, spread?: true][] = [
      [() => 7, 500],
      [() => Number.NaN, 0],
      [
        () => {
          throw new Error('no number');
        },
        0,
      ],
      [seededRandom(3), 500, true],
    ];
    for (const [random, most, spread = false] of sources) {
      const { supervisor, clock } = setup();
      const late: number[] = [];
      schedule(supervisor, {
        everyMs: 1_000,
        jitterMs: 500,
        random,
        maxRuns: 50,
        task: { run: (_, due) => void late.push(clock.wallNow() - due.getTime()) },
      });
      await clock.advance(60_000);
      expect(late).toHaveLength(50);
      expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...late)).toBeLessThanOrEqual(most + 1);
      expect(new Set(late).size > 40).toBe(spread);
    }
  });
});
