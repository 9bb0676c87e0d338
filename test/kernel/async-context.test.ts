import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { AsyncContext } from '../../src/kernel/async-context.ts';

const store = new AsyncLocalStorage<string>();
const look = (prefix: string) => `${prefix}${store.getStore()}`;
const made = () => store.run('then', () => new AsyncContext());

test('a call sees the stores of where the context was made, and the caller keeps its own', () => {
  const context = made();
  store.run('now', () => {
    expect(context.callIn(look, 'seen: ')).toBe('seen: then');
    expect(store.getStore()).toBe('now');
  });
});

test('what the call leaves behind goes on in that context', async () => {
  const context = made();
  const look = async () => {
    await turn();
    return store.getStore();
  };
  expect(await store.run('now', () => context.callIn(look, undefined))).toBe('then');
});

test('a context serves many calls, and a throw in one comes through and spoils nothing', () => {
  const context = made();
  const boom = new Error('boom');
  const fail = (error: Error) => {
    throw error;
  };
  store.run('now', () => {
    expect(() => context.callIn(fail, boom)).toThrow(boom);
    expect(store.getStore()).toBe('now');
    expect(context.callIn(look, '')).toBe('then');
  });
});

test('what extends it carries the context of its maker', () => {
  class Order extends AsyncContext {
    readonly number = 7;
  }
  const order = store.run('then', () => new Order());
  store.run('now', () => expect(order.callIn(look, `${order.number}: `)).toBe('7: then'));
});
