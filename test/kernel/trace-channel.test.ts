// What Node's subscribers see. test/engine/attempt-channel.test.ts has the messages of attempts.

import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { TraceChannel } from '../../src/kernel/trace-channel.ts';

test('is heard while one of its words has a subscriber, or a store is bound', () => {
  const channel = new TraceChannel('test:heard');
  const node = tracingChannel<object, object>('test:heard');
  const storage = new AsyncLocalStorage<object>();
  const seen = [channel.isHeard];
  const nothing = () => {};
  node.asyncEnd.subscribe(nothing);
  seen.push(channel.isHeard);
  node.asyncEnd.unsubscribe(nothing);
  node.start.bindStore(storage);
  seen.push(channel.isHeard);
  node.start.unbindStore(storage);
  seen.push(channel.isHeard);
  expect(seen).toEqual([false, true, true, false]);
});

test('returns what the work returned, and throws what it threw, with the end of its synchronous part heard', () => {
  const channel = new TraceChannel('test:work');
  const words: string[] = [];
  const handlers = { start: () => words.push('start'), end: () => words.push('end') };
  const node = tracingChannel<object, object>('test:work');
  node.subscribe(handlers as never);
  expect(channel.run({}, () => 7)).toBe(7);
  expect(() =>
    channel.run({}, () => {
      throw new Error('boom');
    }),
  ).toThrow('boom');
  expect(words).toEqual(['start', 'end', 'start', 'end']);
  node.unsubscribe(handlers as never);
});

test('publishes an error where the work has failed, whatever a subscriber wrote to the message', () => {
  const channel = new TraceChannel('test:ended');
  const words: string[] = [];
  const node = tracingChannel<object, object>('test:ended');
  const handlers = Object.fromEntries(
    (['error', 'asyncStart', 'asyncEnd'] as const).map((word) => [word, () => words.push(word)]),
  );
  node.subscribe(handlers as never);
  channel.ended({ error: 'written by a subscriber' }, false);
  channel.ended({ error: 'boom' }, true);
  expect(words).toEqual(['asyncStart', 'asyncEnd', 'error', 'asyncStart', 'asyncEnd']);
  node.unsubscribe(handlers as never);
});
