import { AsyncLocalStorage } from 'node:async_hooks';
import { ClosedError, type Supervisor, type TaskContext, type TaskId } from 'slotvisor';
import { type Schedule, type ScheduleOptions, schedule } from 'slotvisor/cron';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { setup } from '../../support/setup.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

const iso = (dates: readonly (Date | undefined)[]) => dates.map((date) => date?.toISOString());

/** A schedule whose body ends at once and records the date of each run. */
function recorded(world: ReturnType<typeof setup>, options: Partial<ScheduleOptions>) {
  const dues: string[] = [];
  const run = (_: TaskContext, due: Date) => void dues.push(due.toISOString());
  const made = schedule(world.supervisor, { timezone: 'UTC', ...options, task: { run, ...options.task } } as never);
  return { schedule: made as Schedule, dues };
}

/** The entries of `runs`, as text. */
function summaryOf(made: Schedule): string[] {
  return made.runs.map((run) => {
    if (run.kind === 'submitted') return `${run.cause} ${run.admission} ${run.outcome?.kind ?? 'alive'}`;
    if (run.kind === 'missed') return `missed ${run.count}`;
    return run.kind === 'error' ? `error ${String(run.error)}` : run.kind;
  });
}

describe('a schedule runs its task', () => {
  test('at the dates of an expression, in its zone, as next and previous return them', async () => {
    const world = setup(); // 2020-01-01T00:00:00Z
    const made = recorded(world, { cron: '30 9 * * MON-FRI', timezone: 'Asia/Kolkata' });
    const dates = ['2020-01-01T04:00:00.000Z', '2020-01-02T04:00:00.000Z', '2020-01-03T04:00:00.000Z'];
    expect(iso(made.schedule.next(4))).toEqual([...dates, '2020-01-06T04:00:00.000Z']);
    await world.clock.advance(3 * 24 * HOUR);
    expect(made.dues).toEqual(dates);
    expect(iso([made.schedule.previous()])).toEqual(dates.slice(-1));
    expect(iso(made.schedule.next())).toEqual(['2020-01-06T04:00:00.000Z']);
  });

  test('at a fixed rate, whose dates do not depend on the duration of a run', async () => {
    const { supervisor, clock } = setup();
    const starts: number[] = [];
    const run = async (ctx: TaskContext) => {
      starts.push(clock.now());
      await ctx.sleep(700);
    };
    schedule(supervisor, { everyMs: SECOND, task: { run } });
    await clock.advance(4 * SECOND);
    expect(starts).toEqual([1_000, 2_000, 3_000, 4_000]);
  });

  test('at a fixed rate counted from startAt, in the past or in the future', async () => {
    const world = setup();
    const past = recorded(world, { everyMs: MINUTE, startAt: Date.UTC(2019, 0, 1, 0, 0, 20) });
    const ahead = recorded(world, { everyMs: 20 * SECOND, startAt: '2020-01-01T00:00:45' });
    await world.clock.advance(90 * SECOND);
    expect(past.dues).toEqual(['2020-01-01T00:00:20.000Z', '2020-01-01T00:01:20.000Z']);
    expect(ahead.dues).toEqual(['45', '05', '25'].map((s, i) => `2020-01-01T00:0${i === 0 ? 0 : 1}:${s}.000Z`));
  });

  test('at once when startAt was now a few ms before it is read', async () => {
    const world = setup();
    const startAt = new Date(world.clock.wallNow());
    world.clock.block(3);
    const made = recorded(world, { everyMs: MINUTE, startAt });
    await world.clock.advance(0);
    expect(made.dues).toEqual([startAt.toISOString()]);
  });

  test('once at the date given as at, and has then ended', async () => {
    const world = setup();
    const made = recorded(world, { at: '2020-01-01T06:00', timezone: 'Europe/Berlin' });
    expect(iso(made.schedule.next(5))).toEqual(['2020-01-01T05:00:00.000Z']);
    await world.clock.advance(5 * HOUR);
    expect(made.dues).toEqual(['2020-01-01T05:00:00.000Z']);
    expect(made.schedule.status).toBe('ended');
    expect(made.schedule.next()).toEqual([]);
    expect(world.clock.timers).toBe(0);
  });

  test('from startAt, included, until endAt, excluded', async () => {
    const world = setup();
    const made = recorded(world, {
      cron: '0 * * * *',
      startAt: new Date(Date.UTC(2020, 0, 1, 2)),
      endAt: '2020-01-01T04:00:00Z',
    });
    await world.clock.advance(6 * HOUR);
    expect(made.dues).toEqual(['2020-01-01T02:00:00.000Z', '2020-01-01T03:00:00.000Z']);
    expect(made.schedule.status).toBe('ended');
  });

  test('maxRuns times, not counting dropped runs and triggers', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const made = schedule(supervisor, { everyMs: SECOND, maxRuns: 2, task: { run: body.body } });
    expect(made.next(9)).toHaveLength(2);
    made.trigger();
    await clock.advance(1_500); // the run of the trigger is still alive at the first date
    body.open('done');
    await clock.advance(1_000);
    body.open('done');
    await clock.advance(1_000);
    expect(summaryOf(made)).toEqual([
      'trigger started completed',
      'date rejected rejected',
      'date started completed',
      'date started alive',
    ]);
    expect(made.status).toBe('ended');
  });

  test('delayed by jitter, which keeps the order of dates and does not count as lateness', async () => {
    const { supervisor, clock } = setup();
    const draws = [0.9, 0.1, 0.5];
    const starts: [number, string][] = [];
    const made = schedule(supervisor, {
      cron: '*/10 * * * * *',
      jitterMs: 40 * SECOND,
      toleranceMs: 0,
      random: () => draws.shift() ?? 0.5,
      task: { admission: 'queue', run: (_, due) => void starts.push([clock.now(), due.toISOString().slice(17, 19)]) },
    });
    expect(iso(made.next())).toEqual(['2020-01-01T00:00:10.000Z']);
    await clock.advance(51 * SECOND);
    expect(starts).toEqual([
      [46_000, '10'],
      [46_000, '20'], // its delay ends at second 24: it waits for the date before it
      [50_000, '30'],
    ]);
    expect(made.totals).toMatchObject({ submitted: 3, missed: 0 });
  });

  test('in the async context of its own schedule call, not in that of the timer', async () => {
    const { supervisor, clock } = setup();
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const make = (everyMs: number) =>
      schedule(supervisor, { everyMs, task: { run: () => void seen.push(storage.getStore()) } });
    storage.run('first', () => make(2_000));
    storage.run('second', () => make(3_000));
    await clock.advance(3_000);
    expect(seen).toEqual(['first', 'second']);
  });

  test('as the task was when the schedule was made', async () => {
    const { supervisor, clock } = setup();
    const task = { name: 'kept', meta: 1, run: () => 'first' };
    const made = schedule(supervisor, { everyMs: SECOND, task });
    Object.assign(task, { name: 'changed', meta: 2, run: () => 'second' });
    await clock.advance(SECOND);
    expect(made.runs).toMatchObject([{ outcome: { kind: 'completed', value: 'first' } }]);
  });

  test('as a killable task, called with its own this and the date', async () => {
    const { supervisor, clock } = setup();
    const worker = {
      dues: [] as number[],
      killed: 0,
      run(ctx: TaskContext, due: Date): Promise<never> {
        this.dues.push(due.getTime());
        return ctx.sleep(Infinity).then(
          () => new Promise<never>(() => {}),
          () => new Promise<never>(() => {}),
        );
      },
      kill() {
        this.killed += 1;
      },
    };
    const made = schedule(supervisor, {
      everyMs: SECOND,
      maxRuns: 1,
      task: { run: worker, timeoutMs: 10, graceMs: 10, restart: 'never' },
    });
    await clock.advance(2_000);
    expect(worker).toMatchObject({ dues: [Date.UTC(2020, 0, 1, 0, 0, 1)], killed: 1 });
    expect(made.runs).toHaveLength(1);
  });
});

