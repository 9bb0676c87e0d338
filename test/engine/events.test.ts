import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { attemptEndEvent, EventPublisher } from '../../src/engine/events.ts';
import type { SubscribeOptions, TaskEvent } from '../../src/model/event.ts';
import { stalledFailure, thrownFailure, timedOutFailure } from '../../src/model/failure.ts';
import { createTaskIds } from '../../src/model/id.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const WALL = Date.UTC(2020, 0, 1);
const subject = { id: createTaskIds('prefix').text(1), slot: 's', name: 'n', meta: { own: true } };
const paused = { type: 'slotPaused', slot: 's' } as const;

interface Options {
  readonly name?: string;
  readonly capacity?: number;
  readonly types?: SubscribeOptions['types'];
  readonly fail?: (event: TaskEvent) => void;
}

function setup() {
  const clock = new VirtualClock();
  const publisher = new EventPublisher(clock);
  const subscribe = ({ name, capacity = 10, types, fail }: Options = {}) => {
    const seen: TaskEvent[] = [];
    const ended = vi.fn();
    const onEvent = (event: TaskEvent) => {
      seen.push(event);
      fail?.(event);
    };
    const stop = publisher.subscribe({ onEvent, ...(name !== undefined && { name }) }, capacity, types, ended);
    return { seen, stop, ended };
  };
  return { clock, publisher, subscribe };
}

test('a publisher listens only while a subscription is open', () => {
  const { publisher, subscribe } = setup();
  expect(publisher.listening).toBeUndefined();
  const { stop, ended } = subscribe();
  expect(publisher.listening).toBe(publisher);
  stop();
  expect(publisher.listening).toBeUndefined();
  expect(ended).toHaveBeenCalledTimes(1);
});

test('events are numbered from 1 and carry the present time of the wall clock', async () => {
  const { clock, publisher, subscribe } = setup();
  const { seen } = subscribe();
  publisher.publish({ ...paused });
  await clock.advance(5);
  clock.setWall(WALL - 1_000);
  publisher.publishFor(subject, { type: 'queued', depth: 2 });
  await turn();
  expect(seen).toEqual([
    { seq: 1, at: WALL, type: 'slotPaused', slot: 's' },
    { seq: 2, at: WALL - 1_000, type: 'queued', depth: 2, ...subject },
  ]);
  expect((seen[1] as { meta: unknown }).meta).toBe(subject.meta);
});

test('all subscribers get the same event object', async () => {
  const { publisher, subscribe } = setup();
  const [first, second] = [subscribe(), subscribe()];
  publisher.publish({ ...paused });
  await turn();
  expect(first.seen[0]).toBe(second.seen[0]);
});

test('a subscriber gets the types it asked for, and always gets eventsDropped', async () => {
  const { publisher, subscribe } = setup();
  const { seen } = subscribe({ name: 'narrow', capacity: 1, types: ['slotPaused'] });
  publisher.publish({ type: 'slotResumed', slot: 's' });
  for (let n = 0; n < 3; n += 1) publisher.publish({ ...paused });
  await turn();
  expect(seen.map(({ type }) => type)).toEqual(['slotPaused', 'eventsDropped']);
  expect(seen[1]).toMatchObject({ subscriber: 'narrow', count: 2 });
  expect(publisher.lost).toBe(2);
});

describe('a subscriber that throws', () => {
  const boom = new Error('boom');
  const fail = (event: TaskEvent) => {
    if (event.type !== 'subscriberFailed') throw boom;
  };

  test('is reported to the others, not to itself, and gets further events', async () => {
    const { publisher, subscribe } = setup();
    const bad = subscribe({ fail });
    const good = subscribe({ name: 'good' });
    publisher.publish({ ...paused });
    publisher.publish({ ...paused });
    await turn();
    expect(bad.seen.map(({ type }) => type)).toEqual(['slotPaused', 'slotPaused']);
    const reported = good.seen.filter(({ type }) => type === 'subscriberFailed');
    expect(reported).toMatchObject([
      { subscriber: 'subscriber-1', error: boom },
      { subscriber: 'subscriber-1', error: boom },
    ]);
  });

  test('and another that throws, too, do not cause each other endless events', async () => {
    const { publisher, subscribe } = setup();
    const always = () => {
      throw boom;
    };
    const both = [subscribe({ fail: always }), subscribe({ fail: always })];
    publisher.publish({ ...paused });
    for (let n = 0; n < 5; n += 1) await turn();
    for (const { seen } of both) expect(seen.map(({ type }) => type)).toEqual(['slotPaused', 'subscriberFailed']);
  });
});

