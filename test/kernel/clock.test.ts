import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { after, type Clock, MAX_TIMER_MS, systemClock } from '../../src/kernel/clock.ts';

describe('the clock of the system', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  test('fires once, at its time and not before, never within the call', () => {
    const fire = vi.fn();
    systemClock.setTimer(100, fire);
    expect(fire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(99);
    expect(fire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fire).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1_000);
    expect(fire).toHaveBeenCalledTimes(1);
  });

  test('a delay of 0 ms fires on a later turn', () => {
    const fire = vi.fn();
    systemClock.setTimer(0, fire);
    expect(fire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(0);
    expect(fire).toHaveBeenCalledTimes(1);
  });

  test('a fraction of a ms is waited for to its end', () => {
    const fired: number[] = [];
    const start = performance.now();
    systemClock.setTimer(1.25, () => fired.push(performance.now() - start));
    vi.advanceTimersByTime(1);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toHaveLength(1);
    expect(fired[0]).toBeGreaterThanOrEqual(1.25);
  });

  test.for([
    ['the longest that a timer holds', MAX_TIMER_MS],
    ['1 ms more', MAX_TIMER_MS + 1],
    ['a hundred days', 100 * 86_400_000],
  ] as const)('%s is waited for in full', ([, ms]) => {
    const asked = vi.spyOn(globalThis, 'setTimeout');
    const fire = vi.fn();
    systemClock.setTimer(ms, fire);
    expect(asked.mock.calls[0]?.[1]).toBeLessThanOrEqual(MAX_TIMER_MS);
    vi.advanceTimersByTime(ms - 1);
    expect(fire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fire).toHaveBeenCalledTimes(1);
    const delays = asked.mock.calls.map(([, delay]) => delay as number);
    expect(Math.max(...delays)).toBeLessThanOrEqual(MAX_TIMER_MS);
    expect(delays).toHaveLength(Math.ceil(ms / MAX_TIMER_MS));
    expect(vi.getTimerCount()).toBe(0);
  });

  test('canceled, it leaves no timer and never fires: before, between the parts of a long delay, and afterwards', () => {
    const fire = vi.fn();
    systemClock.setTimer(100, fire)();
    expect(vi.getTimerCount()).toBe(0);
    const cancel = systemClock.setTimer(MAX_TIMER_MS * 3, fire);
    vi.advanceTimersToNextTimer();
    expect(vi.getTimerCount()).toBe(1);
    cancel();
    cancel();
    expect(vi.getTimerCount()).toBe(0);
    expect(fire).not.toHaveBeenCalled();
    const late = systemClock.setTimer(1, fire);
    vi.advanceTimersByTime(1);
    late();
    expect(fire).toHaveBeenCalledTimes(1);
  });

  test('a platform timer that fires early is armed again for the rest', () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const fire = vi.fn();
    systemClock.setTimer(100, fire);
    now = 99.5;
    vi.advanceTimersByTime(100);
    expect(fire).not.toHaveBeenCalled();
    now = 100;
    vi.advanceTimersByTime(1);
    expect(fire).toHaveBeenCalledTimes(1);
  });

  test('its time is monotonic, its wall clock is the epoch', () => {
    const [now, wall] = [systemClock.now(), systemClock.wallNow()];
    vi.setSystemTime(wall - 3_600_000);
    vi.advanceTimersByTime(10);
    expect(systemClock.now()).toBe(now + 10);
    expect(systemClock.wallNow()).toBe(wall - 3_600_000 + 10);
  });

  test('after: Infinity sets no timer, and its cancel does nothing', () => {
    const fire = vi.fn();
    const cancel = after(systemClock, Infinity, fire);
    expect(vi.getTimerCount()).toBe(0);
    cancel();
    after(systemClock, 5, fire);
    vi.advanceTimersByTime(5);
    expect(fire).toHaveBeenCalledTimes(1);
  });
});

test('after: fires once and never after its cancel, whatever the clock does', () => {
  const fires: (() => void)[] = [];
  const careless: Clock = {
    ...systemClock,
    setTimer: (_, fire) => {
      fires.push(fire);
      return () => {};
    },
  };
  const [twice, canceled] = [vi.fn(), vi.fn()];
  after(careless, 5, twice);
  after(careless, 5, canceled)();
  for (const fire of [...fires, ...fires]) fire();
  expect([twice.mock.calls.length, canceled.mock.calls.length]).toEqual([1, 0]);
});