function lastIdOf(made: Schedule): TaskId {
  const run = made.runs.at(-1);
  if (run?.kind !== 'submitted') throw new Error('the last entry is no submission');
  return run.id;
}

describe('overlap is the admission policy of the slot', () => {
  test('a date is dropped while the run before it is alive, and is recorded and counted as such', async () => {
    const { supervisor, clock, recorded: events } = setup();
    const body = gateBody();
    const made = schedule(supervisor, { everyMs: SECOND, task: { name: 'report', run: body.body } });
    await clock.advance(3_000);
    expect(body.calls).toHaveLength(1);
    expect(summaryOf(made)).toEqual(['date started alive', 'date rejected rejected', 'date rejected rejected']);
    expect(made.totals).toEqual({
      ...{ submitted: 3, triggered: 0, ran: 1, superseded: 0, dropped: 2 },
      ...{ missed: 0, elsewhere: 0, errors: 0, pending: 0 },
    });
    expect(supervisor.snapshot().totals.dropped).toBe(2);
    expect(events.of('rejected')).toMatchObject([1, 2].map(() => ({ slot: 'report', reason: 'slotBusy' })));
  });

  const rows = [
    {
      admission: 'queue',
      expected: ['date started completed', 'date queued alive', 'date queued alive'],
      totals: { ran: 2, superseded: 0, dropped: 0, pending: 1 },
    },
    {
      admission: 'replace',
      expected: ['date started canceled', 'date queued rejected', 'date queued alive'],
      totals: { ran: 2, superseded: 1, dropped: 0, pending: 0 },
    },
    {
      admission: 'keepLatest',
      expected: ['date started completed', 'date queued rejected', 'date queued alive'],
      totals: { ran: 2, superseded: 1, dropped: 0, pending: 0 },
    },
    {
      admission: 'join',
      expected: ['date started completed', 'date joined completed', 'date joined completed'],
      totals: { ran: 3, superseded: 0, dropped: 0, pending: 0 },
    },
  ] as const;
  for (const { admission, expected, totals } of rows)
    test(`admission ${admission} applies to a schedule as to any other submission`, async () => {
      const { supervisor, clock } = setup();
      const body = gateBody();
      const made = schedule(supervisor, {
        everyMs: SECOND,
        maxRuns: 3,
        task: { slot: 'one', admission, run: body.body },
      });
      await clock.advance(3_000);
      body.open('first');
      await clock.settle();
      expect(summaryOf(made)).toEqual(expected);
      expect(made.totals).toMatchObject({ submitted: 3, missed: 0, ...totals });
      expect(body.calls.length).toBeLessThanOrEqual(2);
    });

  describe('a date whose run waits and never owns the slot', () => {
    /** The first date owns the slot for good, and the others come each second. */
    const waits = async (task: object, seconds: number) => {
      const { supervisor, clock } = setup();
      const body = gateBody();
      const made = schedule(supervisor, { everyMs: SECOND, task: { slot: 's', run: body.body, ...task } });
      await clock.advance(seconds * SECOND);
      return { supervisor, clock, made };
    };

    for (const admission of ['keepLatest', 'replace'] as const)
      test(`is superseded when a later run takes its place, also one of another submitter: ${admission}`, async () => {
        const { supervisor, clock, made } = await waits({ admission }, 4);
        expect(made.totals).toMatchObject({ ran: 1, superseded: 2, dropped: 0, pending: 1 });
        supervisor.submit({ slot: 's', admission, run: () => 1 });
        await clock.settle();
        expect(made.totals).toMatchObject({ submitted: 4, ran: 1, superseded: 3, dropped: 0, pending: 0 });
      });

    type Reject = (supervisor: Supervisor, made: Schedule) => unknown;
    const rows: readonly (readonly [reason: string, task: object, dropped: number, reject?: Reject])[] = [
      ['queueTimeout', { admission: 'queue', queueTimeoutMs: 100 }, 1],
      ['deadline', { admission: 'keepLatest', deadlineMs: 100 }, 1],
      ['canceled', { admission: 'replace' }, 1, (to, made) => to.get(lastIdOf(made))?.cancel()],
      ['queueFull', { admission: 'queue' }, 2, (to) => to.slot('s').configure({ queueLimit: 1 })],
      ['shuttingDown', { admission: 'keepLatest' }, 1, (to) => void to.shutdown({ graceMs: MINUTE })],
    ];
    for (const [reason, task, dropped, reject] of rows)
      test(`is dropped when it is rejected for another reason: ${reason}`, async () => {
        const { supervisor, clock, made } = await waits(task, 2);
        reject?.(supervisor, made);
        await clock.advance(reason === 'queueFull' ? 2 * SECOND : 200);
        const reasons = made.runs.flatMap((run) =>
          run.kind === 'submitted' && run.outcome?.kind === 'rejected' ? [run.outcome.reason] : [],
        );
        expect(new Set(reasons)).toEqual(new Set([reason]));
        expect(made.totals).toMatchObject({ superseded: 0, dropped });
      });
  });

  test('a schedule without slot and name has its own slot; two schedules of one slot exclude each other', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const own = [1, 2].map(() => schedule(supervisor, { everyMs: SECOND, task: { run: body.body } }));
    const shared = [1, 2].map(() =>
      schedule(supervisor, { everyMs: SECOND, task: { slot: 'shared', run: body.body } }),
    );
    await clock.advance(1_000);
    expect([...own, ...shared].map((made) => summaryOf(made)[0])).toEqual([
      ...['date started alive', 'date started alive', 'date started alive', 'date rejected rejected'],
    ]);
  });

  test('a trigger is admitted by it, too, is recorded as a trigger, and works while paused', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const made = schedule(supervisor, { cron: '@daily', task: { run: body.body } });
    made.pause();
    expect(made.trigger().admission).toBe('started');
    const second = made.trigger();
    expect(await second.outcome).toMatchObject({ kind: 'rejected', reason: 'slotBusy' });
    await clock.settle();
    expect(summaryOf(made)).toEqual(['trigger started alive', 'trigger rejected rejected']);
    expect(made.runs[0]).toMatchObject({ due: new Date(clock.wallNow()), at: new Date(clock.wallNow()) });
  });
});

