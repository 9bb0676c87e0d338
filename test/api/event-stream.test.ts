import { setImmediate as turn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { EventStream } from '../../src/api/event-stream.ts';
import type { TaskEvent } from '../../src/model/event.ts';

const event = (seq: number): TaskEvent => ({ type: 'slotPaused', slot: 's', seq, at: 0 });
const DONE = { done: true, value: undefined };

test('pending calls of next get the next events in order, and the subscriber is not held back', async () => {
  const stream = new EventStream();
  const [first, second] = [stream.next(), stream.next()];
  expect([stream.onEvent(event(1)), stream.onEvent(event(2))]).toEqual([undefined, undefined]);
  expect(await Promise.all([first, second])).toEqual([
    { done: false, value: event(1) },
    { done: false, value: event(2) },
  ]);
});

test('an event without a pending call of next holds the subscriber back until it is taken', async () => {
  const stream = new EventStream();
  const resolved = vi.fn();
  void Promise.resolve(stream.onEvent(event(1))).then(resolved);
  await turn();
  expect(resolved).not.toHaveBeenCalled();
  expect(await stream.next()).toEqual({ done: false, value: event(1) });
  await turn();
  expect(resolved).toHaveBeenCalledTimes(1);
});

test('the end of the stream answers every pending and every later call of next', async () => {
  const stream = new EventStream();
  const pending = [stream.next(), stream.next()];
  stream.end();
  stream.end();
  expect(await Promise.all([...pending, stream.next()])).toEqual([DONE, DONE, DONE]);
});

test('an event that waits at the end of the stream can still be taken', async () => {
  const stream = new EventStream();
  void stream.onEvent(event(1));
  stream.end();
  expect(await stream.next()).toEqual({ done: false, value: event(1) });
  expect(await stream.next()).toEqual(DONE);
});

test('return ends the subscription and drops the event that waits', async () => {
  const stream = new EventStream();
  stream.unsubscribe = vi.fn();
  void stream.onEvent(event(1));
  expect(await stream.return()).toEqual(DONE);
  expect(stream.unsubscribe).toHaveBeenCalledTimes(1);
  expect(await stream.next()).toEqual(DONE);
});

test('a loop over the stream takes events in order, and leaving the loop ends the subscription', async () => {
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
