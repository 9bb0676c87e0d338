import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { onAbort } from '../../src/kernel/abort-listeners.ts';
import { PARTS_A_CALL } from '../../src/kernel/long-jobs.ts';

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

test('a signal has one listener, however many callbacks wait for its abort', () => {
  const { signal } = new AbortController();
  for (let n = 0; n < 1_000; n += 1) onAbort(signal, () => {});
  expect(listeners(signal)).toBe(1);
});

test('the listener is removed with the last callback, in any order of removal', () => {
  const { signal } = new AbortController();
  const remove = Array.from({ length: 5 }, () => onAbort(signal, () => {}));
  for (const at of [2, 0, 4, 1]) remove[at]?.();
  expect(listeners(signal)).toBe(1);
  remove[3]?.();
  expect(listeners(signal)).toBe(0);
});

test('removing a callback twice does not affect another one', () => {
  const controller = new AbortController();
  const called: string[] = [];
  const remove = onAbort(controller.signal, () => called.push('removed'));
  onAbort(controller.signal, () => called.push('kept'));
  remove();
  remove();
  expect(listeners(controller.signal)).toBe(1);
  controller.abort();
  expect(called).toEqual(['kept']);
});

test('every callback is called once with the reason, in the order in which they were added', () => {
  const controller = new AbortController();
  const reason = { why: 'over' };
  const called: unknown[] = [];
  const remove = [1, 2, 3].map((n) => onAbort(controller.signal, (got) => called.push([n, got])));
  controller.abort(reason);
  controller.abort('again');
  for (const one of remove) one();
  expect(called).toEqual([
    [1, reason],
    [2, reason],
    [3, reason],
  ]);
  expect(listeners(controller.signal)).toBe(0);
});

test('a callback can be added after all others were removed', () => {
  const controller = new AbortController();
  const called: unknown[] = [];
  onAbort(controller.signal, () => called.push('first'))();
  onAbort(controller.signal, () => called.push('second'));
  controller.abort();
  expect(called).toEqual(['second']);
});

test('a callback that removes itself while it is called does not affect another one', () => {
  const controller = new AbortController();
  const called: number[] = [];
  const remove = onAbort(controller.signal, () => {
    called.push(1);
    remove();
  });
  onAbort(controller.signal, () => called.push(2));
  controller.abort();
  expect(called).toEqual([1, 2]);
});

test('the abort of one signal does not call the callbacks of another one', () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const called: string[] = [];
  onAbort(one.signal, () => called.push('one'));
  const remove = onAbort(other.signal, () => called.push('other'));
  one.abort();
  expect(called).toEqual(['one']);
  expect(listeners(other.signal)).toBe(1);
  remove();
  expect(listeners(other.signal)).toBe(0);
});

test('an object that looks like a signal and throws when a listener is added does no harm', () => {
  const fail = () => {
    throw new Error('no listeners here');
  };
  const signal = { aborted: false, addEventListener: fail, removeEventListener: fail } as unknown as AbortSignal;
  const remove = onAbort(signal, fail);
  expect(remove).not.toThrow();
});

test('of many callbacks the first 1,024 are called within the abort, and the rest in order on later turns', async () => {
  const controller = new AbortController();
  const called: number[] = [];
  const remove = Array.from({ length: PARTS_A_CALL + 3 }, (_, n) => onAbort(controller.signal, () => called.push(n)));
  controller.abort();
  expect(called).toEqual(Array.from({ length: PARTS_A_CALL }, (_, n) => n));
  remove[PARTS_A_CALL + 1]?.(); // it is not called any more
  await new Promise((resolve) => setImmediate(resolve));
  expect(called.slice(PARTS_A_CALL)).toEqual([PARTS_A_CALL, PARTS_A_CALL + 2]);
  expect(listeners(controller.signal)).toBe(0);
});
