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
  test('is visible at once, and listeners are called once, by deliver', () => {
    const token = new CancelToken<string>();
    const called: string[] = [];
    token.onCancel((reason) => called.push(reason), never);
    token.deliver(never); // not canceled yet
    expect([token.canceled, token.reason]).toEqual([false, undefined]);
    expect(token.cancel('first')).toBe(true);
    expect(token.cancel('second')).toBe(false);
    expect([token.canceled, token.reason, called]).toEqual([true, 'first', []]);
    token.deliver(never);
    token.deliver(never);
    expect(called).toEqual(['first']);
  });

  test('makes a signal only when it is read, and only one', () => {
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

  test('aborts a signal that was read before, with the reason, in deliver', () => {
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
  test('that throw or reject are reported, and the other listeners are still called', async () => {
    const token = new CancelToken<string>();
    const [boom, late] = [new Error('boom'), new Error('late')];
    const errors: unknown[] = [];
    const called: string[] = [];
    token.onCancel(() => never(boom), never);
    token.onCancel(async () => never(late), never);
    token.onCancel((reason) => called.push(reason), never);
    token.cancel('stop');
    token.deliver((error) => errors.push(error));
    expect([errors, called]).toEqual([[boom], ['stop']]);
    await turn();
    expect(errors).toEqual([boom, late]);
  });

  test('are added once for each call, also if the function is the same, and each is removed separately', () => {
    const token = new CancelToken<string>();
    const listener = vi.fn();
    token.onCancel(listener, never);
    const remove = token.onCancel(listener, never);
    remove();
    remove();
    stopped(token);
    expect(listener.mock.calls).toEqual([['stop']]);
  });

  test('are called without a this', () => {
    const token = new CancelToken<string>();
    const seen: unknown[] = [];
    token.onCancel(function (this: unknown) {
      seen.push(this);
    }, never);
    stopped(token);
    expect(seen).toEqual([undefined]);
  });

  test('that another listener removes are not called, and those that it adds are called on a later turn', async () => {
    const token = new CancelToken<string>();
    const called: string[] = [];
    token.onCancel(() => {
      called.push('first');
      removeSecond();
      token.onCancel(() => called.push('added'), never);
    }, never);
    const removeSecond = token.onCancel(() => called.push('second'), never);
    token.onCancel(() => called.push('third'), never);
    stopped(token);
    expect(called).toEqual(['first', 'third']);
    await turn();
    expect(called).toEqual(['first', 'third', 'added']);
  });

  test('that are added between cancel and deliver are called by deliver', async () => {
    const token = new CancelToken<string>();
    const listener = vi.fn();
    token.cancel('stop');
    token.onCancel(listener, never);
    await turn();
    expect(listener).not.toHaveBeenCalled();
    token.deliver(never);
    expect(listener.mock.calls).toEqual([['stop']]);
  });

  test('that are added after deliver are called once, on a later turn', async () => {
    const token = new CancelToken<string>();
    stopped(token);
    const called: string[] = [];
    token.onCancel(() => called.push('one'), never);
    token.onCancel(() => called.push('two'), never);
    token.onCancel(() => called.push('removed'), never)();
    expect(called).toEqual([]);
    await turn();
    expect(called).toEqual(['one', 'two']);
  });

  test('that are added after deliver and throw are reported too', async () => {
    const token = new CancelToken<string>();
    stopped(token);
    const onError = vi.fn();
    token.onCancel(() => never('boom'), onError);
    await turn();
    expect(onError.mock.calls).toEqual([['boom']]);
  });
});

describe('a wait', () => {
  const waits: readonly [name: string, wait: (token: CancelToken<string>, clock: VirtualClock) => Promise<unknown>][] =
    [
      ['sleep', (token, clock) => token.sleep(clock, 100)],
      ['infinite sleep', (token, clock) => token.sleep(clock, Infinity)],
      ['race', (token) => token.race(new Promise(() => {}))],
    ];
  type Act = (token: CancelToken<string>) => unknown;
  const began: readonly [name: string, before: Act, after: Act][] = [
    ['before cancel', () => {}, (token) => stopped(token)],
    ['a turn before cancel', () => {}, (token) => turn().then(() => stopped(token))],
    ['between cancel and deliver', (token) => token.cancel('stop'), (token) => token.deliver(never)],
    ['after deliver', (token) => stopped(token), () => {}],
    ['before close', () => {}, (token) => token.close(() => 'stop')],
    ['after close', (token) => token.close(() => 'stop'), () => {}],
  ];
  for (const [wait, begin] of waits)
    for (const [when, before, then] of began)
      test(`by ${wait} that begins ${when} ends with the reason and leaves no timer`, async () => {
        const token = new CancelToken<string>();
        const clock = new VirtualClock();
        const ended = vi.fn();
        before(token);
        begin(token, clock).catch(ended);
        expect(ended).not.toHaveBeenCalled();
        await then(token);
        await turn();
        expect(ended.mock.calls).toEqual([['stop']]);
        expect(clock.timers).toBe(0);
      });

  test('by sleep lasts its time and leaves no timer, and a later cancel has no effect', async () => {
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

  test('that begins after close ends, also if a listener was added after close', async () => {
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

  test.for<[also: string, before: (token: CancelToken<string>) => void]>([
    ['nothing else', () => {}],
    ['a late listener', (token) => token.onCancel(() => {}, never)],
    ['a late listener that it removes', (token) => token.onCancel(() => {}, never)()],
  ])('that a loop begins again and again, beside %s, leaves the event loop its turns', async ([, before]) => {
    const token = new CancelToken<string>();
    stopped(token);
    let rounds = 0;
    const loop = async () => {
      for (; rounds < 100; rounds += 1) {
        before(token);
        await token.sleep(new VirtualClock(), 100).catch(() => {});
      }
    };
    const ended = loop();
    await turn();
    await turn();
    expect(rounds).toBeLessThan(5);
    await ended;
  });

  test('by race for a value that is not a thenable resolves with it at once', async () => {
    const token = new CancelToken<string>();
    expect(await token.race(7 as never)).toBe(7);
  });

  test('by race settles as the work does, and its end after the cancellation is ignored', async () => {
    const token = new CancelToken<string>();
    const [late, failing] = [deferred<string>(), deferred<string>()];
    expect(await token.race(Promise.resolve('value'))).toBe('value');
    await expect(token.race(Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    const races = [token.race(late.promise), token.race(failing.promise)];
    stopped(token);
    late.resolve('too late');
    failing.reject(new Error('too late'));
    for (const race of races) await expect(race).rejects.toBe('stop');
    await turn();
  });

  test('that has ended costs close no reason', async () => {
    const token = new CancelToken<string>();
    const makeReason = vi.fn();
    await token.race(Promise.resolve());
    token.close(makeReason);
    expect(makeReason).not.toHaveBeenCalled();
  });
});

test('after close no listener is called, and no signal is aborted', () => {
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
