import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Gate, type GateLimits } from '../../src/kernel/gate.ts';
import { LongJobs, PARTS_A_CALL } from '../../src/kernel/long-jobs.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const NONE: GateLimits = { concurrency: Infinity, rate: undefined };

/** A gate, and the names of those that got a place, in order. `enter` returns how to leave. */
function setup(limits: Partial<GateLimits>) {
  const clock = new VirtualClock();
  const gate = new Gate({ ...NONE, ...limits }, clock, new LongJobs());
  const granted: string[] = [];
  const place = (name: string, priority = 0) => gate.enter(priority, () => granted.push(name));
  const enter = (name: string, priority = 0): (() => void) => {
    const own = place(name, priority);
    return () => gate.leave(own);
  };
  /** Enters, and begins at once when there is a place. */
  const begin = (name: string, priority = 0): (() => void) => {
    const own = gate.enter(priority, () => {
      granted.push(name);
      queueMicrotask(() => gate.begin(own));
    });
    return () => gate.leave(own);
  };
  return { clock, gate, granted, place, enter, begin };
}

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
  test('limits the starts in any interval, however soon places are given back, and leaves no timer', async () => {
    const { clock, granted, begin } = setup({ rate: { limit: 2, intervalMs: 100 } });
    const leaves = ['a', 'b'].map((name) => begin(name));
    await clock.advance(30);
    for (const name of ['c', 'd', 'e']) leaves.push(begin(name));
    for (const leave of leaves.slice(0, 2)) leave();
    await clock.advance(69);
    expect(granted).toEqual(['a', 'b']);
    await clock.advance(1);
    expect(granted).toEqual(['a', 'b', 'c', 'd']);
    await clock.advance(100);
    expect(granted).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(clock.timers).toBe(0);
  });

  test('counts a start when it begins, not when it got its place', async () => {
    const { clock, gate, granted, place, enter } = setup({ rate: { limit: 1, intervalMs: 100 } });
    const slow = place('slow');
    enter('next');
    await clock.advance(500);
    expect([granted, clock.timers]).toEqual([['slow'], 0]); // no moment is known
    gate.begin(slow);
    await clock.advance(99);
    expect(granted).toEqual(['slow']);
    await clock.advance(1);
    expect(granted).toEqual(['slow', 'next']);
  });

  test('does not count a place that is given back before it begins', async () => {
    const { granted, enter } = setup({ rate: { limit: 1, intervalMs: 100 } });
    const quit = enter('quitter');
    enter('next');
    quit();
    await turn();
    expect(granted).toEqual(['quitter', 'next']);
  });

  test('lets the highest priority in first when the window opens, also if it came last', async () => {
    const { clock, granted, begin } = setup({ concurrency: 5, rate: { limit: 1, intervalMs: 100 } });
    begin('first');
    begin('low', -1);
    begin('usual');
    await clock.advance(99);
    begin('high', 1);
    await clock.advance(301);
    expect(granted).toEqual(['first', 'high', 'usual', 'low']);
  });

  test('holds a timer only while it alone holds a waiter back', async () => {
    const { clock, gate, begin } = setup({ concurrency: 2, rate: { limit: 2, intervalMs: 100 } });
    const leaves = ['a', 'b'].map((name) => begin(name));
    await turn();
    expect(clock.timers).toBe(0);
    const quit = begin('c');
    expect(clock.timers).toBe(0); // both places are taken
    leaves[0]?.();
    expect(clock.timers).toBe(1);
    gate.pause();
    expect(clock.timers).toBe(0);
    gate.resume();
    expect(clock.timers).toBe(1);
    quit();
    expect(clock.timers).toBe(0);
  });

  test('with intervals that are sums of fractions keeps its pace', async () => {
    const { clock, granted, begin } = setup({ rate: { limit: 1, intervalMs: 0.7 } });
    for (let n = 0; n < 100; n += 1) begin(`${n}`);
    await clock.advance(0.1);
    await clock.advance(70);
    expect([granted.length, clock.timers]).toEqual([100, 0]);
  });

  const schedule = fc.array(fc.tuple(fc.nat(40), fc.nat(120), fc.integer({ min: 0, max: 2 }), fc.nat(9)), {
    maxLength: 60,
  });
  test('never lets more than `limit` start in an interval, and none later than it must', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 6 }),
        schedule,
        async (limit, intervalMs, concurrency, arrivals) => {
          const clock = new VirtualClock();
          const gate = new Gate({ concurrency, rate: { limit, intervalMs } }, clock, new LongJobs());
          const starts: number[] = [];
          const ends: number[] = [];
          const waiting = new Map<number, number>();
          let [inside, earlier, next] = [0, 0, 0];
          for (const [gapMs, lastsMs, priority, patience] of arrivals) {
            await clock.advance(gapMs);
            const id = next++;
            waiting.set(id, priority);
            const place = gate.enter(priority, () =>
              queueMicrotask(() => {
                if (!waiting.delete(id)) return;
                for (const [other, its] of waiting) if (its > priority && other < id) earlier += 1;
                inside += 1;
                expect(inside).toBeLessThanOrEqual(concurrency);
                gate.begin(place);
                starts.push(clock.now());
                clock.setTimer(lastsMs, () => {
                  inside -= 1;
                  ends.push(clock.now());
                  gate.leave(place);
                });
              }),
            );
            if (patience === 0 && waiting.delete(id)) gate.leave(place); // gives up at once
            // A waiter is there only if the window or the gate is full.
            await clock.settle();
            const inWindow = starts.filter((start) => start > clock.now() - intervalMs).length;
            if (waiting.size > 0) expect(inside === concurrency || inWindow === limit).toBe(true);
          }
          while (waiting.size > 0) {
            expect(await clock.next()).toBe(true);
            const inWindow = starts.filter((start) => start > clock.now() - intervalMs).length;
            await clock.settle();
            if (waiting.size > 0) expect(inside === concurrency || inWindow === limit).toBe(true);
          }
          expect(earlier).toBe(0);
          for (const [index, start] of starts.entries()) {
            const before = starts[index - limit];
            if (before !== undefined) expect(start - before).toBeGreaterThanOrEqual(intervalMs);
          }
          await clock.advance(1_000);
          expect(clock.timers).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});

