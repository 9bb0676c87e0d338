// The handle of a schedule: its slot, its history, and its answers during a shutdown and after
// stop.

import { inspect } from 'node:util';
import fc from 'fast-check';
import { ClosedError, Supervisor, type TaskContext } from 'slotvisor';
import { type Schedule, type ScheduleUpdate, schedule } from 'slotvisor/cron';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { nothingEscapes } from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';
import { MINUTE, SECOND, START } from './world.ts';

describe('the own slot of a schedule', () => {
  test('differs from every slot that a user names like a schedule', async () => {
    const { supervisor, clock, recorded } = setup();
    const body = gateBody();
    for (const slot of ['schedule-1', 'schedule-2']) supervisor.submit({ slot, run: body.body });
    const made = schedule(supervisor, { everyMs: SECOND, task: { run: () => 1 } });
    await clock.advance(SECOND);
    expect(made.runs).toMatchObject([{ admission: 'started', outcome: { kind: 'completed' } }]);
    expect(recorded.of('started').at(-1)).toMatchObject({
      name: 'schedule-1',
      slot: expect.stringMatching(/^schedule-1-[0-9a-f-]{36}$/),
    });
  });

  test('is the same for all runs of the schedule, and another one in another process', async () => {
    const slots = new Set<string>();
    for (let processes = 0; processes < 2; processes += 1) {
      const { supervisor, clock, recorded } = setup();
      schedule(supervisor, { everyMs: SECOND, task: { run: () => 1 } });
      await clock.advance(3 * SECOND);
      for (const { slot } of recorded.of('started')) slots.add(slot ?? '');
    }
    expect(slots.size).toBe(2);
  });
});

describe('returned dates are copies', () => {
  test('changing the dates in runs changes no history', async () => {
    const { supervisor, clock } = setup();
    const made = schedule(supervisor, { cron: '* * * * *', timezone: 'UTC', task: { run: () => 1 } });
    clock.block(3 * MINUTE);
    await clock.advance(0);
    const before = structuredClone(made.runs.map((run) => ({ ...run })));
    for (const run of made.runs) {
      run.at.setTime(0);
      if (run.kind !== 'error') run.due.setTime(0);
      Object.assign(run, { kind: 'error', error: 'none' });
    }
    expect(made.runs).toEqual(before);
    expect(before).toMatchObject([
      { kind: 'missed', count: 2, due: new Date(START + 2 * MINUTE), at: new Date(START + 3 * MINUTE) },
      { kind: 'submitted', due: new Date(START + 3 * MINUTE), at: new Date(START + 3 * MINUTE) },
    ]);
  });

  test('each attempt gets its own Date, which is not the one in runs', async () => {
    const { supervisor, clock } = setup();
    const dues: number[] = [];
    const run = (_: TaskContext, due: Date) => {
      dues.push(due.getTime());
      due.setTime(0);
      if (dues.length < 3) throw new Error('again');
    };
    const made = schedule(supervisor, { cron: '0 * * * *', timezone: 'UTC', maxRuns: 1, task: { run } });
    await clock.advance(70 * MINUTE);
    const due = START + 60 * MINUTE;
    expect(dues).toEqual([due, due, due]);
    expect(made.runs).toMatchObject([{ due: new Date(due) }]);
  });
});

describe('from the first moment of a shutdown', () => {
  const refused: readonly [string, (made: Schedule<number>) => unknown][] = [
    ['trigger', (made) => made.trigger()],
    ['update', (made) => made.update({ everyMs: 5 } satisfies ScheduleUpdate)],
  ];
  for (const paused of [false, true])
    test(`${paused ? 'a paused' : 'an active'} schedule has ended, has no next date, and throws ClosedError`, async () => {
      const { supervisor, clock } = setup();
      const stubborn = gateBody();
      supervisor.submit({ run: stubborn.body });
      await clock.settle();
      const made = schedule(supervisor, { everyMs: SECOND, task: { run: () => 1 } });
      await clock.advance(1_500);
      if (paused) made.pause();
      expect(made.next(3)).toHaveLength(3);
      const closed = supervisor.shutdown({ graceMs: 10_000 });
      expect(made.next(3)).toEqual([]);
      expect(made.status).toBe('ended');
      made.resume();
      expect(made.status).toBe('ended');
      for (const [, call] of refused) expect(() => call(made)).toThrow(ClosedError);
      expect(made.previous()).toEqual(new Date(START + SECOND)); // the past does not change
      stubborn.open('done');
      await closed;
      expect(made).toMatchObject({ status: 'ended', totals: { submitted: 1, errors: 0 } });
      expect(made.next()).toEqual([]);
      expect(clock.timers).toBe(0);
    });
});

