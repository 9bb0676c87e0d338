import { slotGroup, type TaskSpec } from 'slotvisor';
import { schedule, schedulesOf } from 'slotvisor/cron';
import { expect, it } from 'vitest';
import { glanceOf } from '../../../src/ext/dashboard/glance.ts';
import { Recorder } from '../../../src/ext/dashboard/recorder.ts';
import { scheduleRow } from '../../../src/ext/dashboard/schedule-rows.ts';
import { Sweeper } from '../../../src/ext/dashboard/sweep.ts';
import type { Glance, ScheduleRow } from '../../../src/ext/dashboard/wire.ts';
import { setup } from '../../support/setup.ts';

const history = { events: 100, notable: 100, problems: 10, slots: 10, attempts: 10, minutes: 10 };
const forever: TaskSpec['run'] = (ctx) => ctx.sleep(Infinity);

function watched() {
  const made = setup();
  const { supervisor, clock } = made;
  const recorder = new Recorder(supervisor, { history, groupOf: slotGroup }, clock);
  const sweeper = new Sweeper(supervisor, { groupOf: slotGroup }, clock);
  const glance = async (schedules: readonly ScheduleRow[] = []): Promise<Glance> =>
    glanceOf({ recorder, tally: await sweeper.tally(0), schedules, now: clock.wallNow() });
  return { ...made, glance };
}

const failing = (message: string, ms: number) => ({
  backoff: { firstMs: ms, maxMs: ms, jitter: 'none' as const },
  run: () => Promise.reject(new Error(message)),
});

it('of a quiet supervisor is empty', async () => {
  const { supervisor, clock, glance } = watched();
  supervisor.submit({ slot: 'a', run: forever });
  await clock.settle();
  expect(await glance()).toEqual({ problems: [], stopped: [], next: [] });
});

it('has the four failures that came last, without a stack', async () => {
  const { supervisor, clock, glance } = watched();
  for (const n of ['a', 'b', 'c', 'd', 'e']) {
    supervisor.submit({ slot: n, ...failing(`${n} is down`, 60_000) });
    await clock.advance(10);
  }
  const { problems } = await glance();
  expect(problems.map(({ text }) => text)).toEqual(['e is down', 'd is down', 'c is down', 'b is down']);
  expect(problems[0]).not.toHaveProperty('latest');
});

it('names what turned a submission away, and what takes the place of another one', async () => {
  const { supervisor, clock, glance } = watched();
  const first = supervisor.submit({ slot: 'a', run: forever });
  await clock.settle();
  supervisor.submit({ slot: 'a', admission: 'dropIfRunning', run: forever });
  const second = supervisor.submit({ slot: 'a', admission: 'replace', run: forever });
  await clock.settle();
  const { stopped } = await glance();
  expect(stopped.map(({ type, other }) => [type, other])).toEqual([
    ['stopRequested', second.id],
    ['rejected', first.id],
  ]);
});

it('shows stops beside a flood of submissions that are turned away, three of each', async () => {
  const { supervisor, clock, glance } = watched();
  for (const slot of ['a', 'b', 'c', 'd']) supervisor.submit({ slot, run: forever });
  await clock.settle();
  for (const slot of ['a', 'b', 'c']) void supervisor.slot(slot).cancel();
  for (let i = 0; i < 50; i += 1) supervisor.submit({ slot: 'd', admission: 'dropIfRunning', run: forever });
  await clock.settle();
  const types = (await glance()).stopped.map(({ type }) => type);
  expect(types.toSorted()).toEqual([...Array(3).fill('rejected'), ...Array(3).fill('stopRequested')]);
});

it('says what begins next: tries and dates by their time, at most five', async () => {
  const { supervisor, clock, glance } = watched();
  const now = clock.wallNow();
  supervisor.submit({ slot: 'late', name: 'revision 7', ...failing('x', 50_000) });
  supervisor.submit({ slot: 'soon', ...failing('x', 2_000) });
  supervisor.submit({ slot: 'poll', restart: 'always', intervalMs: 9_000, run: () => {} });
  for (const [name, everyMs] of [
    ['fast', 5_000],
    ['slow', 70_000],
    ['slower', 80_000],
  ] as const)
    schedule(supervisor, { name, everyMs, task: { slot: `report:${name}`, run: () => {} } });
  await clock.settle();
  const { next } = await glance(Array.from(schedulesOf(supervisor), scheduleRow));
  expect(next).toEqual([
    { kind: 'try', at: now + 2_000, slot: 'soon', name: 'soon' },
    { kind: 'date', at: now + 5_000, slot: 'report:fast', name: 'fast' },
    { kind: 'try', at: now + 9_000, slot: 'poll', name: 'poll' },
    { kind: 'try', at: now + 50_000, slot: 'late', name: 'revision 7' },
    { kind: 'date', at: now + 70_000, slot: 'report:slow', name: 'slow' },
  ]);
});

it('announces no date of a schedule that is paused, and none that is over', async () => {
  const { supervisor, clock, glance } = watched();
  const made = schedule(supervisor, { name: 'fast', everyMs: 5_000, task: { slot: 'a', run: () => {} } });
  const rows = [scheduleRow(made)];
  await clock.advance(6_000);
  expect((await glance(rows)).next.map(({ at }) => at)).toEqual([rows[0]?.next[1]]);
  made.pause();
  expect((await glance([scheduleRow(made)])).next).toEqual([]);
});
