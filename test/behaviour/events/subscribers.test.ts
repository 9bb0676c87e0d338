// Subscribing and unsubscribing.

import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Supervisor, type TaskEvent } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { never } from '../../support/bodies.ts';
import { publishEvents, seqs, types } from '../../support/event-handlers.ts';
import { gateBody } from '../../support/gate.ts';
import { setup } from '../../support/setup.ts';

const fail = (): never => {
  throw new Error('no');
};

describe('a subscription', () => {
  test('a subscription with `types` gets these and eventsDropped, and other types do not count as dropped', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    const seen: TaskEvent[] = [];
    supervisor.subscribe((event) => void seen.push(event), { types: ['slotResumed'], capacity: 2 });
    publishEvents(world, 10);
    await clock.settle();
    expect(types(seen)).toEqual(['slotResumed', 'slotResumed', 'eventsDropped']);
    expect(seen.at(-1)).toMatchObject({ count: 3 });
  });

  test('an unsubscribe in a subscriber takes effect at once, for itself and for another', async () => {
    const world = setup();
    const { supervisor, clock, recorded } = world;
    const own: TaskEvent[] = [];
    const other: TaskEvent[] = [];
    const stopOwn = supervisor.subscribe((event) => {
      own.push(event);
      stopOwn();
      stopOther();
    });
    const stopOther = supervisor.subscribe((event) => void other.push(event));
    publishEvents(world, 5);
    await clock.settle();
    stopOwn();
    publishEvents(world, 5);
    await clock.settle();
    expect([own.length, other.length, recorded.events.length]).toEqual([1, 0, 10]);
  });

  test('a subscription made in a subscriber gets the events that are published after it', async () => {
    const world = setup();
    const inner: TaskEvent[] = [];
    const stop = world.supervisor.subscribe(() => {
      stop();
      world.supervisor.subscribe((event) => void inner.push(event));
    });
    publishEvents(world, 3);
    await world.clock.settle();
    expect(inner).toEqual([]);
    publishEvents(world, 2);
    await world.clock.settle();
    expect(seqs(inner)).toEqual([4, 5]);
  });

  test('the signal of a subscription ends it, drops its queue and keeps no listener', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    const seen: TaskEvent[] = [];
    const subscribe = (signal: AbortSignal): (() => void) =>
      supervisor.subscribe((event) => void seen.push(event), { signal });
    const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()] as const;
    const listeners = (): number[] =>
      [first, second, third].map(({ signal }) => getEventListeners(signal, 'abort').length);
    subscribe(AbortSignal.abort());
    subscribe(first.signal);
    publishEvents(world, 2);
    first.abort();
    await clock.settle();
    expect(seen).toEqual([]);
    const stop = subscribe(second.signal);
    subscribe(third.signal);
    expect(listeners()).toEqual([0, 1, 1]);
    stop();
    expect(listeners()).toEqual([0, 0, 1]);
    await supervisor.shutdown();
    expect(listeners()).toEqual([0, 0, 0]);
  });

  test('no event is built before the first subscription or after the end of the last one', async () => {
    let stamps = 0;
    class CountingClock extends VirtualClock {
      override wallNow(): number {
        stamps += 1;
        return super.wallNow();
      }
    }
    const clock = new CountingClock();
    const supervisor = new Supervisor({ clock, defaults: { graceMs: 10 } });
    const busy = async (): Promise<void> => {
      const gate = gateBody();
      supervisor.submit({ slot: 's', run: fail, maxRetries: 1 });
      supervisor.submit({ slot: 's', run: gate.body });
      supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: gate.body });
      publishEvents({ supervisor }, 2);
      await clock.advance(1_000);
      supervisor.submit({ slot: 's', admission: 'join', run: gate.body });
      supervisor.submit({ slot: 's', admission: 'replace', run: () => 1 });
      await clock.advance(1_000);
      gate.open('end');
      await clock.settle();
    };
    await busy();
    expect(stamps).toBe(0);
    const stop = supervisor.subscribe(() => {});
    await busy();
    const before = stamps;
    expect(before).toBeGreaterThan(15);
    stop();
    await busy();
    await supervisor.shutdown();
    expect(stamps).toBe(before);
  });

  test('no event is delivered after a shutdown, neither to an old nor to a new subscriber', async () => {
    const { supervisor, clock, recorded } = setup();
    const gate = gateBody();
    supervisor.submit({ run: gate.body });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: 0 });
    await clock.advance(0);
    await report;
    const before = recorded.events.length;
    let late = 0;
    supervisor.subscribe(() => {
      late += 1;
    });
    gate.open('an abandoned body ends');
    publishEvents({ supervisor }, 2);
    await clock.settle();
    expect([recorded.events.length, late]).toEqual([before, 0]);
  });

  test('a subscriber that hangs delays the report by subscriberGraceMs, and the events it never got are counted', async () => {
    const world = setup({ subscriberGraceMs: 300 });
    const { supervisor, clock } = world;
    supervisor.subscribe(never);
    publishEvents(world, 4);
    await clock.settle();
    let reported = false;
    const report = supervisor.shutdown().finally(() => {
      reported = true;
    });
    await clock.advance(299);
    expect(reported).toBe(false);
    await clock.advance(1);
    expect(reported).toBe(true);
    expect((await report).eventsDropped).toBe(5); // 3 of 4 and the shutdown
    expect(clock.timers).toBe(0);
  });
});

test('a subscriber cannot change an event for the others', async () => {
  const { supervisor, recorded } = setup();
  supervisor.subscribe((event) => {
    (event as { type: string }).type = 'mine';
  });
  await supervisor.submit({ run: () => 1 }).outcome;
  await recorded.until(({ type }) => type === 'subscriberFailed');
  expect(recorded.types()).not.toContain('mine');
});

test('a subscriber with capacity 1 still gets events, because eventsDropped takes no place in its queue', async () => {
  const { supervisor, clock } = setup();
  const received: string[] = [];
  supervisor.subscribe(
    async ({ type }) => {
      received.push(type);
      await turn();
    },
    { capacity: 1 },
  );
  for (let n = 0; n < 20; n += 1) {
    supervisor.submit({ run: () => 1 });
    await clock.settle();
  }
  expect(received.filter((type) => type !== 'eventsDropped').length).toBeGreaterThan(10);
});
