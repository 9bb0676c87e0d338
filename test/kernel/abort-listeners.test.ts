import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { onAbort } from '../../src/kernel/abort-listeners.ts';

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

test('a signal carries one listener, however many wait', () => {
  const { signal } = new AbortController();
  for (let n = 0; n < 1_000; n += 1) onAbort(signal, () => {});
  expect(listeners(signal)).toBe(1);
});

test('the listener goes with the last one that waits, in whatever order they leave', () => {
  const { signal } = new AbortController();
  const leave = Array.from({ length: 5 }, () => onAbort(signal, () => {}));
  for (const at of [2, 0, 4, 1]) leave[at]?.();
  expect(listeners(signal)).toBe(1);
  leave[3]?.();
  expect(listeners(signal)).toBe(0);
});

test('who leaves twice takes nobody else along', () => {
  const controller = new AbortController();
  const heard: string[] = [];
  const leave = onAbort(controller.signal, () => heard.push('left'));
  onAbort(controller.signal, () => heard.push('stayed'));
  leave();
  leave();
  expect(listeners(controller.signal)).toBe(1);
  controller.abort();
  expect(heard).toEqual(['stayed']);
});

test('everyone hears the reason once, in the order in which they came', () => {
  const controller = new AbortController();
  const reason = { why: 'over' };
  const heard: unknown[] = [];
  const leave = [1, 2, 3].map((n) => onAbort(controller.signal, (got) => heard.push([n, got])));
  controller.abort(reason);
  controller.abort('again');
  for (const one of leave) one();
  expect(heard).toEqual([
    [1, reason],
    [2, reason],
    [3, reason],
  ]);
  expect(listeners(controller.signal)).toBe(0);
});

test('a signal that everybody left can be waited for anew', () => {
  const controller = new AbortController();
  const heard: unknown[] = [];
  onAbort(controller.signal, () => heard.push('first'))();
  onAbort(controller.signal, () => heard.push('second'));
  controller.abort();
  expect(heard).toEqual(['second']);
});

test('one who leaves while the news goes round harms nobody', () => {
  const controller = new AbortController();
  const heard: number[] = [];
  const leave = onAbort(controller.signal, () => {
    heard.push(1);
    leave();
  });
  onAbort(controller.signal, () => heard.push(2));
  controller.abort();
  expect(heard).toEqual([1, 2]);
});

test('signals do not hear of each other', () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const heard: string[] = [];
  onAbort(one.signal, () => heard.push('one'));
  const leave = onAbort(other.signal, () => heard.push('other'));
  one.abort();
  expect(heard).toEqual(['one']);
  expect(listeners(other.signal)).toBe(1);
  leave();
  expect(listeners(other.signal)).toBe(0);
});

test('a look-alike of a signal that throws at whoever listens harms nobody', () => {
  const fail = () => {
    throw new Error('no listeners here');
  };
  const signal = { aborted: false, addEventListener: fail, removeEventListener: fail } as unknown as AbortSignal;
  const leave = onAbort(signal, fail);
  expect(leave).not.toThrow();
});
