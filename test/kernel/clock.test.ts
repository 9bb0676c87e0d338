import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { after, afterWait, type Clock, MAX_TIMER_MS, SystemClock } from '../../src/kernel/clock.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

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

  test.for([
    ['that holds the process', true],
    ['that does not hold the process', false],
  ] as const)(
    '%s sets a new platform timer for the rest of the delay if one fires too early',
    async ([, holdsProcess]) => {
      vi.useRealTimers();
      const { setTimeout } = globalThis;
      const times = [4.2, 4.9, 5]; // when the timers fire
      let now = 0;
      vi.spyOn(performance, 'now').mockImplementation(() => now);
      vi.spyOn(globalThis, 'setTimeout').mockImplementation(((fire: () => void, ms: number) =>
        setTimeout(() => {
          now = times.shift() as number;
          fire();
        }, ms)) as never);
      const clock = new SystemClock(holdsProcess);
      await new Promise<void>((resolve) => void clock.setTimer(5, resolve));
      expect([clock.now(), times]).toEqual([5, []]);
    },
  );

  test('follows fake timers of any length, also where the first one is of less than 1 ms', () => {
    vi.spyOn(performance, 'now').mockReturnValue(0);
    for (const ms of [0.1, 1, 1.5, 2, 3, 1e6]) {
      const clock = new SystemClock();
      const fire = vi.fn();
      clock.setTimer(ms, fire);
      vi.advanceTimersByTime(Math.ceil(ms));
      expect([fire.mock.calls.length, clock.now()]).toEqual([1, ms]);
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  test('gives the platform no delay below 0', () => {
    const setTimer = vi.spyOn(globalThis, 'setTimeout');
    const clock = new SystemClock();
    for (const ms of [-0.5, -1, -1e9, -Infinity]) clock.setTimer(ms, () => {});
    for (const [, delay] of setTimer.mock.calls) expect(delay).toBeGreaterThanOrEqual(0);
    expect(setTimer).toHaveBeenCalledTimes(4);
  });

  test('takes the functions of the platform when it is made, and none later', () => {
    const clock = new SystemClock();
    const before = [clock.now(), clock.wallNow()];
    const late = vi.fn(() => 1e15 as never);
    for (const name of ['setTimeout', 'clearTimeout'] as const) vi.spyOn(globalThis, name).mockImplementation(late);
    for (const object of [performance, Date]) vi.spyOn(object, 'now').mockImplementation(late);
    const fire = vi.fn();
    clock.setTimer(MAX_TIMER_MS + 5, fire);
    clock.setTimer(5, fire)();
    expect([clock.now(), clock.wallNow()]).toEqual(before);
    vi.advanceTimersByTime(MAX_TIMER_MS + 5);
    expect([fire.mock.calls.length, late.mock.calls.length, vi.getTimerCount()]).toEqual([1, 0, 0]);
  });

  test('follows its timers where fake ones leave performance.now alone', () => {
    vi.spyOn(performance, 'now').mockReturnValue(0);
    const clock = new SystemClock();
    const fired: [string, number][] = [];
    const set = (name: string, ms: number) => clock.setTimer(ms, () => fired.push([name, clock.now()]));
    set('long', MAX_TIMER_MS + 5_000);
    set('hour', 3_600_000);
    set('second', 1_000);
    vi.advanceTimersByTime(1_000);
    set('later', 10);
    vi.advanceTimersByTime(MAX_TIMER_MS + 4_000);
    expect(fired).toEqual([
      ['second', 1_000],
      ['later', 1_010],
      ['hour', 3_600_000],
      ['long', MAX_TIMER_MS + 5_000],
    ]);
  });

  test('has one platform timer for many waits', () => {
    vi.useRealTimers();
    const setTimer = vi.spyOn(globalThis, 'setTimeout');
    const clock = new SystemClock();
    const cancels = Array.from({ length: 1_000 }, (_, n) => clock.setWait(60_000 + n, () => {}));
    expect(setTimer.mock.calls.filter(([, ms]) => (ms as number) > 50_000)).toHaveLength(1);
    for (const cancel of cancels) cancel();
  });

  test('under fake timers has a timer for each wait, whose delay has passed when it has fired', () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    const clock = new SystemClock();
    const fired: number[] = [];
    clock.setWait(1_000, () => fired.push(clock.now()));
    now.mockReturnValue(7); // the test itself takes some time
    clock.setWait(1_500, () => fired.push(clock.now()));
    vi.advanceTimersByTime(1_500);
    expect(fired).toEqual([1_000, 1_507]);
  });

  test('has a monotonic time and a wall clock in epoch ms', () => {
    const [now, wall] = [systemClock.now(), systemClock.wallNow()];
    vi.setSystemTime(wall - 3_600_000);
    vi.advanceTimersByTime(10);
    expect(systemClock.now()).toBe(now + 10);
    expect(systemClock.wallNow()).toBe(wall - 3_600_000 + 10);
  });

  test('shares what it reads the time with, so that code compiled for one clock serves the next', () => {
    const [one, other] = [new SystemClock(), new SystemClock(false)];
    expect([one.now === other.now, one.wallNow === other.wallNow]).toEqual([true, true]);
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
    now: () => 0,
    wallNow: () => 0,
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

test('after gives no clock a delay below 0', () => {
  const delays: number[] = [];
  const clock: Clock = {
    now: () => 0,
    wallNow: () => 0,
    setTimer: (ms) => {
      delays.push(ms);
      return () => {};
    },
  };
  for (const ms of [-1, -0.001, 0, 1]) after(clock, ms, () => {});
  expect(delays).toEqual([0, 0, 0, 1]);
});

test.for([
  ['Infinity', Infinity, [0, 0]],
  ['5 ms', 5, [1, 1]],
] as const)('afterWait of %s sets as many timers as after, also with a foreign clock', ([, ms, timers]) => {
  const clock = new VirtualClock();
  const counts: number[] = [];
  for (const set of [after, afterWait]) {
    const cancel = set(clock, ms, () => {});
    counts.push(clock.timers);
    cancel();
    expect(clock.timers).toBe(0);
  }
  expect(counts).toEqual(timers);
});
