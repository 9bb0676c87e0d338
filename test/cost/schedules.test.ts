// Guards the cost of a schedule by counts: of clock reads, timers, moves in the timeline's heap and
// calls of croner. test/bench/ measures times. The bytes are counted in a process of their own.

import { Cron, CronDate, CronPattern } from 'croner';
import { Supervisor } from 'slotvisor';
import { type Schedule, schedule } from 'slotvisor/cron';
import { VirtualClock } from 'slotvisor/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Entry, Timeline } from '../../src/ext/cron/timeline.ts';
import { Heap } from '../../src/kernel/heap.ts';
import { run } from '../process/child.ts';

const undo: (() => void)[] = [];
const restore = (): void => {
  vi.restoreAllMocks();
  for (const one of undo.splice(0).reverse()) one();
};
afterEach(restore);

const WEEK_MS = 7 * 86_400_000;
const task = { run: () => {} };

/**
 * Counts the calls of methods from outside: calls that they make of each other do not count. A spy
 * would keep the arguments of every call.
 */
function countCalls({ prototypes, only }: { prototypes: readonly object[]; only?: string }): () => number {
  let calls = 0;
  let depth = 0;
  const counted = (original: (...args: unknown[]) => unknown) =>
    function (this: unknown, ...args: unknown[]): unknown {
      if (depth === 0) calls += 1;
      depth += 1;
      try {
        return Reflect.apply(original, this, args);
      } finally {
        depth -= 1;
      }
    };
  for (const prototype of prototypes)
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (name === 'constructor' || (only !== undefined && name !== only) || typeof descriptor.value !== 'function')
        continue;
      Object.defineProperty(prototype, name, { ...descriptor, value: counted(descriptor.value) });
      undo.push(() => Object.defineProperty(prototype, name, descriptor));
    }
  return () => calls;
}

const countCroner = () => countCalls({ prototypes: [Cron.prototype, CronDate.prototype, CronPattern.prototype] });

interface Counts {
  readonly clockReads: number;
  readonly timers: number;
  readonly moves: number;
  readonly cronerCalls: number;
}

const PROBES = 100;

/**
 * What each kind of work on 100 schedules costs, beside `others` that have no date meanwhile. Each
 * call needs a time zone of its own: what is known of an expression and a zone may be kept.
 */
async function costBeside(others: number, timezone: string): Promise<Record<string, Counts>> {
  const minutely = { cron: '* * * * *', timezone, task };
  const hourly = { cron: '0 * * * *', timezone, task };
  const clock = new VirtualClock({ wallMs: Date.UTC(2026, 0, 5, 12, 0, 30) });
  const supervisor = new Supervisor({ clock });
  const rest = Array.from({ length: others }, () => schedule(supervisor, hourly));
  schedule(supervisor, minutely).pause(); // both expressions are in use from here on

  const clockReads = [vi.spyOn(clock, 'now'), vi.spyOn(clock, 'wallNow')];
  const timers = vi.spyOn(clock, 'setTimer');
  const moves = countCalls({ prototypes: [Heap.prototype] });
  const cronerCalls = countCroner();
  const counts = (): Counts => ({
    clockReads: clockReads.reduce((sum, { mock }) => sum + mock.calls.length, 0),
    timers: timers.mock.calls.length,
    moves: moves(),
    cronerCalls: cronerCalls(),
  });
  const of = async (work: () => unknown): Promise<Counts> => {
    const before = counts();
    await work();
    const after = counts();
    return {
      clockReads: after.clockReads - before.clockReads,
      timers: after.timers - before.timers,
      moves: after.moves - before.moves,
      cronerCalls: after.cronerCalls - before.cronerCalls,
    };
  };

  let made: Schedule[] = [];
  const costs = {
    make: await of(() => {
      made = Array.from({ length: PROBES }, () => schedule(supervisor, minutely));
    }),
    fire: await of(() => clock.advance(60_000)),
    update: await of(() => {
      for (const one of made) one.update(hourly);
    }),
    stop: await of(() => Promise.all(made.map((one) => one.stop()))),
  };
  expect(made.map(({ totals }) => totals.submitted)).toEqual(Array(PROBES).fill(1));
  expect(rest.every(({ totals }) => totals.submitted === 0)).toBe(true);
  restore();
  return costs;
}

describe('the cost of a schedule', () => {
  test('to make, fire, update and stop it is the same beside 1,000 others and beside 20,000', async () => {
    const few = await costBeside(1_000, 'Europe/Berlin');
    expect(await costBeside(20_000, 'Europe/Paris')).toEqual(few);
    for (const { clockReads, timers, moves } of Object.values(few)) {
      expect(clockReads / PROBES).toBeLessThan(30);
      expect(timers).toBeLessThan(10);
      expect(moves).toBeGreaterThan(0);
    }
  });

  test('of an expression that it shares with 2,000 others is a few calls of croner after a week of sleep', async () => {
    const clock = new VirtualClock({ wallMs: Date.UTC(2026, 0, 5, 12, 0, 30) });
    const supervisor = new Supervisor({ clock });
    const options = { cron: '* * * * *', timezone: 'Europe/Rome', task };
    const all = Array.from({ length: 2_000 }, () => schedule(supervisor, options));
    const cronerCalls = countCroner();
    clock.setWall(clock.wallNow() + WEEK_MS);
    await clock.advance(30_000); // the wall clock is read at least as often
    expect(all.every(({ totals }) => totals.missed > 0)).toBe(true);
    expect(cronerCalls()).toBeGreaterThan(0);
    expect(cronerCalls()).toBeLessThan(500);
  });

  test('that is due again and again deletes no key of a Map or a Set of the timeline', () => {
    const timeline = new Timeline(new VirtualClock());
    const entry: Entry = { onDue: () => {}, onSetBack: () => {}, end: () => {} };
    timeline.add(entry);
    const deletions = countCalls({ prototypes: [Map.prototype, Set.prototype], only: 'delete' });
    for (let n = 1; n <= 100; n += 1) {
      timeline.set(entry, n % 2 === 0 ? 'wall' : 'monotonic', n);
      timeline.clear(entry);
    }
    const count = deletions();
    restore();
    expect(count).toBe(0);
  });

  test('in bytes stays below its limit, with one expression and with many schedules', async () => {
    const { code, lines, stderr } = await run('cost/count-schedules.ts', { flags: ['--expose-gc'] });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { few, many } = JSON.parse(lines.at(-1) ?? 'null') as { few: number; many: number };
    expect(few).toBeLessThan(8_000);
    expect(many / few).toBeLessThan(1.2);
  });
});