describe('pause, update and history', () => {
  test('an update to new dates counts from now, and keeps the history and the counts', async () => {
    const world = setup();
    const made = recorded(world, { everyMs: SECOND });
    await world.clock.advance(1_500);
    made.schedule.update({ cron: '*/10 * * * * *' });
    await world.clock.advance(9_000);
    expect(made.dues.map((due) => due.slice(17, 19))).toEqual(['01', '10']);
    expect(made.schedule.totals.submitted).toBe(2);
    made.schedule.update({ at: Date.UTC(2020, 0, 1, 0, 0, 12) });
    await world.clock.advance(10_000);
    expect(made.dues.map((due) => due.slice(17, 19))).toEqual(['01', '10', '12']);
  });

  test('an update without new dates moves no date', async () => {
    const world = setup();
    const made = recorded(world, { everyMs: 10 * SECOND, historySize: 5 });
    await world.clock.advance(6_000);
    made.schedule.update({ historySize: 1, missed: 'once', maxRuns: 3, task: { run: () => 'new' } });
    made.schedule.update({ endAt: '2021-01-01T00:00:00Z', timezone: 'Europe/Berlin' });
    expect(iso(made.schedule.next(4))).toEqual(['10', '20', '30'].map((s) => `2020-01-01T00:00:${s}.000Z`));
    await world.clock.advance(60_000);
    expect(made.dues).toEqual([]);
    expect(made.schedule.runs).toMatchObject([{ outcome: { value: 'new' } }]);
    expect(made.schedule.totals.submitted).toBe(3);
  });

  for (const update of [{ endAt: '2021-01-01T00:00:00Z' }, { timezone: 'Europe/Berlin' }])
    test(`each date runs once when ${Object.keys(update)} is updated between the dates`, async () => {
      const world = setup();
      const made = recorded(world, { everyMs: 10 * SECOND, startAt: '2020-01-01T00:00:00Z' });
      for (let n = 0; n < 3; n += 1) {
        await world.clock.advance(5_000);
        made.schedule.update(update);
      }
      await world.clock.advance(10_000);
      expect(made.dues.map((due) => due.slice(17, 19))).toEqual(['00', '10', '20']);
    });

  test('dates of a pause are caught up although endAt is updated during the pause', async () => {
    const world = setup();
    const made = recorded(world, { everyMs: 10 * SECOND, missed: { catchUp: 10 } });
    made.schedule.pause();
    await world.clock.advance(35_000);
    made.schedule.update({ endAt: '2021-01-01T00:00:00Z' });
    made.schedule.resume();
    await world.clock.advance(1_000);
    expect(made.dues.map((due) => due.slice(17, 19))).toEqual(['10', '20', '30']);
  });

  test('an infinite startAt, endAt or maxRuns removes that limit', () => {
    const world = setup();
    const { schedule: made } = recorded(world, {
      cron: '0 0 * * *',
      startAt: '2020-03-01T00:00',
      endAt: '2020-03-03T00:00',
    });
    expect(made.next(9)).toHaveLength(2);
    made.update({ endAt: Infinity, startAt: -Infinity, maxRuns: Infinity });
    expect(made.next(9)).toHaveLength(9);
    expect(iso(made.next())).toEqual(['2020-01-02T00:00:00.000Z']);
  });

  test('an update that throws changes nothing', () => {
    const world = setup();
    const { schedule: made } = recorded(world, { cron: '0 0 * * *' });
    const before = iso(made.next(3));
    expect(() => made.update({ maxRuns: 1, cron: '61 * * * *' })).toThrow(/cron must be a cron expression/);
    expect(() => made.update({ everyMs: 5, task: { run: () => 1, slot: '' } })).toThrow(/slot must not be empty/);
    expect(iso(made.next(3))).toEqual(before);
  });

  test('an update of maxRuns to the number of past runs ends the schedule', async () => {
    const world = setup();
    const made = recorded(world, { everyMs: SECOND });
    await world.clock.advance(2_000);
    made.schedule.update({ maxRuns: 2 });
    expect(made.schedule.status).toBe('ended');
  });

  test('a paused schedule runs nothing and holds no timer, even after an update', async () => {
    const world = setup();
    const made = recorded(world, { everyMs: SECOND });
    made.schedule.pause();
    made.schedule.update({ everyMs: 2 * SECOND });
    expect(world.clock.timers).toBe(0);
    await world.clock.advance(10_000);
    expect(made.dues).toEqual([]);
    expect(made.schedule.status).toBe('paused');
  });

  test('runs keeps the last historySize entries; totals count all', async () => {
    const world = setup();
    const made = recorded(world, { everyMs: SECOND, historySize: 3 });
    await world.clock.advance(10_000);
    expect(made.schedule.runs.map((run) => run.kind === 'submitted' && run.due.getUTCSeconds())).toEqual([8, 9, 10]);
    expect(made.schedule.totals.submitted).toBe(10);
  });
});

