import fc from 'fast-check';
import type { Clock } from 'slotvisor';
import { describe, expect, test, vi } from 'vitest';
import { Heap } from '../../../src/ext/cron/heap.ts';
import { type Entry, MAX_REPEAT_MS, MAX_WAIT_MS, Timeline } from '../../../src/ext/cron/timeline.ts';

describe('the heap', () => {
  test('gives items by key, equal keys in the order they came, whatever is moved or taken out meanwhile', () => {
    const step = fc.record({ item: fc.nat(30), key: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const items = Array.from({ length: 31 }, (_, name) => ({ name }));
        const heap = new Heap<{ name: number }>();
        let model: { name: number; key: number }[] = [];
        for (const { item, key } of steps) {
          const thing = items[item] ?? { name: -1 };
          model = model.filter(({ name }) => name !== item);
          if (key === undefined) heap.delete(thing);
          else {
            heap.put(thing, key);
            model.push({ name: item, key });
          }
          const least = model.reduce((low, one) => Math.min(low, one.key), Infinity);
          expect(heap.firstKey).toBe(least);
          expect(heap.first?.name).toBe(model.find((one) => one.key === least)?.name);
        }
      }),
    );
  });
});

/** Every look at the time takes as long as `lookMs` says. */
function slowClock(lookMs: () => number) {
  const state = { now: 0, timers: [] as { due: number; fire: () => void }[] };
  const clock: Clock = {
    now: () => {
      state.now += lookMs();
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

function entry(fire: () => void): Entry {
  return { fire, rewind: () => {}, end: () => {} };
}

describe('the timeline', () => {
  test('gives the event loop its turn when what is due takes long', () => {
    let busy = 0;
    const { clock, fireNext } = slowClock(() => busy);
    const timeline = new Timeline(clock);
    const fire = vi.fn();
    for (let i = 0; i < 100; i += 1) timeline.put(entry(fire), 'wall', 5);
    busy = 1;
    fireNext();
    expect(fire.mock.calls.length).toBeGreaterThan(0);
    expect(fire.mock.calls.length).toBeLessThan(10);
    for (let turns = 0; turns < 100; turns += 1) fireNext();
    expect(fire).toHaveBeenCalledTimes(100);
  });

  test('tells every entry once that the wall clock was set back by much, also one that waits for nothing', () => {
    let wall = 1e12;
    const { clock, state, fireNext } = slowClock(() => 0);
    const timeline = new Timeline({ ...clock, wallNow: () => wall + state.now });
    const entries = [0, 1].map(() => ({ ...entry(() => {}), rewind: vi.fn() }));
    for (const one of entries) timeline.join(one);
    timeline.put(
      entry(() => {}),
      'steady',
      timeline.now('steady') + 1e7,
    );
    for (let wakes = 0; wakes < 3; wakes += 1) fireNext();
    wall -= 2 * MAX_REPEAT_MS;
    for (let wakes = 0; wakes < 3; wakes += 1) fireNext();
    // What the clock would have shown at the last look before.
    for (const { rewind } of entries) expect(rewind.mock.calls).toEqual([[wall + 3 * MAX_WAIT_MS]]);
  });

  test('goes on after an entry that threw', () => {
    const { clock, fireNext } = slowClock(() => 0);
    const timeline = new Timeline(clock);
    const fire = vi.fn();
    const bad = entry(() => {
      throw new Error('against its promise');
    });
    timeline.put(bad, 'wall', 5);
    timeline.put(entry(fire), 'wall', 6);
    expect(fireNext).toThrow('against its promise');
    fireNext();
    expect(fire).toHaveBeenCalledTimes(1);
  });

  test('goes on in order over both hands', () => {
    const { clock, state, fireNext } = slowClock(() => 0);
    const timeline = new Timeline(clock);
    const order: string[] = [];
    for (const [hand, due] of [
      ['wall', 30],
      ['steady', 10],
      ['wall', 20],
      ['steady', 40],
      ['wall', 10],
    ] as const)
      timeline.put(
        entry(() => void order.push(`${hand} ${due}`)),
        hand,
        due,
      );
    state.now = 100;
    fireNext();
    expect(order).toEqual(['wall 10', 'steady 10', 'wall 20', 'wall 30', 'steady 40']);
  });

  test('does not spin where the clock is coarser than what is left to wait', () => {
    const { clock, state, fireNext } = slowClock(() => 0);
    state.now = 1e15; // in steps of an eighth
    const timeline = new Timeline({ ...clock, wallNow: () => state.now - 1e15 + 1.7e9 });
    const fire = vi.fn();
    timeline.put(entry(fire), 'steady', timeline.now('steady') + 0.01);
    for (let wakes = 0; wakes < 3; wakes += 1) fireNext();
    expect(fire).toHaveBeenCalledTimes(1);
  });

  test('an entry has one moment, on one hand', () => {
    const { clock, fireNext, state } = slowClock(() => 0);
    const timeline = new Timeline(clock);
    const fire = vi.fn();
    const one = entry(fire);
    timeline.put(one, 'wall', 10);
    timeline.put(one, 'steady', 20);
    timeline.put(one, 'steady', 15);
    while (fireNext() !== undefined);
    expect(fire).toHaveBeenCalledTimes(1);
    expect(state.now).toBe(15);
    expect(state.timers).toEqual([]);
  });
});
