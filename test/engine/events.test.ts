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

interface Wish {
  readonly name?: string;
  readonly capacity?: number;
  readonly types?: SubscribeOptions['types'];
  readonly fail?: (event: TaskEvent) => void;
}

function setup() {
  const clock = new VirtualClock();
  const news = new EventPublisher(clock);
  const subscribe = ({ name, capacity = 10, types, fail }: Wish = {}) => {
    const seen: TaskEvent[] = [];
    const ended = vi.fn();
    const onEvent = (event: TaskEvent) => {
      seen.push(event);
      fail?.(event);
    };
    const stop = news.subscribe({ onEvent, ...(name !== undefined && { name }) }, capacity, types, ended);
    return { seen, stop, ended };
  };
  return { clock, news, subscribe };
}

test('is heard only while somebody subscribes', () => {
  const { news, subscribe } = setup();
  expect(news.listening).toBeUndefined();
  const { stop, ended } = subscribe();
  expect(news.listening).toBe(news);
  stop();
  expect(news.listening).toBeUndefined();
  expect(ended).toHaveBeenCalledTimes(1);
});

test('events are numbered from 1 and stamped with the wall clock as it is', async () => {
  const { clock, news, subscribe } = setup();
  const { seen } = subscribe();
  news.publish({ ...paused });
  await clock.advance(5);
  clock.setWall(WALL - 1_000);
  news.publishFor(subject, { type: 'queued', depth: 2 });
  await turn();
  expect(seen).toEqual([
    { seq: 1, at: WALL, type: 'slotPaused', slot: 's' },
    { seq: 2, at: WALL - 1_000, type: 'queued', depth: 2, ...subject },
  ]);
  expect((seen[1] as { meta: unknown }).meta).toBe(subject.meta);
});

test('everyone gets the same event', async () => {
  const { news, subscribe } = setup();
  const [one, other] = [subscribe(), subscribe()];
  news.publish({ ...paused });
  await turn();
  expect(one.seen[0]).toBe(other.seen[0]);
});

test('a subscriber gets the types it asked for, and is told of its losses in any case', async () => {
  const { news, subscribe } = setup();
  const { seen } = subscribe({ name: 'narrow', capacity: 1, types: ['slotPaused'] });
  news.publish({ type: 'slotResumed', slot: 's' });
  for (let n = 0; n < 3; n += 1) news.publish({ ...paused });
  await turn();
  expect(seen.map(({ type }) => type)).toEqual(['slotPaused', 'eventsDropped']);
  expect(seen[1]).toMatchObject({ subscriber: 'narrow', count: 2 });
  expect(news.lost).toBe(2);
});

describe('a subscriber that throws', () => {
  const boom = new Error('boom');
  const fail = (event: TaskEvent) => {
    if (event.type !== 'subscriberFailed') throw boom;
  };

  test('is named to the others, not to itself, and goes on', async () => {
    const { news, subscribe } = setup();
    const bad = subscribe({ fail });
    const good = subscribe({ name: 'good' });
    news.publish({ ...paused });
    news.publish({ ...paused });
    await turn();
    expect(bad.seen.map(({ type }) => type)).toEqual(['slotPaused', 'slotPaused']);
    const told = good.seen.filter(({ type }) => type === 'subscriberFailed');
    expect(told).toMatchObject([
      { subscriber: 'subscriber-1', error: boom },
      { subscriber: 'subscriber-1', error: boom },
    ]);
  });

  test('two that throw at everything do not keep each other busy', async () => {
    const { news, subscribe } = setup();
    const always = () => {
      throw boom;
    };
    const both = [subscribe({ fail: always }), subscribe({ fail: always })];
    news.publish({ ...paused });
    for (let n = 0; n < 5; n += 1) await turn();
    for (const { seen } of both) expect(seen.map(({ type }) => type)).toEqual(['slotPaused', 'subscriberFailed']);
  });
});

test('numbers grow strictly for every subscriber, whatever is dropped or failed between', async () => {
  const { news, subscribe } = setup();
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
    news.publish({ ...paused });
    if (n % 5 === 0) await turn();
  }
  await turn();
  for (const { seen } of all) {
    const seqs = seen.map(({ seq }) => seq);
    expect(seqs.length).toBeGreaterThan(8);
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  }
});

test('drain delivers what is there and ends every subscription', async () => {
  const { news, subscribe } = setup();
  const { seen, ended } = subscribe();
  news.publish({ ...paused });
  await news.flush(0);
  expect([seen.length, news.listening, ended.mock.calls.length]).toEqual([1, undefined, 1]);
});

test('each end of an attempt has its event', () => {
  const [thrown, late, silent] = [thrownFailure(new Error('boom')), timedOutFailure(5), stalledFailure(5)];
  const exited = { kind: 'exited', exitCode: 1, signal: null, message: 'exit 1', fatal: false } as const;
  const rows = [
    [{ kind: 'value', value: 1 }, { type: 'attemptSucceeded' }],
    [{ kind: 'gaveUp', reason: 'enough' }, { type: 'attemptCanceled' }],
    [{ kind: 'stopped', failure: thrown }, { type: 'attemptCanceled' }],
    [
      { kind: 'failure', failure: thrown },
      { type: 'attemptFailed', failure: thrown },
    ],
    [
      { kind: 'failure', failure: exited },
      { type: 'attemptFailed', failure: exited },
    ],
    [
      { kind: 'failure', failure: late },
      { type: 'attemptTimedOut', failure: late },
    ],
    [
      { kind: 'failure', failure: silent },
      { type: 'attemptStalled', failure: silent },
    ],
  ] as const;
  for (const [end, expected] of rows)
    expect(attemptEndEvent(2, end, 30)).toStrictEqual({ attempt: 2, durationMs: 30, ...expected });
});
