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
    failed: (subscription, listener, error, item) => {
      failures.push([listener, error, item]);
      bus.publish(`${listener} failed`, subscription);
    },
  });
  const listen = (more: Partial<Listener<Item>> = {}) => {
    const seen: Item[] = [];
    const handle = (item: Item) => void seen.push(item);
    const ended = vi.fn();
    const stop = bus.subscribe({ name: 'listener', capacity: 10, wants: undefined, handle, ended, ...more });
    return { seen, stop, ended };
  };
  /** A listener that keeps each item until the test resolves its promise. */
  const slow = (capacity: number) => {
    const seen: Item[] = [];
    const held: Deferred<void>[] = [];
    const handle = (item: Item) => {
      seen.push(item);
      const hold = deferred<void>();
      held.push(hold);
      return hold.promise;
    };
    /** Lets it handle the next item. */
    const goOn = () => {
      held.shift()?.resolve();
      return turn();
    };
    return { ...listen({ name: 'slow', capacity, handle }), seen, held, goOn };
  };
  const publish = (...items: Item[]) => {
    for (const item of items) bus.publish(item);
  };
  return { bus, failures, listen, slow, publish };
}

describe('delivery', () => {
  test('to every listener is in order, after publish has returned, and only of items published after the subscription', async () => {
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

  test('skips items that a listener does not want, and they do not count to its capacity', async () => {
    const { listen, publish, bus } = setup();
    const odd = listen({ capacity: 2, wants: (item) => Number(item) % 2 === 1 });
    publish(0, 1, 2, 3, 4);
    await turn();
    expect([odd.seen, bus.lost]).toEqual([[1, 3], 0]);
  });

  test('reaches an item that a listener wants, while its subscription is open', () => {
    const { bus, listen } = setup();
    expect(bus.reaches(1)).toBe(false);
    const odd = listen({ wants: (item) => Number(item) % 2 === 1 });
    expect([bus.reaches(1), bus.reaches(2)]).toEqual([true, false]);
    const all = listen();
    expect([bus.reaches(1), bus.reaches(2)]).toEqual([true, true]);
    odd.stop();
    all.stop();
    expect([bus.reaches(1), bus.reaches(2)]).toEqual([false, false]);
  });

  test('waits for the promise of a listener and does not delay the other listeners', async () => {
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

  test('of many items gives the event loop a turn after every 2,048 items', async () => {
    const { listen, publish } = setup();
    const { seen } = listen({ capacity: Infinity });
    publish(...Array.from({ length: 5_000 }, (_, n) => n));
    const lengths: number[] = [];
    for (let turns = 0; turns < 3; turns += 1) {
      await turn();
      lengths.push(seen.length);
    }
    expect(lengths).toEqual([2_048, 4_096, 5_000]);
    expect(seen).toEqual(Array.from({ length: 5_000 }, (_, n) => n));
  });

  test('goes on at once after a listener that returns a value', async () => {
    const { listen, publish } = setup();
    const seen: Item[] = [];
    listen({ handle: (item) => seen.push(item) });
    publish(1, 2);
    await turn();
    publish(3);
    await turn();
    expect(seen).toEqual([1, 2, 3]);
  });

  test('ends with the subscription, and items that wait then are not counted as lost', async () => {
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

describe('a listener', () => {
  for (const [way, fail] of [
    [
      'throws',
      (error: Error): never => {
        throw error;
      },
    ],
    ['rejects', (error: Error) => Promise.reject(error)],
  ] as const)
    test(`that ${way} gets the next item, and the other listeners get a report of the failure`, async () => {
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

describe('a full queue', () => {
  test('drops new items, and the listener gets one report of their number as soon as there is room', async () => {
    const { bus, slow, publish } = setup();
    const { seen, held } = slow(2);
    publish(1);
    await turn(); // 1 is being handled; the queue is empty
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

  test('has room for as many items beside the report as without it', async () => {
    const { bus, slow, publish } = setup();
    const { seen, goOn } = slow(2);
    publish(1);
    await turn();
    publish(2, 3, 4); // 4 is lost
    await goOn();
    publish(5); // beside 3 and the report
    await goOn();
    publish(6); // beside the report and 5
    await goOn();
    publish(7); // beside 5 and 6: it is lost
    for (let n = 0; n < 4; n += 1) await goOn();
    expect([seen, bus.lost]).toEqual([[1, 2, 3, 'slow lost 1', 5, 6, 'slow lost 1'], 2]);
  });

  test('has one report at a time, which takes the place of no item, also if more is lost while it waits', async () => {
    const { bus, slow, publish } = setup();
    const { seen, goOn } = slow(2);
    publish(1);
    await turn();
    publish(2, 3, 4); // 4 is lost
    await goOn();
    publish(5, 6); // 6 is lost, while the report of 4 waits behind 3
    await goOn();
    publish(7); // beside the report and 5
    for (let n = 0; n < 6; n += 1) await goOn();
    expect([seen, bus.lost]).toEqual([[1, 2, 3, 'slow lost 1', 5, 7, 'slow lost 1'], 2]);
  });

  test('causes a report for each loss, and the bus keeps the sum after the subscription has ended', async () => {
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

describe('flush', () => {
  test('resolves when every item is handled, leaves no timer, and ends every subscription', async () => {
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

  test('waits for no listener that has nothing to handle', async () => {
    const { bus, listen } = setup();
    const { ended } = listen();
    void bus.flush(new VirtualClock(), Infinity);
    await turn();
    expect(ended).toHaveBeenCalledTimes(1);
  });

  test('waits for a slow listener and for items that are published meanwhile', async () => {
    const { bus, slow, publish } = setup();
    const { seen, held } = slow(10);
    publish(1);
    let flushed = false;
    const flush = bus.flush(new VirtualClock(), Infinity).then(() => {
      flushed = true;
    });
    await turn();
    publish(2);
    held[0]?.resolve();
    await turn();
    expect([seen, flushed]).toEqual([[1, 2], false]);
    held[1]?.resolve();
    await flush;
    expect(flushed).toBe(true);
  });

  test('waits no longer than its grace in total, and counts the items that were not handled', async () => {
    const { bus, slow, publish } = setup();
    const clock = new VirtualClock();
    const listeners = [slow(10), slow(10)];
    publish(1, 2, 3);
    let flushed = false;
    const flush = bus.flush(clock, 500).then(() => {
      flushed = true;
    });
    await clock.advance(499);
    expect(flushed).toBe(false);
    await clock.advance(1);
    await flush;
    expect(listeners.map(({ seen }) => seen)).toEqual([[1], [1]]);
    expect([bus.lost, bus.active, clock.timers]).toEqual([4, false, 0]);
  });
});
