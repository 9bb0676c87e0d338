import type { Clock } from 'slotvisor';
import { describe, expect, test, vi } from 'vitest';
import { type Entry, MAX_REPEAT_MS, MAX_WAIT_MS, Timeline } from '../../../src/ext/cron/timeline.ts';

/** A clock on which each read of the monotonic time takes `readMs()`. */
function slowClock(readMs: () => number) {
  const state = { now: 0, timers: [] as { due: number; fire: () => void }[] };
  const clock: Clock = {
    now: () => {
      state.now += readMs();
      return state.now;
    },
    wallNow: () => state.now,
    setTimer(ms, fire) {
      const timer = { due: state.now + ms, fire };
      state.timers.push(timer);
      return () => {
        state.timers = state.timers.filter((other) => other !== timer);
      };
    },
  };
  const fireNext = (): number | undefined => {
    const [timer] = state.timers.sort((a, b) => a.due - b.due).splice(0, 1);
    if (timer === undefined) return undefined;
    state.now = Math.max(state.now, timer.due);
    timer.fire();
    return timer.due;
  };
  return { clock, state, fireNext };
}

function entry(onDue: () => void): Entry {
  return { onDue, onSetBack: () => {}, end: () => {} };
}

/** An entry of the timeline. */
function added(timeline: Timeline, onDue: () => void): Entry {
  const one = entry(onDue);
  timeline.add(one);
  return one;
}

describe('the timeline', () => {
  test('sets one timer at most, also with a clock whose timers fire twice and after their cancel', () => {
    const { clock, state } = slowClock(() => 0);
    const fires: (() => void)[] = [];
    const setTimer = vi.fn((ms: number, fire: () => void) => {
      fires.push(fire);
      return clock.setTimer(ms, fire);
    });
    const timeline = new Timeline({ ...clock, setTimer });
    const onDue = vi.fn();
    timeline.set(added(timeline, onDue), 'monotonic', timeline.now('monotonic') + 100);
    timeline.set(added(timeline, onDue), 'monotonic', timeline.now('monotonic') + 50); // takes the place of the first timer
    state.now += 50;
    for (const fire of [...fires, ...fires].reverse()) fire();
    expect([onDue.mock.calls.length, setTimer.mock.calls.length]).toEqual([1, 3]);
  });

  test('lets the event loop continue when due entries take long', () => {
    let busy = 0;
    const { clock, fireNext } = slowClock(() => busy);
    const timeline = new Timeline(clock);
    const onDue = vi.fn();
    for (let i = 0; i < 100; i += 1) timeline.set(added(timeline, onDue), 'wall', 5);
    busy = 1;
    fireNext();
    expect(onDue.mock.calls.length).toBeGreaterThan(0);
    expect(onDue.mock.calls.length).toBeLessThan(10);
    for (let turns = 0; turns < 100; turns += 1) fireNext();
    expect(onDue).toHaveBeenCalledTimes(100);
  });

  test('calls onSetBack of every entry once when the wall clock was set back by more than an hour', () => {
    let wall = 1e12;
    const { clock, state, fireNext } = slowClock(() => 0);
    const timeline = new Timeline({ ...clock, wallNow: () => wall + state.now });
    const entries = [0, 1].map(() => ({ ...entry(() => {}), onSetBack: vi.fn() }));
    for (const one of entries) timeline.add(one);
    timeline.set(
      added(timeline, () => {}),
      'monotonic',
      timeline.now('monotonic') + 1e7,
    );
    for (let wakes = 0; wakes < 3; wakes += 1) fireNext();
    wall -= 2 * MAX_REPEAT_MS;
    for (let wakes = 0; wakes < 3; wakes += 1) fireNext();
    // The wall time at the last check before it was set, on the clock as it is set now.
    for (const { onSetBack } of entries) expect(onSetBack.mock.calls).toEqual([[wall + 3 * MAX_WAIT_MS]]);
  });

  test('continues after an entry that threw', () => {
    const { clock, fireNext } = slowClock(() => 0);
    const timeline = new Timeline(clock);
    const onDue = vi.fn();
    const bad = added(timeline, () => {
      throw new Error('against its promise');
    });
    timeline.set(bad, 'wall', 5);
    timeline.set(added(timeline, onDue), 'wall', 6);
    expect(fireNext).toThrow('against its promise');
    fireNext();
    expect(onDue).toHaveBeenCalledTimes(1);
  });

  test('calls entries of both clocks in the order of their moments', () => {
    const { clock, state, fireNext } = slowClock(() => 0);
    const timeline = new Timeline(clock);
    const order: string[] = [];
    for (const [name, due] of [
      ['wall', 30],
      ['monotonic', 10],
      ['wall', 20],
      ['monotonic', 40],
      ['wall', 10],
    ] as const)
      timeline.set(
        added(timeline, () => void order.push(`${name} ${due}`)),
        name,
        due,
      );
    state.now = 100;
    fireNext();
    expect(order).toEqual(['wall 10', 'monotonic 10', 'wall 20', 'wall 30', 'monotonic 40']);
  });

  test('fires no extra timers when the clock is coarser than the time left to wait', () => {
    const { clock, state, fireNext } = slowClock(() => 0);
    state.now = 1e15; // at this size a number has steps of an eighth
    const timeline = new Timeline({ ...clock, wallNow: () => state.now - 1e15 + 1.7e9 });
    const onDue = vi.fn();
    timeline.set(added(timeline, onDue), 'monotonic', timeline.now('monotonic') + 0.01);
    for (let wakes = 0; wakes < 3; wakes += 1) fireNext();
    expect(onDue).toHaveBeenCalledTimes(1);
  });

  test('keeps only the last moment that was set for an entry', () => {
    const { clock, fireNext, state } = slowClock(() => 0);
    const timeline = new Timeline(clock);
    const onDue = vi.fn();
    const one = added(timeline, onDue);
    timeline.set(one, 'wall', 10);
    timeline.set(one, 'monotonic', 20);
    timeline.set(one, 'monotonic', 15);
    while (fireNext() !== undefined);
    expect(onDue).toHaveBeenCalledTimes(1);
    expect(state.now).toBe(15);
    expect(state.timers).toEqual([]);
  });
});
