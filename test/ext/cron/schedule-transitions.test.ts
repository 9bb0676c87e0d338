// Schedules run through every zone transition from 2024 to 2030 in eight zones, on virtual time.
// Each expected date runs once and on time. The schedules of one zone share one timer.

import { seededRandom } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { MINUTE, SECOND, world } from './world.ts';
import { expectedDates, type Field, HOUR, type Shape, type Transition, transitionsOf } from './zones.ts';

const ZONES: readonly (readonly [zone: string, firstYear: number, lastYear: number])[] = [
  ['Europe/Berlin', 2024, 2030],
  ['America/New_York', 2024, 2030],
  ['America/St_Johns', 2024, 2030],
  ['Australia/Lord_Howe', 2024, 2030],
  ['Africa/Casablanca', 2024, 2030],
  // These zones have no transitions any more: start early enough for their last ones.
  ['Asia/Tehran', 2021, 2030],
  ['America/Sao_Paulo', 2018, 2030],
  ['Pacific/Apia', 2020, 2030],
];

const field = (text: string, ...values: number[]): Field => ({ text, values, fixed: !text.includes('*') });
const shape = (minutes: Field, hours: Field): Shape => ({
  text: `${minutes.text} ${hours.text} * * *`,
  seconds: field('0', 0),
  minutes,
  hours,
  day: () => true,
});

const QUARTERS = shape(field('*/15', 0, 15, 30, 45), field('*', ...Array.from({ length: 24 }, (_, hour) => hour)));

/** A time of day in the middle of the time that the transition skips or repeats. */
function inTheMiddle({ at, before, after }: Transition): Shape {
  const local = new Date(at + (before + after) / 2);
  const [minute, hour] = [local.getUTCMinutes(), local.getUTCHours()];
  return shape(field(String(minute), minute), field(String(hour), hour));
}

async function runThrough(transition: Transition) {
  const { at, zone } = transition;
  const [from, to] = [at - 3 * HOUR, at + 3 * HOUR];
  const { clock, make, delays } = world(from - 1);
  const start = (options: Parameters<typeof make>[0]) => {
    const dues: number[] = [];
    const late: number[] = [];
    const run = (_: unknown, due: Date) => {
      dues.push(due.getTime());
      late.push(clock.wallNow() - due.getTime());
    };
    const { schedule } = make({ ...options, timezone: zone, task: { run } });
    return { schedule, dues, late };
  };
  const shapes = [QUARTERS, inTheMiddle(transition)];
  const exact = shapes.map(({ text }) => start({ cron: text }));
  const jittered = start({ cron: QUARTERS.text, jitterMs: 10 * MINUTE, random: seededRandom(at) });
  const rate = start({ everyMs: 37 * MINUTE });
  await clock.advance(to - clock.wallNow());
  const label = `${zone} around ${new Date(at).toISOString()}`;

  for (const [i, { schedule, dues, late }] of exact.entries()) {
    expect(dues, label).toEqual(expectedDates(transition, shapes[i] ?? QUARTERS, from, to));
    expect(Math.max(0, ...late), label).toBe(0);
    expect(schedule.totals, label).toMatchObject({ submitted: dues.length, missed: 0, dropped: 0, errors: 0 });
  }
  const [quarters] = exact;
  expect(jittered.dues, label).toEqual(quarters?.dues.slice(0, jittered.dues.length));
  expect(jittered.dues.length, label).toBeGreaterThan(20);
  expect(Math.min(...jittered.late), label).toBeGreaterThanOrEqual(0);
  expect(Math.max(...jittered.late), label).toBeLessThanOrEqual(10 * MINUTE);
  expect(rate.dues, label).toEqual(Array.from({ length: 9 }, (_, i) => from - 1 + (i + 1) * 37 * MINUTE));
  // At most one timer for every run and every check of the clock: no extra timers.
  const runs = [...exact, jittered, rate].reduce((sum, { dues }) => sum + dues.length, 0);
  expect(delays.length, label).toBeLessThanOrEqual(2 * runs + (to - from) / (30 * SECOND) + 5);
}

describe('schedules run every date of the calendar, once and on time, through all transitions of', () => {
  for (const [zone, firstYear, lastYear] of ZONES) {
    const found = transitionsOf(zone, firstYear, lastYear);
    test(`${zone} (${found.length})`, async () => {
      expect(found.length).toBeGreaterThan(1);
      for (const transition of found) await runThrough(transition);
    });
  }
});
