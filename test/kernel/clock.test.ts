import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { after, type Clock, MAX_TIMER_MS, SystemClock } from '../../src/kernel/clock.ts';

describe('SystemClock', () => {
  let systemClock: SystemClock;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    systemClock = new SystemClock();
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  test('fires a timer once, when it is due and not before, never within the call', () => {
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

  test('fires a timer of 0 ms on a later turn', () => {
    const fire = vi.fn();
    systemClock.setTimer(0, fire);
    expect(fire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(0);
    expect(fire).toHaveBeenCalledTimes(1);
  });

  test('waits for a fraction of a ms in full', () => {
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
    ['the longest delay of a platform timer', MAX_TIMER_MS],
    ['1 ms more than the longest delay of a platform timer', MAX_TIMER_MS + 1],
    ['a hundred days', 100 * 86_400_000],
  ] as const)('waits in full for %s', ([, ms]) => {
    const setTimer = vi.spyOn(globalThis, 'setTimeout');
    const fire = vi.fn();
    new SystemClock().setTimer(ms, fire);
    expect(setTimer.mock.calls[0]?.[1]).toBeLessThanOrEqual(MAX_TIMER_MS);
    vi.advanceTimersByTime(ms - 1);
    expect(fire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fire).toHaveBeenCalledTimes(1);
    const delays = setTimer.mock.calls.map(([, delay]) => delay as number);
    expect(Math.max(...delays)).toBeLessThanOrEqual(MAX_TIMER_MS);
    expect(delays).toHaveLength(Math.ceil(ms / MAX_TIMER_MS));
    expect(vi.getTimerCount()).toBe(0);
  });

  test('leaves no timer and never fires once the timer is canceled, also between the parts of a long delay and after the end', () => {
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

  test('sets a new platform timer for the rest of the delay if one fires too early', () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const fire = vi.fn();
    new SystemClock().setTimer(100, fire);
    now = 99.5;
    vi.advanceTimersByTime(100);
    expect(fire).not.toHaveBeenCalled();
    now = 100;
    vi.advanceTimersByTime(1);
    expect(fire).toHaveBeenCalledTimes(1);
  });

  test('has a monotonic time and a wall clock in epoch ms', () => {
    const [now, wall] = [systemClock.now(), systemClock.wallNow()];
    vi.setSystemTime(wall - 3_600_000);
    vi.advanceTimersByTime(10);
    expect(systemClock.now()).toBe(now + 10);
    expect(systemClock.wallNow()).toBe(wall - 3_600_000 + 10);
  });

  test('gets no timer from after for a delay of Infinity, and that cancel does nothing', () => {
    const fire = vi.fn();
    const cancel = after(systemClock, Infinity, fire);
    expect(vi.getTimerCount()).toBe(0);
    cancel();
    after(systemClock, 5, fire);
    vi.advanceTimersByTime(5);
    expect(fire).toHaveBeenCalledTimes(1);
  });
});

test('after fires once and never after its cancel, also with a clock that fires twice and ignores a cancel', () => {
  const fires: (() => void)[] = [];
  const broken: Clock = {
    ...new SystemClock(),
    setTimer: (_, fire) => {
      fires.push(fire);
      return () => {};
    },
  };
  const [twice, canceled] = [vi.fn(), vi.fn()];
  after(broken, 5, twice);
  after(broken, 5, canceled)();
  for (const fire of [...fires, ...fires]) fire();
  expect([twice.mock.calls.length, canceled.mock.calls.length]).toEqual([1, 0]);
});
