import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Gate, type GateLimits, type Leave } from '../../src/kernel/gate.ts';

const NONE: GateLimits = { concurrency: Infinity, rate: undefined };

/** Enters under a name and notes who was granted, in order. */
function door(limits: Partial<GateLimits>) {
  const gate = new Gate({ ...NONE, ...limits });
  const granted: string[] = [];
  const enter = (name: string, priority = 0): Leave => gate.enter(priority, () => granted.push(name));
  return { gate, granted, enter };
}

test('stands open without limits and without a pause: then nobody has to ask', () => {
  for (const [limits, open] of [
    [{}, true],
    [{ concurrency: 1_000 }, false],
    [{ rate: { limit: 1_000, intervalMs: 1 } }, false],
  ] as const) {
    const { gate } = door(limits);
    expect(gate.open).toBe(open);
    gate.pause();
    expect(gate.open).toBe(false);
    gate.resume();
    expect(gate.open).toBe(open);
  }
});

test('without limits everybody is inside at once', async () => {
  const { granted, enter } = door({});
  for (let n = 0; n < 100; n += 1) enter(`${n}`);
  await turn();
  expect(granted).toHaveLength(100);
});

describe('a limited gate', () => {
  test('lets in as many as it holds, the next one when a place is given back', async () => {
    const { granted, enter } = door({ concurrency: 2 });
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

  test('a place given back twice is one place', async () => {
    const { granted, enter } = door({ concurrency: 1 });
    const leave = enter('a');
    for (const name of ['b', 'c']) enter(name);
    leave();
    leave();
    await turn();
    leave();
    await turn();
    expect(granted).toEqual(['a', 'b']);
  });

  test('lets in by priority, the higher first, then by arrival', async () => {
    const { granted, enter } = door({ concurrency: 1 });
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

  test('who leaves the line is never let in, and holds up nobody', async () => {
    const { granted, enter } = door({ concurrency: 1 });
    const leave = enter('a');
    const quit = enter('b');
    enter('c');
    quit();
    quit();
    leave();
    await turn();
    expect(granted).toEqual(['a', 'c']);
  });

  test('who is inside keeps the place until it is given back', async () => {
    const { gate, granted, enter } = door({ concurrency: 1 });
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
  test(`paused, a gate ${name} lets nobody in; resumed, all who still wait`, async () => {
    const { gate, granted, enter } = door(limits);
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
  afterEach(() => {
    vi.useRealTimers();
  });

  test('lets in its limit a window, however soon the places are given back, and leaves no timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
    const { granted, enter } = door({ rate: { limit: 2, intervalMs: 100 } });
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
