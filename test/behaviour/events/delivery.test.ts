// How events are delivered to subscribers.

import type { Submission, Supervisor, TaskEvent } from 'slotvisor';
import { seededRandom } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { never } from '../../support/bodies.ts';
import { publishEvents, seqs, slowHandler, types } from '../../support/event-handlers.ts';
import { gateBody } from '../../support/gate.ts';
import { setup } from '../../support/setup.ts';

describe('the delivery of events', () => {
  const calls: readonly [string, (supervisor: Supervisor, task: Submission) => unknown][] = [
    ['submit', (supervisor) => supervisor.submit({ run: never })],
    ['submitAll', (supervisor) => supervisor.submitAll([{ run: never }, { run: never }])],
    ['slot.submit', (supervisor) => supervisor.slot('s').submit({ admission: 'dropIfRunning', run: never })],
    ['submission.cancel', (_, task) => task.cancel()],
    ['supervisor.cancel', (supervisor, { id }) => supervisor.cancel(id)],
    ['slot.cancel', (supervisor) => supervisor.slot('s').cancel()],
    ['slot.pause', (supervisor) => supervisor.slot('s').pause()],
    ['restart', (_, task) => task.restart()],
    ['shutdown', (supervisor) => supervisor.shutdown({ graceMs: 0 })],
  ];
  for (const [name, call] of calls)
    test(`no event is delivered and no body is called inside ${name}`, async () => {
      const { supervisor, clock } = setup();
      const gate = gateBody();
      const task = supervisor.submit({ slot: 's', run: gate.body });
      await clock.settle();
      let inside = true;
      let later = 0;
      supervisor.subscribe(() => {
        expect.soft(inside).toBe(false);
        later += 1;
      });
      call(supervisor, task);
      inside = false;
      expect(gate.calls).toHaveLength(1);
      gate.open('end');
      await clock.settle();
      expect(later).toBeGreaterThan(0);
    });

  test('every subscriber gets the same events in the same order, from its subscription on', async () => {
    const world = setup();
    const { supervisor, clock, recorded } = world;
    publishEvents(world, 2);
    const late: TaskEvent[] = [];
    supervisor.subscribe({ name: 'late', onEvent: (event) => void late.push(event) });
    publishEvents(world, 3);
    await clock.settle();
    expect(recorded.events).toHaveLength(5);
    expect(late).toEqual(recorded.events.slice(2));
  });

  test('a full queue drops the newest events, and one eventsDropped gives their exact number once there is room', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    const slow = slowHandler();
    supervisor.subscribe({ name: 'slow', onEvent: slow.onEvent }, { capacity: 3 });
    publishEvents(world, 1);
    await clock.settle(); // the first event is being handled, so its place is free again
    publishEvents(world, 10);
    await clock.advance(60_000);
    expect(seqs(slow.seen)).toEqual([1]);
    for (let n = 0; n < 4; n += 1) {
      slow.next();
      await clock.settle();
    }
    expect(seqs(slow.seen).slice(0, 4)).toEqual([1, 2, 3, 4]);
    expect(slow.seen[4]).toEqual({
      type: 'eventsDropped',
      seq: 12,
      at: clock.wallNow(),
      subscriber: 'slow',
      count: 7,
    });
    slow.next();
    publishEvents(world, 1);
    await clock.settle();
    expect(types(slow.seen)).toHaveLength(6);
    expect(types(slow.seen).filter((type) => type === 'eventsDropped')).toHaveLength(1);
  });

  test('received and dropped events add up to all events, at any pace of the subscriber, and seq grows', async () => {
    const random = seededRandom(3);
    const world = setup();
    const { supervisor, clock, recorded } = world;
    const slow = slowHandler();
    supervisor.subscribe({ name: 'slow', onEvent: slow.onEvent }, { capacity: 4 });
    for (let n = 0; n < 200; n += 1) {
      publishEvents(world, Math.floor(random() * 4));
      slow.next();
      await clock.settle();
    }
    const seen = (): TaskEvent[] => slow.seen.filter(({ type }) => type !== 'eventsDropped');
    for (let before = -1; before < slow.seen.length; ) {
      before = slow.seen.length;
      slow.next();
      await clock.settle();
    }
    let dropped = 0;
    for (const event of slow.seen) if (event.type === 'eventsDropped') dropped += event.count;
    expect(dropped).toBeGreaterThan(50);
    expect(seen().length + dropped).toBe(recorded.events.length);
    expect(seqs(slow.seen)).toEqual([...new Set(seqs(slow.seen))].toSorted((a, b) => a - b));
    const report = supervisor.shutdown();
    for (let n = 0; n < 5; n += 1) {
      slow.next();
      await clock.settle();
    }
    expect((await report).eventsDropped).toBe(dropped);
  });

  test('the default queue of a subscriber holds 65,536 events', async () => {
    const { supervisor, clock } = setup();
    const slot = supervisor.slot('s');
    let seen = 0;
    let dropped = 0;
    supervisor.subscribe((event) => {
      if (event.type === 'eventsDropped') dropped += event.count;
      else seen += 1;
    });
    for (let n = 0; n < 35_000; n += 1) {
      slot.pause();
      slot.resume();
    }
    await clock.settle();
    expect([seen, dropped]).toEqual([65_536, 70_000 - 65_536]);
  });

  test('a subscriber that returns at once loses no event of ten thousand submissions in one tick', async () => {
    const world = setup();
    let finished = 0;
    world.supervisor.subscribe(({ type }) => {
      if (type === 'finished') finished += 1;
    });
    for (let n = 0; n < 10_000; n += 1) world.supervisor.submit({ run: () => n });
    await world.clock.settle();
    expect([finished, (await world.supervisor.shutdown()).eventsDropped]).toEqual([10_000, 0]);
  });

  test('an async subscriber gets the next event when its promise has settled, and delays no other subscriber', async () => {
    const world = setup();
    const { supervisor, clock, recorded } = world;
    const slow = slowHandler();
    supervisor.subscribe(slow.onEvent);
    const task = supervisor.submit({ run: () => 'value' });
    expect(await task.value()).toBe('value');
    await clock.settle();
    expect(recorded.events).toHaveLength(5);
    for (let seen = 1; seen <= 5; seen += 1) {
      await clock.advance(1_000);
      expect(slow.seen).toEqual(recorded.events.slice(0, seen));
      slow.next();
    }
  });

  const trap = new Error('subscriber');
  const failing: readonly [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw trap;
      },
    ],
    ['rejects', () => Promise.reject(trap)],
    [
      'returns a thenable that throws',
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: what a broken subscriber may return
        then: () => {
          throw trap;
        },
      }),
    ],
  ];
  for (const [how, react] of failing)
    test(`a subscriber that ${how} causes subscriberFailed for the others, and gets further events`, async () => {
      const world = setup();
      const { supervisor, clock, recorded } = world;
      const seen: TaskEvent[] = [];
      supervisor.subscribe({
        name: 'broken',
        onEvent: (event) => {
          seen.push(event);
          if (event.seq === 1) return react() as undefined;
        },
      });
      publishEvents(world, 3);
      await clock.settle();
      expect(types(seen)).toEqual(['slotPaused', 'slotResumed', 'slotPaused']);
      expect(recorded.of('subscriberFailed')).toMatchObject([{ seq: 4, subscriber: 'broken', error: trap }]);
      expect(recorded.of('subscriberFailed')[0]?.error).toBe(trap);
    });

  test('two subscribers that always fail do not cause endless events', async () => {
    const world = setup();
    let handled = 0;
    const broken = (): never => {
      handled += 1;
      throw trap;
    };
    world.supervisor.subscribe(broken);
    world.supervisor.subscribe(broken);
    publishEvents(world, 1);
    await world.clock.settle();
    expect(handled).toBe(4); // the event, and subscriberFailed of the other
  });

  test('events caused by a subscriber that calls the supervisor are delivered to all, in order', async () => {
    const { supervisor, clock, recorded } = setup();
    const seen: TaskEvent[] = [];
    supervisor.subscribe((event) => {
      seen.push(event);
      if (event.type === 'finished' && seen.length < 20) supervisor.submit({ slot: 's', run: () => 1 });
    });
    supervisor.submit({ slot: 's', run: () => 1 });
    await clock.settle();
    expect(types(seen).filter((type) => type === 'finished')).toHaveLength(4);
    expect(seen).toEqual(recorded.events);
  });
});
