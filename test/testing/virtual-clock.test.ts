import { OptionError } from 'slotvisor';
import { describe, expect, test, vi } from 'vitest';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

/** A clock, and a log of the timers that fired and their times. */
function setup() {
  const clock = new VirtualClock();
  const fired: (readonly [name: string, at: number])[] = [];
  const set = (name: string, ms: number) => clock.setTimer(ms, () => fired.push([name, clock.now()]));
  return { clock, fired, set };
}

test('virtual time begins at 0 and stands still until the test moves it', async () => {
  const { clock, fired, set } = setup();
  set('at once', 0);
  await clock.settle();
  expect([clock.now(), fired]).toEqual([0, []]);
  await clock.advance(0);
  expect([clock.now(), fired]).toEqual([0, [['at once', 0]]]);
});

test('virtual timers fire by due time, then in the order in which they were set, each at its due time', async () => {
  const { clock, fired, set } = setup();
  for (const [name, ms] of [
    ['c', 30],
    ['a', 10],
    ['late', 51],
    ['b1', 20],
    ['b2', 20],
    ['d', 50],
  ] as const)
    set(name, ms);
  await clock.advance(50);
  expect(fired).toEqual([
    ['a', 10],
    ['b1', 20],
    ['b2', 20],
    ['c', 30],
    ['d', 50],
  ]);
  expect([clock.now(), clock.timers]).toEqual([50, 1]);
});

test('a virtual timer set by another timer fires within the same `advance` if it is due', async () => {
  const { clock, fired, set } = setup();
  clock.setTimer(10, () => {
    set('due', 10);
    set('not due', 91);
  });
  await clock.advance(100);
  expect(fired).toEqual([['due', 20]]);
});

test('the event loop turns between two virtual timers', async () => {
  const { clock, fired, set } = setup();
  const log: string[] = [];
  clock.setTimer(10, () => {
    void (async () => {
      for (let n = 0; n < 100; n += 1) await undefined;
      await new Promise<void>((resolve) => setImmediate(resolve));
      log.push('after the first');
      set('from a promise', 5);
    })();
  });
  clock.setTimer(20, () => log.push('the second'));
  await clock.advance(20);
  expect(log).toEqual(['after the first', 'the second']);
  expect(fired).toEqual([['from a promise', 15]]);
});

test('a canceled virtual timer never fires and is not counted, and a late cancel does nothing', async () => {
  const { clock, fired, set } = setup();
  const cancel = set('canceled', 10);
  const late = set('fires', 10);
  expect(clock.timers).toBe(2);
  cancel();
  cancel();
  expect(clock.timers).toBe(1);
  await clock.advance(10);
  late();
  expect([fired, clock.timers]).toEqual([[['fires', 10]], 0]);
});

describe('`next` of a virtual clock', () => {
  test('moves to the nearest timer and returns false if there is none', async () => {
    const { clock, fired, set } = setup();
    set('b', 20);
    set('a', 10);
    expect([await clock.next(), clock.now()]).toEqual([true, 10]);
    expect([await clock.next(), clock.now()]).toEqual([true, 20]);
    expect([await clock.next(), clock.now()]).toEqual([false, 20]);
    expect(fired.map(([name]) => name)).toEqual(['a', 'b']);
  });

  test('fires the timer that it moved to, also with fractional times', async () => {
    for (let n = 1; n <= 100; n += 1) {
      const { clock, fired, set } = setup();
      clock.block(n / 7);
      set('far', 1_000 / 3);
      await clock.advance(n * 0.3);
      expect(await clock.next()).toBe(true);
      expect([fired.length, n]).toEqual([1, n]);
    }
  });
});

describe('`block` of a virtual clock', () => {
  test('fires no timer; the due timers fire late and in order afterwards', async () => {
    const { clock, fired, set } = setup();
    set('b', 20);
    set('a', 10);
    clock.block(100);
    await clock.settle();
    expect([clock.now(), fired]).toEqual([100, []]);
    await clock.advance(0);
    expect(fired).toEqual([
      ['a', 100],
      ['b', 100],
    ]);
  });

  test('makes later timers late when a timer calls it, and time never goes back', async () => {
    const { clock, fired, set } = setup();
    clock.setTimer(10, () => clock.block(1_000));
    set('late', 20);
    await clock.advance(50);
    expect(fired).toEqual([['late', 1_010]]);
    expect(clock.now()).toBe(1_010);
  });
});

describe('the wall time of a virtual clock', () => {
  test('begins in 2020 by default and advances with the virtual time', async () => {
    const clock = new VirtualClock();
    expect(clock.wallNow()).toBe(Date.UTC(2020, 0, 1));
    await clock.advance(5);
    clock.block(5);
    expect(clock.wallNow()).toBe(Date.UTC(2020, 0, 1) + 10);
    expect(new VirtualClock({ wallMs: 7 }).wallNow()).toBe(7);
  });

  test('can be set without an effect on timers', async () => {
    const { clock, fired, set } = setup();
    set('on time', 10);
    await clock.advance(5);
    clock.setWall(1_000);
    expect([clock.now(), clock.wallNow()]).toEqual([5, 1_000]);
    await clock.advance(5);
    expect([fired, clock.wallNow()]).toEqual([[['on time', 10]], 1_005]);
  });
});

describe('a virtual clock refuses', () => {
  test.for<unknown>([
    -1,
    Number.NaN,
    Infinity,
    -Infinity,
    undefined,
    null,
    '5',
    5n,
    Symbol('5'),
    {},
    [5],
    { valueOf: () => 5 },
  ])('%o as a time in ms', async (given) => {
    const clock = new VirtualClock();
    const ms = given as number;
    expect(() => clock.setTimer(ms, () => {})).toThrow(OptionError);
    await expect(clock.advance(ms)).rejects.toThrow(OptionError);
    expect(() => clock.block(ms)).toThrow(OptionError);
    expect([clock.timers, clock.now()]).toEqual([0, 0]);
  });

  test.for<unknown>([Number.NaN, Infinity, null, '5', Symbol('5'), new Date(0)])('%o as a wall clock', (given) => {
    const clock = new VirtualClock();
    const wallMs = given as number;
    expect(() => clock.setWall(wallMs)).toThrow(OptionError);
    expect(() => new VirtualClock({ wallMs })).toThrow(OptionError);
    expect(clock.wallNow()).toBe(Date.UTC(2020, 0, 1));
  });

  test('other options, and a timer without a function', () => {
    expect(() => new VirtualClock({ wall: 5 } as object)).toThrow(
      'wall is not an option (did you mean wallMs?), got 5',
    );
    expect(() => new VirtualClock(5 as never)).toThrow('options must be an object, got 5');
    const clock = new VirtualClock();
    expect(() => clock.setTimer(5, undefined as never)).toThrow('fire must be a function, got undefined');
    expect(clock.timers).toBe(0);
  });

  test('in words that name the value', () => {
    const clock = new VirtualClock({ wallMs: undefined });
    expect(() => clock.block(-1)).toThrow('ms must be a number of ms, 0 or more, got -1');
    expect(() => clock.block(Infinity)).toThrow('ms must be finite, got Infinity');
    expect(() => clock.setWall(Symbol('x') as never)).toThrow('epochMs must be a finite number, got Symbol(x)');
  });
});

test('fake timers that are put in later do not hold a virtual clock up', async () => {
  const { clock, fired, set } = setup();
  set('a', 10);
  vi.useFakeTimers();
  try {
    await clock.advance(10);
    expect([fired, await clock.next()]).toEqual([[['a', 10]], false]);
  } finally {
    vi.useRealTimers();
  }
});
