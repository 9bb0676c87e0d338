import { setImmediate as turn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { EventStream } from '../../src/api/event-stream.ts';
import type { TaskEvent } from '../../src/model/event.ts';

const event = (seq: number): TaskEvent => ({ type: 'slotPaused', slot: 's', seq, at: 0 });
const OVER = { done: true, value: undefined };

test('who asks first gets the event at once, and the subscriber is not held back', async () => {
  const stream = new EventStream();
  const [one, two] = [stream.next(), stream.next()];
  expect([stream.onEvent(event(1)), stream.onEvent(event(2))]).toEqual([undefined, undefined]);
  expect(await Promise.all([one, two])).toEqual([
    { done: false, value: event(1) },
    { done: false, value: event(2) },
  ]);
});

test('an event that nobody has asked for holds the subscriber back until it is taken', async () => {
  const stream = new EventStream();
  const free = vi.fn();
  void Promise.resolve(stream.onEvent(event(1))).then(free);
  await turn();
  expect(free).not.toHaveBeenCalled();
  expect(await stream.next()).toEqual({ done: false, value: event(1) });
  await turn();
  expect(free).toHaveBeenCalledTimes(1);
});

test('the end answers all who ask, now and later', async () => {
  const stream = new EventStream();
  const asked = [stream.next(), stream.next()];
  stream.end();
  stream.end();
  expect(await Promise.all([...asked, stream.next()])).toEqual([OVER, OVER, OVER]);
});

test('an event on offer at the end can still be taken', async () => {
  const stream = new EventStream();
  void stream.onEvent(event(1));
  stream.end();
  expect(await stream.next()).toEqual({ done: false, value: event(1) });
  expect(await stream.next()).toEqual(OVER);
});

test('return ends the subscription, forgets what is on offer and answers who still asks', async () => {
  const stream = new EventStream();
  stream.unsubscribe = vi.fn();
  void stream.onEvent(event(1));
  expect(await stream.return()).toEqual(OVER);
  expect(stream.unsubscribe).toHaveBeenCalledTimes(1);
  expect(await stream.next()).toEqual(OVER);
});

test('a loop over it takes events in order, and leaving the loop ends the subscription', async () => {
  const stream = new EventStream();
  stream.unsubscribe = vi.fn();
  const feed = (async () => {
    for (const n of [1, 2, 3]) await stream.onEvent(event(n));
  })();
  const seen: number[] = [];
  for await (const { seq } of stream) {
    seen.push(seq);
    if (seq === 3) break;
  }
  await feed;
  expect(seen).toEqual([1, 2, 3]);
  expect(stream.unsubscribe).toHaveBeenCalledTimes(1);
});