describe('calls of a schedule', () => {
  test('reading its state submits nothing and emits no event', async () => {
    const { supervisor, clock, recorded } = setup();
    const made = schedule(supervisor, { cron: '@daily', task: { run: () => 1 } });
    made.update({ task: { run: () => 2 } });
    for (const read of [() => made.status, () => made.next(5), () => made.previous(), () => made.runs]) read();
    await clock.settle();
    expect(supervisor.snapshot().totals).toMatchObject({ submitted: 0, rejected: 0 });
    expect(recorded.events).toEqual([]);
  });

  test('a body may stop its own schedule if it does not await that', async () => {
    const { supervisor, clock } = setup();
    let stopped: Promise<void> | undefined;
    const made: Schedule<string> = schedule(supervisor, {
      everyMs: SECOND,
      task: {
        run: async (ctx: TaskContext) => {
          stopped = made.stop();
          await ctx.sleep(100);
          return 'to its end';
        },
      },
    });
    await clock.advance(5 * SECOND);
    await stopped;
    expect(made.runs).toMatchObject([{ outcome: { kind: 'completed', value: 'to its end' } }]);
    expect(made.status).toBe('ended');
  });

  test('an update during a run leaves that run as it is', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const made = schedule(supervisor, { everyMs: SECOND, task: { run: body.body } });
    await clock.advance(SECOND);
    made.update({ everyMs: 2 * SECOND, task: { run: () => 'new' } });
    body.open('old');
    await clock.advance(2 * SECOND);
    expect(made.runs.map((run) => run.kind === 'submitted' && run.outcome)).toMatchObject([
      { kind: 'completed', value: 'old' },
      { kind: 'completed', value: 'new' },
    ]);
  });

  const calls: readonly ((made: Schedule<unknown>, ms: number) => unknown)[] = [
    (made) => made.pause(),
    (made) => made.resume(),
    (made) => made.resume(),
    (made) => made.trigger(),
    (made, ms) => made.update({ everyMs: 1 + ms }),
    (made, ms) => made.update({ cron: `${ms % 60} * * * * *`, timezone: 'UTC' }),
    (made, ms) => made.update({ missed: { catchUp: 1 + (ms % 9) }, jitterMs: ms }),
    (made) => made.update({ maxRuns: made.totals.ran + 3 }),
  ];

  test('any calls, even from its body, leave at most one body alive (S1) and nothing after a stop', async () => {
    const step = fc.record({
      call: fc.constantFrom(...calls),
      ms: fc.nat(20_000),
      within: fc.boolean(),
      blocks: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const { supervisor, clock } = setup();
        const within: (() => unknown)[] = [];
        let [alive, most] = [0, 0];
        const run = async (ctx: TaskContext) => {
          alive += 1;
          most = Math.max(most, alive);
          within.pop()?.();
          await ctx.sleep(1_500).finally(() => {
            alive -= 1;
          });
        };
        const made: Schedule<unknown> = schedule(supervisor, { everyMs: SECOND, task: { restart: 'never', run } });
        await nothingEscapes(async () => {
          for (const { call, ms, within: later, blocks } of steps) {
            const act = () => {
              try {
                call(made, ms);
              } catch (error) {
                // An update may decide the last date under maxRuns, and so end the schedule.
                if (made.status !== 'ended') throw error;
              }
            };
            if (later) within.push(act);
            else act();
            if (blocks) clock.block(ms);
            else await clock.advance(ms);
          }
          const stopped = made.stop();
          await clock.advance(4 * SECOND); // a run may be alive, and a date that is caught up queued behind it
          await stopped;
        });
        expect(most).toBeLessThanOrEqual(1);
        expect(made.totals.errors).toBe(0);
        expect(made.runs.filter((one) => one.kind === 'submitted' && one.outcome === undefined)).toEqual([]);
        expect(supervisor.snapshot()).toMatchObject({ slots: [], owners: 0, queued: 0 });
        expect(clock.timers).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  test('a getter of update options may stop the schedule: the update then throws ClosedError', async () => {
    const { supervisor, clock } = setup();
    const made = schedule(supervisor, { everyMs: SECOND, task: { run: () => 1 } });
    const options = {
      get everyMs() {
        void made.stop();
        return 5;
      },
    };
    expect(() => made.update(options)).toThrow(ClosedError);
    await clock.advance(SECOND);
    expect(made.totals.submitted).toBe(0);
  });

  test('a schedule runs and ends on the clock of the platform', async () => {
    await using supervisor = new Supervisor();
    let made: Schedule | undefined;
    await new Promise<void>((resolve) => {
      made = schedule(supervisor, { everyMs: 1, maxRuns: 1, task: { run: () => resolve() } });
    });
    await made?.stop();
    expect(made).toMatchObject({ status: 'ended', totals: { submitted: 1, dropped: 0, errors: 0 } });
    // A late timer finds several dates. Those that did not run are entries, too.
    const submitted = made?.runs.filter(({ kind }) => kind === 'submitted');
    expect(submitted).toMatchObject([{ cause: 'date', outcome: { kind: 'completed' } }]);
  });
});

test('JSON and the console show what a schedule is known by, its dates, status, next date and counts', async () => {
  const { supervisor, clock } = setup();
  const made = schedule(supervisor, { everyMs: SECOND, task: { slot: 's', run: () => 1 } });
  const next = new Date(START + SECOND);
  const shown = { name: 's', slot: 's', when: { everyMs: SECOND }, status: 'active', next, totals: made.totals };
  expect(JSON.stringify(made)).toBe(JSON.stringify(shown));
  expect(inspect(made)).toBe(inspect(shown));
  void made.stop();
  const ended = { ...shown, status: 'ended', next: undefined };
  expect(JSON.stringify(made)).toBe(JSON.stringify(ended));
  expect(inspect(made)).toBe(inspect(ended));
  const named = schedule(supervisor, {
    name: 'once',
    at: new Date(START + SECOND),
    task: { name: 'n', run: () => 1 },
  });
  await clock.settle();
  expect(JSON.parse(JSON.stringify(named))).toMatchObject({
    ...{ name: 'once', slot: 'n', status: 'active' },
    when: { at: new Date(START + SECOND).toISOString() },
  });
});

describe('slot names the slot of the task', () => {
  test.for<readonly [task: object, slot: string | RegExp]>([
    [{ slot: 's' }, 's'],
    [{ name: 'n' }, 'n'],
    [{ slot: 's', name: 'n' }, 's'],
    [{}, /^schedule-1-[0-9a-f-]{36}$/],
  ])('of a task with %j', async ([given, slot]) => {
    const { supervisor, clock, recorded } = setup();
    const made = schedule(supervisor, { everyMs: SECOND, task: { run: () => 1, ...given } });
    expect(made.slot).toMatch(slot);
    await clock.advance(SECOND);
    expect(recorded.of('started')).toMatchObject([{ slot: made.slot }]);
  });

  test('also after an update of the task, which does not change the name', async () => {
    const { supervisor, clock, recorded } = setup();
    const made = schedule(supervisor, { everyMs: SECOND, task: { slot: 'old', run: () => 1 } });
    made.update({ task: { slot: 'new', run: () => 2 } });
    expect([made.name, made.slot]).toEqual(['old', 'new']);
    await clock.advance(SECOND);
    expect(recorded.of('started')).toMatchObject([{ slot: 'new' }]);
    made.update({ task: { run: () => 3 } });
    expect(made.slot).toMatch(/^schedule-1-/); // its own
  });
});

describe('when is the dates as they were given last', () => {
  const rows: readonly [what: string, options: object, when: object][] = [
    ['an expression', { cron: '0 4 * * *' }, { cron: '0 4 * * *' }],
    ['an expression with its zone', { cron: '@daily', timezone: 'UTC' }, { cron: '@daily', timezone: 'UTC' }],
    ['a fixed rate', { everyMs: SECOND, timezone: 'UTC' }, { everyMs: SECOND }],
    ['a Date', { at: new Date(START + SECOND) }, { at: new Date(START + SECOND) }],
    ['epoch ms', { at: START + SECOND }, { at: new Date(START + SECOND) }],
    [
      'text without an offset, in its zone',
      { at: '2020-06-01T12:00', timezone: 'Asia/Tokyo' },
      { at: new Date(Date.UTC(2020, 5, 1, 3)) },
    ],
  ];
  for (const [what, options, when] of rows)
    test(`of ${what}, when it was made, after an update, and after the end`, async () => {
      const { supervisor, clock } = setup();
      const task = { run: () => 1 };
      const made = schedule(supervisor, { ...options, task } as never);
      const updated = schedule(supervisor, { everyMs: 5 * SECOND, timezone: 'Europe/Berlin', task });
      updated.update({ timezone: 'UTC', ...options } as never);
      const wanted = 'cron' in when ? { timezone: 'UTC', ...when } : when;
      expect([made.when, updated.when]).toEqual([when, wanted]);
      await clock.advance(2 * SECOND);
      void made.stop();
      expect(made.when).toEqual(when);
    });

  test('as a copy: changing it changes no date', () => {
    const { supervisor } = setup();
    const made = schedule(supervisor, { at: START + SECOND, task: { run: () => 1 } });
    const { when } = made;
    if ('at' in when) when.at.setTime(0);
    expect([made.when, made.next()]).toEqual([{ at: new Date(START + SECOND) }, [new Date(START + SECOND)]]);
  });

  test('unchanged by a refused update', () => {
    const { supervisor } = setup();
    const made = schedule(supervisor, { everyMs: SECOND, task: { run: () => 1 } });
    expect(() => made.update({ cron: 'hourly' })).toThrow(/cron must/);
    expect(made.when).toEqual({ everyMs: SECOND });
  });
});
