import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Gate, type GateLimits, type Leave } from '../../src/kernel/gate.ts';

const NONE: GateLimits = { concurrency: Infinity, rate: undefined };

/** A gate, and the names of those that got a place, in order. */
function setup(limits: Partial<GateLimits>) {
  const gate = new Gate({ ...NONE, ...limits });
  const granted: string[] = [];
  const enter = (name: string, priority = 0): Leave => gate.enter(priority, () => granted.push(name));
  return { gate, granted, enter };
}

afterEach(() => {
  vi.useRealTimers();
});

test('a gate is open while it has neither a limit nor a pause', () => {
  for (const [limits, open] of [
    [{}, true],
    [{ concurrency: 1_000 }, false],
    [{ rate: { limit: 1_000, intervalMs: 1 } }, false],
  ] as const) {
    const { gate } = setup(limits);
    expect(gate.open).toBe(open);
    gate.pause();
    expect(gate.open).toBe(false);
    gate.resume();
    expect(gate.open).toBe(open);
  }
});

test('a gate without limits grants every place at once', async () => {
  const { granted, enter } = setup({});
  for (let n = 0; n < 100; n += 1) enter(`${n}`);
  await turn();
  expect(granted).toHaveLength(100);
});

describe('a limited gate', () => {
  test.for([
    ['timeout', 1],
    ['signal', AbortSignal.abort()],
    ['carryoverConcurrencyCount', true],
    ['strict', true],
    ['interval', 1],
    ['intervalCap', 1],
    ['autoStart', false],
  ] as const)('does not read %s from Object.prototype', async ([name, polluted]) => {
    vi.useFakeTimers();
    Object.assign(Object.prototype, { [name]: polluted });
    let granted: string[] = [];
    try {
      const made = setup({ concurrency: 2 });
      granted = made.granted;
      for (const waiter of ['a', 'b', 'c']) made.enter(waiter);
    } finally {
      Reflect.deleteProperty(Object.prototype, name);
    }
    await vi.advanceTimersByTimeAsync(10);
    expect(granted).toEqual(['a', 'b']);
  });

  test('grants as many places as it has, and the next one when a place is given back', async () => {
    const { granted, enter } = setup({ concurrency: 2 });
    const [a, b] = ['a', 'b', 'c', 'd'].map((name) => enter(name));
    await turn();
    expect(granted).toEqual(['a', 'b']);
    b?.();
    await turn();
    expect(granted).toEqual(['a', 'b', 'c']);
    a?.();
    await turn();
    expect(granted).toEqual(['a', 'b', 'c', 'd']);
  });

  test('counts a place that is given back twice as one place', async () => {
    const { granted, enter } = setup({ concurrency: 1 });
    const leave = enter('a');
    for (const name of ['b', 'c']) enter(name);
    leave();
    leave();
    await turn();
    leave();
    await turn();
    expect(granted).toEqual(['a', 'b']);
  });

  test('grants places by priority, the highest first, and in order of arrival within a priority', async () => {
    const { granted, enter } = setup({ concurrency: 1 });
    const leaves = [enter('inside')];
    for (const [name, priority] of [
      ['low', -1],
      ['a', 0],
      ['b', 0],
      ['high', 5],
      ['c', 0],
    ] as const)
      leaves.push(enter(name, priority));
    for (const leave of [0, 4, 2, 3, 5, 1]) {
      leaves[leave]?.();
      await turn();
    }
    expect(granted).toEqual(['inside', 'high', 'a', 'b', 'c', 'low']);
  });

  test('grants no place to a waiter that has left, and does not delay the waiters behind it', async () => {
    const { granted, enter } = setup({ concurrency: 1 });
    const leave = enter('a');
    const quit = enter('b');
    enter('c');
    quit();
    quit();
    leave();
    await turn();
    expect(granted).toEqual(['a', 'c']);
  });

  test('keeps a place taken until it is given back, also over a pause', async () => {
    const { gate, granted, enter } = setup({ concurrency: 1 });
    enter('a');
    enter('b');
    gate.pause();
    gate.resume();
    await turn();
    expect(granted).toEqual(['a']);
  });
});

for (const [name, limits] of [
  ['without limits', {}],
  ['with a limit', { concurrency: 5 }],
] as const)
  test(`a paused gate ${name} grants no place, and after resume it grants one to every waiter that has not left`, async () => {
    const { gate, granted, enter } = setup(limits);
    gate.pause();
    const quit = enter('quitter');
    enter('patient');
    quit();
    await turn();
    expect(granted).toEqual([]);
    gate.resume();
    enter('newcomer');
    await turn();
    expect(granted).toEqual(['patient', 'newcomer']);
  });

describe('a rate', () => {
  test('limits the places granted in each interval, however soon they are given back, and leaves no timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
    const { granted, enter } = setup({ rate: { limit: 2, intervalMs: 100 } });
    const leaves = ['a', 'b', 'c', 'd', 'e'].map((name) => enter(name));
    await turn();
    for (const leave of leaves.slice(0, 2)) leave();
    await turn();
    expect(granted).toEqual(['a', 'b']);
    await vi.advanceTimersByTimeAsync(99);
    expect(granted).toEqual(['a', 'b']);
    await vi.advanceTimersByTimeAsync(1);
    expect(granted).toEqual(['a', 'b', 'c', 'd']);
    await vi.advanceTimersByTimeAsync(100);
    expect(granted).toEqual(['a', 'b', 'c', 'd', 'e']);
    for (const leave of leaves) leave();
    await turn();
    expect(vi.getTimerCount()).toBe(0);
  });
});