test('a gate says how many are inside, have begun, and would get a place', () => {
  const { gate, place } = setup({ concurrency: 4 });
  const shown = () => [gate.inside, gate.begun, gate.room];
  const [one] = [place('a'), place('b')];
  gate.begin(one);
  expect(shown()).toEqual([2, 1, 2]);
  gate.configure({ rate: { limit: 3, intervalMs: 100 } });
  expect(shown()).toEqual([2, 1, 2]); // one start was before the rate, one is to come
  gate.pause();
  expect(shown()).toEqual([2, 1, 0]);
  gate.resume();
  gate.configure({ concurrency: 1 });
  expect(shown()).toEqual([2, 1, 0]);
});

test('who comes next gets no place before a waiter, also where the window has opened and its timer is late', () => {
  const clock = { nowMs: 0, now: () => clock.nowMs, wallNow: () => 0, setTimer: () => () => {} };
  const gate = new Gate({ ...NONE, rate: { limit: 1, intervalMs: 100 } }, clock, new LongJobs());
  const first = gate.enter(0, () => {});
  gate.begin(first);
  gate.enter(0, () => {});
  clock.nowMs = 100;
  expect([gate.queued, gate.room]).toEqual([1, 0]);
});

describe('limits that change', () => {
  test('a higher concurrency lets waiters in at once, by priority', () => {
    const { gate, granted, enter } = setup({ concurrency: 1 });
    for (const [name, priority] of Object.entries({ a: 0, low: -1, b: 0, high: 1, c: 0 })) enter(name, priority);
    gate.configure({ concurrency: 3 });
    expect(granted).toEqual(['a', 'high', 'b']);
    gate.configure({ concurrency: Infinity });
    expect([granted.slice(3), gate.open]).toEqual([['c', 'low'], true]);
  });

  test('a lower concurrency counts everyone inside, who came while the gate was open too', async () => {
    const { gate, granted, enter } = setup({});
    for (let n = 0; n < 3; n += 1) gate.begin(undefined);
    gate.configure({ concurrency: 2 });
    const leave = enter('a');
    enter('b');
    for (const expected of [[], ['a'], ['a', 'b']]) {
      gate.leave(undefined);
      await turn();
      expect(granted).toEqual(expected);
    }
    leave();
  });

  test('a rate that is taken away lets everyone in and leaves no timer, and concurrency stays', async () => {
    const { clock, gate, granted, begin } = setup({ concurrency: 3, rate: { limit: 1, intervalMs: 100 } });
    for (const name of ['a', 'b', 'c', 'd']) begin(name);
    await turn();
    expect([granted, clock.timers]).toEqual([['a'], 1]);
    gate.configure({ rate: undefined });
    expect([granted, clock.timers]).toEqual([['a', 'b', 'c'], 0]);
  });

  test('a new rate counts the starts that the old one counted', async () => {
    const { clock, gate, granted, begin } = setup({ rate: { limit: 3, intervalMs: 100 } });
    for (const name of ['a', 'b', 'c', 'd', 'e']) begin(name);
    await clock.advance(50);
    gate.configure({ rate: { limit: 1, intervalMs: 200 } });
    await clock.advance(149);
    expect(granted).toHaveLength(3);
    await clock.advance(1);
    expect(granted).toHaveLength(4);
    gate.configure({ rate: { limit: 2, intervalMs: 200 } });
    await clock.settle();
    expect([granted.length, clock.timers]).toEqual([5, 0]);
  });

  test('a change keeps a pause', async () => {
    const { clock, gate, granted, begin } = setup({});
    gate.pause();
    begin('a');
    gate.configure({ concurrency: 5, rate: { limit: 1, intervalMs: 100 } });
    gate.configure({ concurrency: Infinity, rate: undefined });
    await clock.advance(1_000);
    expect([granted, gate.open, clock.timers]).toEqual([[], false, 0]);
    gate.resume();
    expect([granted, gate.open]).toEqual([['a'], true]);
  });
});

