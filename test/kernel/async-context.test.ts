import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { callIn, captureContext } from '../../src/kernel/async-context.ts';

const store = new AsyncLocalStorage<string>();
const readStore = (prefix: string) => `${prefix}${store.getStore()}`;

test('a call sees the stores of the captured context, and its caller keeps its own stores', () => {
  const context = store.run('then', captureContext);
  store.run('now', () => {
    expect(callIn(context, readStore, 'seen: ')).toBe('seen: then');
    expect(store.getStore()).toBe('now');
  });
});

test('async work that the call starts stays in the captured context', async () => {
  const context = store.run('then', captureContext);
  const later = store.run('now', () =>
    callIn(
      context,
      async () => {
        await turn();
        return store.getStore();
      },
      undefined,
    ),
  );
  expect(await later).toBe('then');
});

test('a context can be used for many calls, and an error of one of them reaches the caller and does not change the context', () => {
  const context = store.run('then', captureContext);
  const boom = new Error('boom');
  const fail = (error: Error) => {
    throw error;
  };
  store.run('now', () => {
    expect(() => callIn(context, fail, boom)).toThrow(boom);
    expect(store.getStore()).toBe('now');
    expect(callIn(context, readStore, '')).toBe('then');
  });
});

test('without a context the call is made in the current context', () => {
  store.run('now', () => expect(callIn(null, readStore, 'seen: ')).toBe('seen: now'));
});
