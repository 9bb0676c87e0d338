// Schedules end as the shutdown of their supervisor begins, and what has come by then is counted.

import type { TaskContext } from 'slotvisor';
import { schedulesOf } from 'slotvisor/cron';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { HOUR, MINUTE, SECOND, START, world } from './world.ts';

describe('in the very turn in which a shutdown begins', () => {
  test('every schedule has ended, and its counts are final, before any body is asked to stop', async () => {
    const { clock, supervisor, make } = world();
    const seen: unknown[] = [];
    const all = [make({ everyMs: SECOND }), make({ cron: '* * * * * *' }), make({ at: START + HOUR })];
    all[0]?.schedule.pause();
    const look = () => all.map(({ schedule: { status, totals } }) => [status, totals.pending, totals.missed]);
    const run = (ctx: TaskContext) =>
      new Promise<void>((resolve) => {
        ctx.onCancel(() => {
          seen.push(look());
          resolve();
        });
      });
    supervisor.submit({ run });
    await clock.advance(1_500);
    const closed = supervisor.shutdown();
    const ended = [
      ['ended', 0, 1], // the date of its pause
      ['ended', 0, 0],
      ['ended', 0, 0],
    ];
    expect(look()).toEqual(ended);
    expect(schedulesOf(supervisor)).toEqual([]);
    expect(clock.timers).toBe(1); // of the shutdown
    await closed;
    expect(seen).toEqual([ended]);
  });

  for (const [kind, dates] of [
    ['a fixed rate', { everyMs: SECOND }],
    ['an expression', { cron: '* * * * * *' }],
    ['a single date', { at: START + SECOND }],
  ] as const)
    test(`a date of ${kind} that has come in that turn is missed`, async () => {
      const { clock, supervisor, make } = world();
      const made = make(dates);
      clock.block(SECOND); // its timer has not fired yet
      const closed = supervisor.shutdown();
      expect(made.schedule).toMatchObject({ status: 'ended', totals: { submitted: 0, missed: 1, pending: 0 } });
      await closed;
      await clock.advance(MINUTE);
      expect(made.dues).toEqual([]);
      expect(made.schedule.runs).toMatchObject([
        { kind: 'missed', count: 1, due: new Date(START + SECOND), at: new Date(START + SECOND) },
      ]);
    });

  test('dates of a schedule that has ended and still has some to catch up are missed, and never run', async () => {
    const { clock, supervisor, make } = world();
    const body = gateBody();
    const { schedule: made } = make({
      everyMs: SECOND,
      endAt: START + 4 * SECOND + 1,
      missed: { catchUp: 9 },
      task: { run: body.body },
    });
    clock.block(9 * SECOND);
    await clock.advance(0);
    expect(made).toMatchObject({ status: 'ended', totals: { ran: 1, pending: 3, missed: 0 } });
    const closed = supervisor.shutdown();
    expect(made.totals).toMatchObject({ ran: 1, pending: 0, missed: 3 });
    body.open('done');
    await closed;
    expect(body.calls).toHaveLength(1);
    expect(made.totals).toMatchObject({ submitted: 1, ran: 1, missed: 3 });
  });

  test('a date whose run waits in its slot is dropped when the shutdown rejects it', async () => {
    const { clock, supervisor, make } = world();
    const body = gateBody();
    const { schedule: made } = make({ everyMs: SECOND, task: { admission: 'queue', run: body.body } });
    await clock.advance(3 * SECOND);
    expect(made.totals).toMatchObject({ submitted: 3, ran: 1, pending: 2 });
    const closed = supervisor.shutdown();
    body.open('done');
    await closed;
    expect(made.totals).toMatchObject({ submitted: 3, ran: 1, dropped: 2, missed: 0, pending: 0 });
  });
});

test('no date comes during a shutdown: its counts stay as they were when it began', async () => {
  const { clock, supervisor, make } = world();
  const stubborn = gateBody();
  supervisor.submit({ run: stubborn.body });
  const made = make({ everyMs: SECOND });
  await clock.advance(2 * SECOND);
  const closed = supervisor.shutdown({ graceMs: 10 * SECOND });
  const { totals } = made.schedule;
  await clock.advance(3 * SECOND);
  stubborn.open('done');
  await closed;
  expect(made.schedule.totals).toEqual(totals);
  expect(totals).toMatchObject({ submitted: 2, ran: 2, missed: 0, errors: 0 });
});

test('a schedule that a body makes or stops as the shutdown asks it to stop changes nothing', async () => {
  const { clock, supervisor, make } = world();
  const errors: unknown[] = [];
  const made = make({
    everyMs: SECOND,
    task: {
      run: (ctx) => {
        ctx.onCancel(() => {
          void made.schedule.stop();
          try {
            make({ everyMs: SECOND });
          } catch (error) {
            errors.push((error as Error).name);
          }
        });
        return ctx.sleep(HOUR);
      },
    },
  });
  await clock.advance(SECOND);
  await supervisor.shutdown();
  expect(errors).toEqual(['ClosedError']);
  expect(clock.timers).toBe(0);
});
