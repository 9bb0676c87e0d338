import { expect, test } from 'vitest';
import { RestartWindow } from '../../src/policy/restart-limit.ts';

test('as many restarts as the limit fit into the window, and not one more', () => {
  const window = new RestartWindow({ restarts: 3, withinMs: 100 });
  expect([0, 10, 20, 30].map((at) => window.take(at))).toEqual([true, true, true, false]);
});

test('a restart leaves the window when it is withinMs old', () => {
  const window = new RestartWindow({ restarts: 2, withinMs: 100 });
  expect([0, 50, 99, 100, 101, 150].map((at) => window.take(at))).toEqual([true, true, false, true, false, true]);
});

test('a limit of 0 allows none', () => {
  expect(new RestartWindow({ restarts: 0, withinMs: 100 }).take(0)).toBe(false);
});

test('limits above 32 apply as they stand', () => {
  const window = new RestartWindow({ restarts: 1_000, withinMs: Infinity });
  const taken = Array.from({ length: 1_001 }, (_, at) => window.take(at));
  expect(taken.filter(Boolean)).toHaveLength(1_000);
});
