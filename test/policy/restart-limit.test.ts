import { expect, test } from 'vitest';
import { RestartWindow } from '../../src/policy/restart-limit.ts';

test('a window allows as many restarts as its limit and no more', () => {
  const window = new RestartWindow({ restarts: 3, withinMs: 100 });
  expect([0, 10, 20, 30].map((at) => window.take(at))).toEqual([true, true, true, false]);
});

test('a restart no longer counts once it is withinMs old', () => {
  const window = new RestartWindow({ restarts: 2, withinMs: 100 });
  expect([0, 50, 99, 100, 101, 150].map((at) => window.take(at))).toEqual([true, true, false, true, false, true]);
});

test('a limit of 0 allows no restart', () => {
  expect(new RestartWindow({ restarts: 0, withinMs: 100 }).take(0)).toBe(false);
});

test('a limit above 32 applies unchanged', () => {
  const window = new RestartWindow({ restarts: 1_000, withinMs: Infinity });
  const taken = Array.from({ length: 1_001 }, (_, at) => window.take(at));
  expect(taken.filter(Boolean)).toHaveLength(1_000);
});