/** What a gate without a rate does, by a list of names that is searched each time. */
class PlainGate {
  concurrency = 2;
  paused = false;
  inside = 0;
  waiting: { readonly name: string; readonly priority: number }[] = [];
  readonly granted: string[] = [];

  letIn(): void {
    while (!this.paused && this.inside < this.concurrency && this.waiting.length > 0) {
      const highest = Math.max(...this.waiting.map(({ priority }) => priority));
      const [first] = this.waiting.filter(({ priority }) => priority === highest);
      this.waiting = this.waiting.filter((one) => one !== first);
      this.inside += 1;
      this.granted.push(first?.name as string);
    }
  }
}

describe('a gate that kept very many out', () => {
  const MANY = 3 * PARTS_A_CALL;
  const names = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `${from + n}`);

  test.each([
    ['a resume', {}],
    ['a higher concurrency', { concurrency: 0 }],
  ])('lets them in by parts after %s, in their order, and who comes meanwhile comes behind them', async (_, limits) => {
    const { gate, granted, enter } = setup(limits);
    if (gate.open) gate.pause();
    for (const name of names(0, MANY)) enter(name);
    gate.configure({ concurrency: Infinity });
    gate.resume();
    expect([granted.length, gate.open]).toEqual([PARTS_A_CALL, false]);
    enter('late');
    expect(granted).toHaveLength(PARTS_A_CALL);
    while (!gate.open) await turn();
    expect(granted).toEqual([...names(0, MANY), 'late']);
    expect([gate.inside, gate.queued]).toEqual([MANY + 1, 0]);
  });

  test('keeps those out that it has not let in when it is paused again, and lets them in after that', async () => {
    const { gate, granted, enter } = setup({});
    gate.pause();
    for (const name of names(0, MANY)) enter(name);
    gate.resume();
    gate.pause();
    for (let n = 0; n < 10; n += 1) await turn();
    expect([granted.length, gate.obstacle]).toEqual([PARTS_A_CALL, 'pause']);
    gate.resume();
    while (!gate.open) await turn();
    expect(granted).toEqual(names(0, MANY));
  });

  test('keeps to a limit that is set meanwhile, and holds no timer', async () => {
    const { gate, clock, granted, enter } = setup({});
    gate.pause();
    for (const name of names(0, MANY)) enter(name);
    gate.resume();
    gate.configure({ concurrency: PARTS_A_CALL + 1, rate: { limit: MANY, intervalMs: 10 } });
    for (let n = 0; n < 10; n += 1) await turn();
    expect(granted).toEqual(names(0, PARTS_A_CALL + 1));
    expect([gate.obstacle, clock.timers]).toEqual(['concurrency', 0]);
  });
});

