import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { callIn, captureContext } from '../../src/kernel/async-context.ts';

const store = new AsyncLocalStorage<string>();
const look = (prefix: string) => `${prefix}${store.getStore()}`;

test('a call sees the stores of where the context was captured, and the caller keeps its own', () => {
  const context = store.run('then', captureContext);
  store.run('now', () => {
    expect(callIn(context, look, 'seen: ')).toBe('seen: then');
    expect(store.getStore()).toBe('now');
  });
});

test('what the call leaves behind goes on in that context', async () => {
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

test('a context serves many calls, and a throw in one comes through and spoils nothing', () => {
  const context = store.run('then', captureContext);
  const boom = new Error('boom');
  const fail = (error: Error) => {
    throw error;
  };
  store.run('now', () => {
    expect(() => callIn(context, fail, boom)).toThrow(boom);
    expect(store.getStore()).toBe('now');
    expect(callIn(context, look, '')).toBe('then');
  });
});

test('without a context the call is made in the present one', () => {
  store.run('now', () => expect(callIn(null, look, 'seen: ')).toBe('seen: now'));
});
