// From dates to submissions: when a date is held back although its turn has come.

import { schedule } from 'slotvisor/cron';
import { expect, test } from 'vitest';
import { setup } from '../../support/setup.ts';
import { HOUR, MINUTE, START } from './world.ts';

/** A claim takes two minutes. The wall clock is set back while the one for 00:05 is under way. */
function claimingWorld() {
  const { supervisor, clock } = setup();
  const runs: string[] = [];
  const timeOf = (ms: number) => new Date(ms).toISOString().slice(11, 16);
  const claims = {
    claim: () => new Promise<boolean>((resolve) => clock.setTimer(2 * MINUTE, () => resolve(true))),
    last: async () => undefined,
  };
  const run = (_: unknown, due: Date) => void runs.push(`${timeOf(due.getTime())} at ${timeOf(clock.wallNow())}`);
  const made = schedule(supervisor, {
    ...{ name: 'n', claims, cron: '5 * * * *', timezone: 'UTC', task: { slot: 's', run } },
  });
  return { clock, made, runs };
}

test('a claimed date runs no earlier than at its date, also if the wall clock is set back meanwhile', async () => {
  const { clock, made, runs } = claimingWorld();
  await clock.advance(6 * MINUTE);
  clock.setWall(START - 20 * MINUTE);
  await clock.advance(24 * MINUTE);
  expect(runs).toEqual([]);
  expect(made.totals).toMatchObject({ ran: 0, pending: 1 });
  await clock.advance(HOUR + 5 * MINUTE);
  expect(runs).toEqual(['00:05 at 00:05', '01:05 at 01:07']);
});

test('a claimed date that is held until then is missed when the schedule is stopped', async () => {
  const { clock, made, runs } = claimingWorld();
  await clock.advance(6 * MINUTE);
  clock.setWall(START - 20 * MINUTE);
  await clock.advance(5 * MINUTE);
  await made.stop();
  expect(clock.timers).toBe(0);
  await clock.advance(HOUR);
  expect(runs).toEqual([]);
  expect(made.totals).toMatchObject({ submitted: 0, missed: 1, pending: 0 });
});