const steps = fc.array(fc.tuple(fc.constantFrom('enter', 'leave', 'pause', 'resume', 'configure'), fc.nat(9)), {
  maxLength: 80,
});
test('a gate grants the same places as a plain list, whatever enters, leaves, pauses and changes the limit', () => {
  fc.assert(
    fc.property(steps, (schedule) => {
      const { gate, granted, enter } = setup({ concurrency: 2 });
      const plain = new PlainGate();
      const present: { readonly name: string; readonly leave: () => void }[] = [];
      const leave = (at: number): void => {
        const [one] = present.splice(at % Math.max(1, present.length), 1);
        if (one === undefined) return;
        one.leave();
        const waits = plain.waiting.some(({ name }) => name === one.name);
        if (waits) plain.waiting = plain.waiting.filter(({ name }) => name !== one.name);
        else plain.inside -= 1;
      };
      const configure = (number: number): void => {
        plain.concurrency = number === 0 ? Infinity : number;
        gate.configure({ concurrency: plain.concurrency });
      };
      for (const [index, [step, number]] of schedule.entries()) {
        if (step === 'enter') {
          const entry = { name: `${index}`, priority: number % 3 };
          plain.waiting.push(entry);
          present.push({ name: entry.name, leave: enter(entry.name, entry.priority) });
        } else if (step === 'leave') leave(number);
        else if (step === 'configure') configure(number);
        else {
          plain.paused = step === 'pause';
          gate[step]();
        }
        plain.letIn();
        expect([granted, gate.inside, gate.queued]).toEqual([plain.granted, plain.inside, plain.waiting.length]);
      }
    }),
    { numRuns: 300 },
  );
});

describe('what p-queue reads of the surroundings', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Every option that p-queue reads, of the queue and of a function. */
  const READ = [
    ['autoStart', false],
    ['carryoverConcurrencyCount', true],
    ['carryoverIntervalCount', true],
    ['concurrency', 0],
    ['id', {}],
    ['interval', 1e9],
    ['intervalCap', 1],
    ['priority', 7],
    ['queueClass', Map],
    ['signal', AbortSignal.abort()],
    ['strict', true],
    ['timeout', -1],
    ['waiter', {}],
  ] as const;
  test.for(READ)('%s in a polluted Object.prototype changes nothing', async ([name, value]) => {
    const seen: string[][] = [];
    Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: true, writable: true });
    try {
      const { gate, granted, enter } = setup({ concurrency: 2 });
      const leaves = ['a', 'b', 'c'].map((one) => enter(one));
      await turn();
      seen.push([...granted]);
      leaves[0]?.();
      gate.pause();
      gate.resume();
      seen.push([...granted]);
    } finally {
      Reflect.deleteProperty(Object.prototype, name);
    }
    expect(seen).toEqual([
      ['a', 'b'],
      ['a', 'b', 'c'],
    ]);
  });

  test('fake timers that swallow the microtasks and timers of p-queue cost no place', async () => {
    const { granted, enter } = setup({ concurrency: 1 });
    const leaves = [enter('a')];
    for (const name of ['b', 'c', 'd']) {
      vi.useFakeTimers({ toFake: ['queueMicrotask', 'setTimeout', 'setInterval', 'Date'], now: -1e9 });
      leaves.at(-1)?.();
      leaves.push(enter(name));
      await turn();
      vi.useRealTimers();
      expect(granted.at(-1)).toBe(name);
    }
  });
});