test('every event is frozen, however it is made', async () => {
  const { publisher, subscribe } = setup();
  const { seen } = subscribe({ capacity: 9 });
  publisher.submitted(subject, 'queue');
  publisher.queued(subject, 1);
  publisher.started(subject, 0.5, 0n);
  publisher.attemptStarted(subject, 1, 0.5);
  publisher.attemptSucceeded(subject, 1, 8);
  publisher.completed(subject, 1, 8);
  publisher.publishFor(subject, { type: 'overrun', attempt: 1, action: 'hold', sinceMs: 5 });
  publisher.publish({ ...paused });
  publisher.probeFailed('probe', new Error('boom'));
  publisher.publish({ ...paused });
  await turn();
  expect(seen.map((event) => [event.type, Object.isFrozen(event)])).toEqual([
    ['submitted', true],
    ['queued', true],
    ['started', true],
    ['attemptStarted', true],
    ['attemptSucceeded', true],
    ['finished', true],
    ['overrun', true],
    ['slotPaused', true],
    ['subscriberFailed', true],
    ['eventsDropped', true],
  ]);
});

test('sequence numbers increase strictly for every subscriber, also when events are dropped and subscribers fail', async () => {
  const { publisher, subscribe } = setup();
  const all = [
    subscribe({ capacity: 2 }),
    subscribe({
      capacity: 100,
      fail: ({ seq }) => {
        if (seq % 2 === 0) throw new Error('even');
      },
    }),
    subscribe({ capacity: 100 }),
  ];
  for (let n = 0; n < 20; n += 1) {
    publisher.publish({ ...paused });
    if (n % 5 === 0) await turn();
  }
  await turn();
  for (const { seen } of all) {
    const seqs = seen.map(({ seq }) => seq);
    expect(seqs.length).toBeGreaterThan(8);
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  }
});

test('flush delivers the waiting events and ends every subscription', async () => {
  const { publisher, subscribe } = setup();
  const { seen, ended } = subscribe();
  publisher.publish({ ...paused });
  await publisher.flush(0);
  expect([seen.length, publisher.listening, ended.mock.calls.length]).toEqual([1, undefined, 1]);
});

test('each end of an attempt without a value has its own type of event', () => {
  const [thrown, timedOut, stalled] = [thrownFailure(new Error('boom')), timedOutFailure(5), stalledFailure(5)];
  const exited = { kind: 'exited', exitCode: 1, signal: null, message: 'exit 1', fatal: false } as const;
  const rows = [
    [{ kind: 'gaveUp', reason: 'enough' }, { type: 'attemptCanceled' }],
    [{ kind: 'stopped', failure: thrown }, { type: 'attemptCanceled' }],
    [
      { kind: 'failure', failure: thrown, ranMs: 30 },
      { type: 'attemptFailed', failure: thrown },
    ],
    [
      { kind: 'failure', failure: exited, ranMs: 30 },
      { type: 'attemptFailed', failure: exited },
    ],
    [
      { kind: 'failure', failure: timedOut, ranMs: 30 },
      { type: 'attemptTimedOut', failure: timedOut },
    ],
    [
      { kind: 'failure', failure: stalled, ranMs: 30 },
      { type: 'attemptStalled', failure: stalled },
    ],
  ] as const;
  for (const [end, expected] of rows)
    expect(attemptEndEvent(2, end, 30)).toStrictEqual({ attempt: 2, durationMs: 30, ...expected });
});

test('a publisher reaches the types that an open subscription has asked for', () => {
  const { publisher, subscribe } = setup();
  const reached = () => [publisher.reaches('attemptFailed'), publisher.reaches('overrun')];
  expect(reached()).toEqual([false, false]);
  const { stop } = subscribe({ types: ['overrun'] });
  expect(reached()).toEqual([false, true]);
  subscribe();
  expect(reached()).toEqual([true, true]);
  stop();
  expect(reached()).toEqual([true, true]);
});
