// Known bugs of other schedulers. Each row names the report and what went wrong there; the test
// runs a schedule through the same moments and expects every run.

import { type Clock, Supervisor } from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND, START, world } from './world.ts';

interface Row {
  readonly bug: string;
  readonly zone: string;
  readonly cron: string;
  readonly from: string;
  readonly lasts: number;
  /** The time between two runs, if it is always the same. */
  readonly everyMs?: number;
  readonly runs: number;
}

const rows: readonly Row[] = [
  {
    bug: 'node-cron#492 (in the repeated hour missed runs are repeated until the heap is full)',
    ...{ zone: 'Europe/Vienna', cron: '* * * * *', from: '2025-10-25T23:00:00Z' },
    ...{ lasts: 4 * HOUR, everyMs: MINUTE, runs: 240 },
  },
  {
    bug: 'node-cron#492 (a task of every second stops when the clocks go back)',
    ...{ zone: 'Europe/Vienna', cron: '* * * * * *', from: '2025-10-26T00:59:50Z' },
    ...{ lasts: 20 * SECOND, everyMs: SECOND, runs: 20 },
  },
  {
    bug: 'node-cron#492 (a task of every 30 seconds stops the evening before, until the day after)',
    ...{ zone: 'America/Chicago', cron: '*/30 * * * * *', from: '2025-11-02T01:30:00Z' },
    ...{ lasts: 30 * HOUR, everyMs: 30 * SECOND, runs: 3_600 },
  },
  {
    bug: 'node-cron#509 (in the hour of the change the next date is in the past, and the process only spins)',
    ...{ zone: 'America/New_York', cron: '* * * * *', from: '2026-03-08T05:00:00Z' },
    ...{ lasts: 4 * HOUR, everyMs: MINUTE, runs: 240 },
  },
  {
    bug: 'node-cron#509 (tasks stop forever at the midnight after the change)',
    ...{ zone: 'Europe/Rome', cron: '*/5 * * * *', from: '2026-03-28T20:00:00Z' },
    ...{ lasts: 30 * HOUR, everyMs: 5 * MINUTE, runs: 360 },
  },
  {
    bug: 'node-cron#510 (the run after the midnight that follows the change is skipped)',
    ...{ zone: 'Europe/Belgrade', cron: '0 55 * * * *', from: '2026-03-28T20:00:00Z' },
    ...{ lasts: 4 * DAY, everyMs: HOUR, runs: 96 },
  },
  {
    bug: 'node-cron#518 (a time of day in the skipped hour moves the next run to another year)',
    ...{ zone: 'America/New_York', cron: '30 2 * * *', from: '2026-03-07T12:00:00Z' },
    ...{ lasts: 3 * DAY, runs: 3 },
  },
  {
    bug: 'croner#286 (a task of every minute runs every ms when the clocks go back, with negative delays)',
    ...{ zone: 'America/Los_Angeles', cron: '* * * * *', from: '2025-11-02T07:30:00Z' },
    ...{ lasts: 3 * HOUR, everyMs: MINUTE, runs: 180 },
  },
];

describe('every date runs once and on time over a zone transition, unlike in', () => {
  for (const { bug, zone, cron, from, lasts, everyMs, runs } of rows)
    test(bug, async () => {
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
      // At most one timer for every run and every check of the clock: no extra timers.
      expect(delays.length).toBeLessThanOrEqual(runs + lasts / (30 * SECOND) + 2);
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    });
});

describe('a wall clock that is set forward between two reads loses no date, unlike in', () => {
  /** The wall clock is set forward by 2 s at its nth read within the last second before 00:01. */
  async function stepping(nth: number) {
    const clock = new VirtualClock();
    const delays: number[] = [];
    let reads = 0;
    const stepped: Clock = {
      now: () => clock.now(),
      wallNow() {
        const left = START + MINUTE - clock.wallNow();
        if (left > 0 && left <= SECOND) reads += 1;
        if (reads === nth) {
          reads = Infinity;
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
    made.resume(); // the next date is calculated, and its timer set, this close to it
    await clock.advance(2 * MINUTE + 10 * SECOND);
    return { dues, delays, happened: reads === Infinity };
  }

  test('croner#343 (the date in between is skipped silently, and a timer gets a negative delay)', async () => {
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
