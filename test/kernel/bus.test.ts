import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { Bus, type Listener } from '../../src/kernel/bus.ts';
import { type Deferred, deferred } from '../../src/kernel/deferred.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

type Item = number | string;

function setup() {
  const failures: unknown[] = [];
  const bus: Bus<Item> = new Bus<Item>({
    lost: (listener, count) => `${listener} lost ${count}`,
    failed: (line, listener, error, item) => {
      failures.push([listener, error, item]);
      bus.publish(`${listener} failed`, line);
    },
  });
  const listen = (more: Partial<Listener<Item>> = {}) => {
    const seen: Item[] = [];
    const handle = (item: Item) => void seen.push(item);
    const ended = vi.fn();
    const stop = bus.subscribe({ name: 'listener', capacity: 10, wants: undefined, handle, ended, ...more });
    return { seen, stop, ended };
  };
  /** Holds every item until the test opens it. */
  const slow = (capacity: number) => {
    const seen: Item[] = [];
    const held: Deferred<void>[] = [];
    const handle = (item: Item) => {
      seen.push(item);
      const hold = deferred<void>();
      held.push(hold);
      return hold.promise;
    };
    return { ...listen({ name: 'slow', capacity, handle }), seen, held };
  };
  const publish = (...items: Item[]) => {
    for (const item of items) bus.publish(item);
  };
  return { bus, failures, listen, slow, publish };
}

describe('delivery', () => {
  test('is not within publish, in order, to all, and only what came after the subscription', async () => {
    const { bus, listen, publish } = setup();
    expect(bus.active).toBe(false);
    publish(0);
    const [one, other] = [listen(), listen()];
    expect(bus.active).toBe(true);
    publish(1, 2, 3);
    expect(one.seen).toEqual([]);
    await turn();
    expect([one.seen, other.seen]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  test('is filtered by what a listener wants, and what it does not want takes no room', async () => {
    const { listen, publish, bus } = setup();
    const odd = listen({ capacity: 2, wants: (item) => Number(item) % 2 === 1 });
    publish(0, 1, 2, 3, 4);
    await turn();
    expect([odd.seen, bus.lost]).toEqual([[1, 3], 0]);
  });

  test('waits for a listener’s promise; a slow listener slows nobody else', async () => {
    const { listen, slow, publish } = setup();
    const late = slow(10);
    const quick = listen();
    publish(1, 2);
    await turn();
    expect([late.seen, quick.seen]).toEqual([[1], [1, 2]]);
    late.held[0]?.resolve();
    await turn();
    expect(late.seen).toEqual([1, 2]);
  });

  test('of a thousand items gives the event loop a turn after every 256', async () => {
    const { listen, publish } = setup();
    const { seen } = listen({ capacity: Infinity });
    publish(...Array.from({ length: 600 }, (_, n) => n));
    const lengths: number[] = [];
    for (let turns = 0; turns < 3; turns += 1) {
      await turn();
      lengths.push(seen.length);
    }
    expect(lengths).toEqual([256, 512, 600]);
    expect(seen).toEqual(Array.from({ length: 600 }, (_, n) => n));
  });

  test('ends with the subscription, for what waits too; leaving on purpose is no loss', async () => {
    const { bus, slow, publish } = setup();
    const { seen, held, stop, ended } = slow(10);
    publish(1, 2, 3);
    await turn();
    stop();
    stop();
    held[0]?.resolve();
    publish(4);
    await turn();
    expect([seen, bus.active, bus.lost]).toEqual([[1], false, 0]);
    expect(ended).toHaveBeenCalledTimes(1);
  });
});

describe('a listener that throws or rejects', () => {
  for (const [way, fail] of [
    [
      'throws',
      (error: Error): never => {
        throw error;
      },
    ],
    ['rejects', (error: Error) => Promise.reject(error)],
  ] as const)
    test(`${way}: goes on itself, and the others are told`, async () => {
      const { failures, listen, publish } = setup();
      const boom = new Error('boom');
      const tried: Item[] = [];
      listen({
        name: 'bad',
        handle: (item) => {
          tried.push(item);
          return item === 1 ? fail(boom) : undefined;
        },
      });
      const good = listen();
      publish(1, 2);
      await turn();
      expect(failures).toEqual([['bad', boom, 1]]);
      expect(tried).toEqual([1, 2]);
      expect(good.seen).toEqual([1, 2, 'bad failed']);
    });
});

describe('a full line', () => {
  test('drops the newest, and is told once how many, as soon as there is room', async () => {
    const { bus, slow, publish } = setup();
    const { seen, held } = slow(2);
    publish(1);
    await turn(); // 1 is in hand; the line itself is empty
    publish(2, 3, 4, 5, 6);
    expect(bus.lost).toBe(3);
    for (let n = 0; n < 5; n += 1) {
      held[n]?.resolve();
      await turn();
    }
    expect(seen).toEqual([1, 2, 3, 'slow lost 3']);
    publish(7);
    await turn();
    expect(seen.slice(4)).toEqual([7]);
    expect(bus.lost).toBe(3);
  });

  test('is told again of a second loss, and the sum stays with the bus when it has left', async () => {
    const { bus, slow, publish } = setup();
    const { seen, held, stop } = slow(1);
    for (const base of [10, 20]) {
      publish(base, base + 1);
      await turn();
      publish(base + 2, base + 3);
      for (let n = 0; n < 4; n += 1) {
        held.shift()?.resolve();
        await turn();
      }
    }
    expect(seen.filter((item) => typeof item === 'string').length).toBeGreaterThanOrEqual(2);
    const { lost } = bus;
    expect(lost).toBe(8 - seen.filter((item) => typeof item === 'number').length);
    stop();
    expect(bus.lost).toBe(lost);
  });
});

describe('drain', () => {
  test('ends when everything is served, leaves no timer, and ends every subscription', async () => {
    const { bus, listen, publish } = setup();
    const clock = new VirtualClock();
    const { seen, stop, ended } = listen();
    publish(1, 2);
    await bus.flush(clock, 1_000);
    stop();
    publish(3);
    await turn();
    expect([seen, bus.active, clock.timers, clock.now(), bus.lost]).toEqual([[1, 2], false, 0, 0, 0]);
    expect(ended).toHaveBeenCalledTimes(1);
  });

  test('waits for a slow listener and for what is published meanwhile', async () => {
    const { bus, slow, publish } = setup();
    const { seen, held } = slow(10);
    publish(1);
    let drained = false;
    const drain = bus.flush(new VirtualClock(), Infinity).then(() => {
      drained = true;
    });
    await turn();
    publish(2);
    held[0]?.resolve();
    await turn();
    expect([seen, drained]).toEqual([[1, 2], false]);
    held[1]?.resolve();
    await drain;
    expect(drained).toBe(true);
  });

  test('waits no longer than its grace, for all together, and counts what nobody saw', async () => {
    const { bus, slow, publish } = setup();
    const clock = new VirtualClock();
    const lines = [slow(10), slow(10)];
    publish(1, 2, 3);
    let drained = false;
    const drain = bus.flush(clock, 500).then(() => {
      drained = true;
    });
    await clock.advance(499);
    expect(drained).toBe(false);
    await clock.advance(1);
    await drain;
    expect(lines.map(({ seen }) => seen)).toEqual([[1], [1]]);
    expect([bus.lost, bus.active, clock.timers]).toEqual([4, false, 0]);
  });
});
