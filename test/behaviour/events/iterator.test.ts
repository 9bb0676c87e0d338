// supervisor.events() as an async iterator.

import { getEventListeners } from 'node:events';
import { Supervisor, type TaskEvent } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { publishEvents, types } from '../../support/event-handlers.ts';
import { setup } from '../../support/setup.ts';

describe('events()', () => {
  test('a loop over events() gets every event in order and ends with the shutdown', async () => {
    const world = setup();
    const { supervisor, clock, recorded } = world;
    const seen: TaskEvent[] = [];
    const loop = (async () => {
      for await (const event of supervisor.events()) seen.push(event);
    })();
    await supervisor.submit({ run: () => 1 }).outcome;
    publishEvents(world, 2);
    await clock.settle();
    expect(seen).toEqual(recorded.events);
    await supervisor.shutdown();
    await loop;
    expect(types(seen).at(-1)).toBe('shutdownFinished');
    expect(seen).toEqual(recorded.events);
  });

  const leaves: readonly [string, (supervisor: Supervisor) => Promise<number>][] = [
    [
      'break',
      async (supervisor) => {
        let seen = 0;
        for await (const _ of supervisor.events()) {
          seen += 1;
          if (seen === 2) break;
        }
        return seen;
      },
    ],
    [
      'a throw in the loop',
      async (supervisor) => {
        let seen = 0;
        try {
          for await (const _ of supervisor.events()) {
            seen += 1;
            if (seen === 2) throw new Error('out');
          }
        } catch {
          return seen;
        }
        return 0;
      },
    ],
    [
      'return()',
      async (supervisor) => {
        const events = supervisor.events();
        const seen = [await events.next(), await events.next()];
        const waiting = [events.next(), events.next()];
        await Promise.all(waiting);
        const last = events.next();
        expect(await events.return?.()).toEqual({ done: true, value: undefined });
        expect(await last).toEqual({ done: true, value: undefined });
        expect(await events.next()).toEqual({ done: true, value: undefined });
        return seen.length;
      },
    ],
    [
      'the signal',
      async (supervisor) => {
        const end = new AbortController();
        let seen = 0;
        for await (const _ of supervisor.events({ signal: end.signal })) {
          seen += 1;
          if (seen === 2) end.abort();
        }
        expect(getEventListeners(end.signal, 'abort')).toEqual([]);
        return seen;
      },
    ],
  ];
  for (const [how, leave] of leaves)
    test(`${how} ends the subscription of events(), and no further event is built`, async () => {
      const clock = new VirtualClock();
      const supervisor = new Supervisor({ clock });
      const left = leave(supervisor);
      publishEvents({ supervisor }, 2);
      await clock.settle();
      publishEvents({ supervisor }, 2);
      expect(await left).toBe(2);
      clock.wallNow = () => expect.fail('an event was built');
      publishEvents({ supervisor }, 2);
      expect((await supervisor.shutdown()).clean).toBe(true);
    });

  test('several pending next() calls get different events, in order', async () => {
    const world = setup();
    const events = world.supervisor.events();
    const asked = [events.next(), events.next(), events.next()];
    publishEvents(world, 4);
    const answers = [...(await Promise.all(asked)), await events.next()];
    expect(answers.map(({ value }) => (value as TaskEvent).seq)).toEqual([1, 2, 3, 4]);
  });

  test('an unread iterator has a bounded queue and gets the number of dropped events', async () => {
    const world = setup();
    const events = world.supervisor.events({ capacity: 2, types: ['slotPaused'] });
    publishEvents(world, 2);
    await world.clock.settle(); // one event is ready for next()
    publishEvents(world, 10);
    await world.clock.settle();
    const seen: TaskEvent[] = [];
    for (let n = 0; n < 4; n += 1) seen.push((await events.next()).value as TaskEvent);
    expect(types(seen)).toEqual(['slotPaused', 'slotPaused', 'slotPaused', 'eventsDropped']);
    expect(seen.at(-1)).toMatchObject({ subscriber: 'events()', count: 3 });
  });

  for (const [when, options] of [
    ['after a shutdown', {}],
    ['with an aborted signal', { signal: AbortSignal.abort() }],
  ] as const)
    test(`events() ${when} ends at once`, async () => {
      const { supervisor } = setup();
      if (when === 'after a shutdown') await supervisor.shutdown();
      expect(await supervisor.events(options).next()).toEqual({ done: true, value: undefined });
    });
});
