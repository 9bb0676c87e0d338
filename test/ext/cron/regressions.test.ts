// What other schedulers are known to have done wrong, by the number under which it was reported. Each is lived through here.

import { type Clock, Supervisor } from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND, START, world } from './world.ts';

interface Row {
  readonly known: string;
  readonly zone: string;
  readonly cron: string;
  readonly from: string;
  readonly lasts: number;
  /** How far apart the runs are, where that is always the same. */
  readonly everyMs?: number;
  readonly runs: number;
}

const rows: readonly Row[] = [
  {
    known: 'node-cron#492: in the repeated hour missed runs are made up for without end, until the heap is full',
    ...{ zone: 'Europe/Vienna', cron: '* * * * *', from: '2025-10-25T23:00:00Z' },
    ...{ lasts: 4 * HOUR, everyMs: MINUTE, runs: 240 },
  },
  {
    known: 'node-cron#492: a task of every second comes to a standstill when the clocks go back',
    ...{ zone: 'Europe/Vienna', cron: '* * * * * *', from: '2025-10-26T00:59:50Z' },
    ...{ lasts: 20 * SECOND, everyMs: SECOND, runs: 20 },
  },
  {
    known: 'node-cron#492: a task of every 30 seconds stops on the eve, and stays away until the day after',
    ...{ zone: 'America/Chicago', cron: '*/30 * * * * *', from: '2025-11-02T01:30:00Z' },
    ...{ lasts: 30 * HOUR, everyMs: 30 * SECOND, runs: 3_600 },
  },
  {
    known:
      'node-cron#509: through the hour of the change the next date is a past one, and the process does nothing else',
    ...{ zone: 'America/New_York', cron: '* * * * *', from: '2026-03-08T05:00:00Z' },
    ...{ lasts: 4 * HOUR, everyMs: MINUTE, runs: 240 },
  },
  {
    known: 'node-cron#509: tasks stop at the midnight after the change, and never come back',
    ...{ zone: 'Europe/Rome', cron: '*/5 * * * *', from: '2026-03-28T20:00:00Z' },
    ...{ lasts: 30 * HOUR, everyMs: 5 * MINUTE, runs: 360 },
  },
  {
    known: 'node-cron#510: the run after the midnight that follows the change is left out',
    ...{ zone: 'Europe/Belgrade', cron: '0 55 * * * *', from: '2026-03-28T20:00:00Z' },
    ...{ lasts: 4 * DAY, everyMs: HOUR, runs: 96 },
  },
  {
    known: 'node-cron#518: a time of day in the skipped hour puts the next run off to another year',
    ...{ zone: 'America/New_York', cron: '30 2 * * *', from: '2026-03-07T12:00:00Z' },
    ...{ lasts: 3 * DAY, runs: 3 },
  },
  {
    known: 'croner#286: a task of every minute runs every millisecond when the clocks go back, on negative timers',
    ...{ zone: 'America/Los_Angeles', cron: '* * * * *', from: '2025-11-02T07:30:00Z' },
    ...{ lasts: 3 * HOUR, everyMs: MINUTE, runs: 180 },
  },
];

describe('over a transition', () => {
  for (const { known, zone, cron, from, lasts, everyMs, runs } of rows)
    test(known, async () => {
      const { clock, make, delays } = world(Date.parse(from));
      const starts: number[] = [];
      const late: number[] = [];
      const run = (_: unknown, due: Date) => {
        starts.push(clock.wallNow());
        if (due.getTime() !== clock.wallNow()) late.push(due.getTime());
      };
      const { schedule: made } = make({ cron, timezone: zone, task: { run } });
      await clock.advance(lasts);
      expect(starts).toHaveLength(runs);
      const apart = new Set(starts.slice(1).map((ms, i) => ms - (starts[i] ?? 0)));
      if (everyMs !== undefined) expect([...apart]).toEqual([everyMs]);
      expect(Math.min(...apart)).toBeGreaterThan(0);
      expect(late).toEqual([]);
      expect(made.totals).toMatchObject({ missed: 0, errors: 0 });
      // No more timers than runs and looks at the clock: nothing spins.
      expect(delays.length).toBeLessThanOrEqual(runs + lasts / (30 * SECOND) + 2);
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    });
});

describe('a wall clock that steps on between two looks at it', () => {
  /** Steps on by two seconds when it is looked at for the nth time within the last second before 00:01. */
  async function stepping(nth: number) {
    const clock = new VirtualClock();
    const delays: number[] = [];
    let looks = 0;
    const stepped: Clock = {
      now: () => clock.now(),
      wallNow() {
        const left = START + MINUTE - clock.wallNow();
        if (left > 0 && left <= SECOND) looks += 1;
        if (looks === nth) {
          looks = Infinity;
          clock.setWall(clock.wallNow() + 2 * SECOND);
        }
        return clock.wallNow();
      },
      setTimer(ms, fire) {
        delays.push(ms);
        return clock.setTimer(ms, fire);
      },
    };
    const dues: number[] = [];
    const run = (_: unknown, due: Date) => void dues.push((due.getTime() - START) / MINUTE);
    const made = schedule(new Supervisor({ clock: stepped }), { cron: '* * * * *', timezone: 'UTC', task: { run } });
    await clock.advance(MINUTE - 500);
    made.pause();
    made.resume(); // the date is worked out, and its timer set, as close to it as this
    await clock.advance(2 * MINUTE + 10 * SECOND);
    return { dues, delays, happened: looks === Infinity };
  }

  test('croner#343: the date that it steps over is left out without a word, and a timer gets a negative delay', async () => {
    let steps = 0;
    for (let nth = 1; nth <= 30; nth += 1) {
      const { dues, delays, happened } = await stepping(nth);
      expect(dues).toEqual([1, 2, 3]);
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
      if (happened) steps += 1;
    }
    expect(steps).toBeGreaterThan(2);
  });
});
