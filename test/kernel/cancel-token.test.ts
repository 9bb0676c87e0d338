import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CancelToken } from '../../src/kernel/cancel-token.ts';
import { deferred } from '../../src/kernel/deferred.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const never = (error: unknown): never => {
  throw error;
};

const stopped = (token: CancelToken<string>, reason = 'stop') => {
  token.cancel(reason);
  token.deliver(never);
};

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a cancellation', () => {
  test('is seen at once and heard of on delivery, once', () => {
    const token = new CancelToken<string>();
    const heard: string[] = [];
    token.onCancel((reason) => heard.push(reason), never);
    token.deliver(never); // nothing to tell yet
    expect([token.canceled, token.reason]).toEqual([false, undefined]);
    expect(token.cancel('first')).toBe(true);
    expect(token.cancel('second')).toBe(false);
    expect([token.canceled, token.reason, heard]).toEqual([true, 'first', []]);
    token.deliver(never);
    token.deliver(never);
    expect(heard).toEqual(['first']);
  });

  test('makes a signal only when somebody looks, and one only', () => {
    let made = 0;
    class Counted extends AbortController {
      constructor() {
        super();
        made += 1;
      }
    }
    vi.stubGlobal('AbortController', Counted);
    const token = new CancelToken<string>();
    token.onCancel(() => {}, never);
    stopped(token);
    expect(made).toBe(0);
    expect(token.signal).toBe(token.signal);
    expect(made).toBe(1);
    expect([token.signal.aborted, token.signal.reason]).toEqual([true, 'stop']);
  });

  test('aborts a signal that was looked at before, with the reason, on delivery', () => {
    const token = new CancelToken<object>();
    const { signal } = token;
    const reason = {};
    token.cancel(reason);
    expect(signal.aborted).toBe(false);
    token.deliver(never);
    expect(signal.reason).toBe(reason);
  });
});

describe('listeners', () => {
  test('one that throws and one that rejects are reported and harm no other', async () => {
    const token = new CancelToken<string>();
    const [boom, late] = [new Error('boom'), new Error('late')];
    const errors: unknown[] = [];
    const heard: string[] = [];
    token.onCancel(() => never(boom), never);
    token.onCancel(async () => never(late), never);
    token.onCancel((reason) => heard.push(reason), never);
    token.cancel('stop');
    token.deliver((error) => errors.push(error));
    expect([errors, heard]).toEqual([[boom], ['stop']]);
    await turn();
    expect(errors).toEqual([boom, late]);
  });

  test('the same function added twice is two listeners, each with a removal of its own', () => {
    const token = new CancelToken<string>();
    const listener = vi.fn();
    token.onCancel(listener, never);
    const remove = token.onCancel(listener, never);
    remove();
    remove();
    stopped(token);
    expect(listener.mock.calls).toEqual([['stop']]);
  });

  test('one added after the delivery is called on a turn of its own, once', async () => {
    const token = new CancelToken<string>();
    stopped(token);
    const heard: string[] = [];
    token.onCancel(() => heard.push('one'), never);
    token.onCancel(() => heard.push('two'), never);
    token.onCancel(() => heard.push('removed'), never)();
    expect(heard).toEqual([]);
    await turn();
    expect(heard).toEqual(['one', 'two']);
  });

  test('what a late one throws is reported too', async () => {
    const token = new CancelToken<string>();
    stopped(token);
    const onError = vi.fn();
    token.onCancel(() => never('boom'), onError);
    await turn();
    expect(onError.mock.calls).toEqual([['boom']]);
  });
});

describe('waiting', () => {
  const waits: readonly [name: string, wait: (token: CancelToken<string>, clock: VirtualClock) => Promise<unknown>][] =
    [
      ['sleep', (token, clock) => token.sleep(clock, 100)],
      ['sleep for ever', (token, clock) => token.sleep(clock, Infinity)],
      ['race', (token) => token.race(new Promise(() => {}))],
    ];
  type Act = (token: CancelToken<string>) => void;
  const began: readonly [name: string, before: Act, after: Act][] = [
    ['before the cancellation', () => {}, (token) => stopped(token)],
    ['between the cancellation and its delivery', (token) => token.cancel('stop'), (token) => token.deliver(never)],
    ['after the delivery', (token) => stopped(token), () => {}],
    ['before the close', () => {}, (token) => token.close(() => 'stop')],
    ['after the close', (token) => token.close(() => 'stop'), () => {}],
  ];
  for (const [wait, begin] of waits)
    for (const [when, before, then] of began)
      test(`${wait} begun ${when} ends with the reason and leaves no timer`, async () => {
        const token = new CancelToken<string>();
        const clock = new VirtualClock();
        const ended = vi.fn();
        before(token);
        begin(token, clock).catch(ended);
        expect(ended).not.toHaveBeenCalled();
        then(token);
        await turn();
        expect(ended.mock.calls).toEqual([['stop']]);
        expect(clock.timers).toBe(0);
      });

  test('a sleep lasts its time and leaves no timer; stopping afterwards changes nothing', async () => {
    const token = new CancelToken<string>();
    const clock = new VirtualClock();
    const woke = vi.fn();
    const sleep = token.sleep(clock, 100).then(woke);
    await clock.advance(99);
    expect(woke).not.toHaveBeenCalled();
    await clock.advance(1);
    expect([woke.mock.calls.length, clock.timers]).toEqual([1, 0]);
    stopped(token);
    await expect(sleep).resolves.toBeUndefined();
  });

  test('a listener that comes after the close keeps no wait alive', async () => {
    const token = new CancelToken<string>();
    const clock = new VirtualClock();
    const [listener, ended] = [vi.fn(), vi.fn()];
    token.close(() => 'stop');
    token.onCancel(listener, never);
    await turn();
    token.sleep(clock, 100).catch(ended);
    await turn();
    expect([ended.mock.calls, listener.mock.calls, clock.timers]).toEqual([[['stop']], [], 0]);
  });

  test('a race with what is nothing to wait for is won by it at once', async () => {
    const token = new CancelToken<string>();
    expect(await token.race(7 as never)).toBe(7);
  });

  test('a race settles as the work does, and what comes late is nobody’s', async () => {
    const token = new CancelToken<string>();
    const late = deferred<string>();
    expect(await token.race(Promise.resolve('value'))).toBe('value');
    await expect(token.race(Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    const race = token.race(late.promise);
    stopped(token);
    late.reject(new Error('too late'));
    await expect(race).rejects.toBe('stop');
  });
});

test('after the close nobody is told, and no signal aborts', () => {
  const token = new CancelToken<string>();
  const listener = vi.fn();
  const { signal } = token;
  token.onCancel(listener, never);
  token.close(() => 'ended');
  expect(token.canceled).toBe(false);
  stopped(token);
  expect(listener).not.toHaveBeenCalled();
  expect(signal.aborted).toBe(false);
});
