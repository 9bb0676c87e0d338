import { expect, test } from 'vitest';
import { RateWindow } from '../../src/kernel/rate-window.ts';

const RATE = { limit: 3, intervalMs: 100 };

function windowWith(...starts: number[]): RateWindow {
  const window = new RateWindow(RATE);
  for (const start of starts) window.started(start);
  return window;
}

test('a window with fewer starts than its limit is open', () => {
  for (const starts of [[], [5], [5, 6]]) expect(windowWith(...starts).opensAtMs(0)).toBe(-Infinity);
});

test('a full window opens when the earliest of its latest `limit` starts leaves it', () => {
  expect(windowWith(5, 6, 7).opensAtMs(0)).toBe(105);
  expect(windowWith(5, 6, 7, 110, 120).opensAtMs(0)).toBe(107);
  expect(windowWith(1, 2, 3, 4, 5, 6, 7, 8).opensAtMs(0)).toBe(106);
});

test('starts to come count as if they began now', () => {
  expect([0, 1, 2].map((coming) => windowWith(5).opensAtMs(coming))).toEqual([-Infinity, -Infinity, 105]);
  expect([0, 1, 2].map((coming) => windowWith(5, 6, 7, 8).opensAtMs(coming))).toEqual([106, 107, 108]);
});

test('as many starts to come as the limit leave no room for one more', () => {
  expect([3, 4].map((coming) => windowWith(5).opensAtMs(coming))).toEqual([Infinity, Infinity]);
});

test('a window counts the latest starts of the window before it', () => {
  const old = windowWith(1, 2, 3, 4, 5);
  expect(new RateWindow({ limit: 2, intervalMs: 10 }, old).opensAtMs(0)).toBe(14);
  expect(new RateWindow({ limit: 4, intervalMs: 10 }, old).opensAtMs(0)).toBe(-Infinity);
  expect(new RateWindow({ limit: 4, intervalMs: 10 }, old).opensAtMs(1)).toBe(13);
});

test('a window keeps at most `limit` start times', () => {
  const window = windowWith(...Array.from({ length: 1_000 }, (_, n) => n));
  expect(window.latest(Infinity)).toEqual([997, 998, 999]);
});