describe('a schedule ends', () => {
  test('at once and for good with stop, which waits for its runs and stops none', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const made = schedule(supervisor, { everyMs: SECOND, task: { run: body.body } });
    await clock.advance(1_000);
    let stopped = false;
    const stop = made.stop().then(() => {
      stopped = true;
    });
    expect(made.status).toBe('ended');
    await clock.advance(5_000);
    expect(stopped).toBe(false);
    expect(body.calls[0]?.canceled).toBe(false);
    body.open('done');
    await stop;
    expect(summaryOf(made)).toEqual(['date started completed']);
    expect(() => made.trigger()).toThrow(ClosedError);
    expect(() => made.update({ everyMs: 5 })).toThrow(ClosedError);
    made.resume();
    expect(made.status).toBe('ended');
    expect(clock.timers).toBe(0);
  });

  test('when it is disposed', async () => {
    const { supervisor, clock } = setup();
    const ended = await (async () => {
      await using made = schedule(supervisor, { everyMs: SECOND, task: { run: () => 1 } });
      await clock.advance(1_000);
      return made;
    })();
    expect(ended.status).toBe('ended');
  });

  test('with the shutdown of its supervisor, even while paused; no schedule can be made after that', async () => {
    const { supervisor, clock } = setup();
    const make = () => schedule(supervisor, { everyMs: SECOND, task: { run: () => 1 } });
    const [active, paused] = [make(), make()];
    paused.pause();
    await supervisor.shutdown();
    await clock.settle();
    expect([active.status, paused.status]).toEqual(['ended', 'ended']);
    expect(clock.timers).toBe(0);
    expect(make).toThrow(ClosedError);
  });
});
