import { VirtualClock } from 'slotvisor/testing';
import { expect, test } from 'vitest';
import { clocksOf, momentOf, sinceMs, timesOf } from '../../../src/ext/fleet/times.ts';

test('three beats fit before a lease is lost, and a third of the ttl is left after the grace', () => {
  const { beatMs, softMs, graceMs, ttlMs } = timesOf(15_000);
  expect(3 * beatMs).toBe(softMs);
  expect(softMs + graceMs).toBe((2 / 3) * ttlMs);
});

test('the time since a moment is the longer one of both clocks', () => {
  const clock = new VirtualClock();
  const moment = momentOf(clock);
  clock.block(10);
  expect(sinceMs(clock, moment)).toBe(10);
  clock.setWall(clock.wallNow() + 100);
  expect(sinceMs(clock, moment)).toBe(110);
  clock.setWall(0);
  expect(sinceMs(clock, moment)).toBe(10);
});

test('a clock that is given serves for all timers', () => {
  const clock = new VirtualClock();
  expect(clocksOf(clock)).toEqual({ busy: clock, idle: clock });
});

test('a timer of the idle clock holds no process, and one of the busy clock does', () => {
  const { busy, idle } = clocksOf(undefined);
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const stops = [idle.setTimer(60_000, () => {})];
  expect(timers()).toBe(before);
  stops.push(busy.setTimer(60_000, () => {}));
  expect(timers()).toBe(before + 1);
  for (const stop of stops) stop();
});
