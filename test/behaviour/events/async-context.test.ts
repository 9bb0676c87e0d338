// The async context in which subscribers are called.

import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import type { Subscriber, TaskEvent } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { setup } from '../../support/setup.ts';

const store = new AsyncLocalStorage<string>();

/** Submits one task in each of these contexts, and lets them end. */
async function submitIn(world: ReturnType<typeof setup>, contexts: readonly string[]): Promise<void> {
  for (const name of contexts) {
    const run = (ctx: { sleep(ms: number): Promise<void> }) => ctx.sleep(10);
    store.run(name, () => world.supervisor.submit({ slot: name, run }));
  }
  await world.clock.advance(100);
  await world.clock.settle();
}

describe('a subscriber is called in the async context in which it was subscribed', () => {
  const seenBy = (onEvent: (see: (event: TaskEvent) => void) => Subscriber['onEvent']) => {
    const world = setup();
    const seen = new Map<string, number>();
    const see = (event: TaskEvent): void => {
      if (event.type.startsWith('shutdown')) return;
      const key = `${event.type} in ${store.getStore()}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    };
    store.run('logger', () => world.supervisor.subscribe(onEvent(see)));
    return { world, seen };
  };
  const all = (count: number) =>
    new Map(
      ['submitted', 'started', 'attemptStarted', 'attemptSucceeded', 'finished'].map((type) => [
        `${type} in logger`,
        count,
      ]),
    );

  test('whichever request its events come from', async () => {
    const { world, seen } = seenBy((see) => see);
    await submitIn(world, ['request 1', 'request 2', 'request 3']);
    expect(seen).toEqual(all(3));
  });

  test('also after it has returned a promise, which settles in another context', async () => {
    const { world, seen } = seenBy((see) => (event) => {
      see(event);
      return store.run('elsewhere', () => turn());
    });
    await submitIn(world, ['request 1', 'request 2']);
    await world.supervisor.shutdown();
    expect(seen).toEqual(all(2));
  });

  test('also after a promise that rejects, and after a throw', async () => {
    const { world, seen } = seenBy((see) => (event) => {
      see(event);
      if (event.type === 'started') throw new Error('boom');
      return store.run('elsewhere', () => turn().then(() => Promise.reject(new Error('boom'))));
    });
    await submitIn(world, ['request 1', 'request 2']);
    await world.supervisor.shutdown();
    expect(seen).toEqual(all(2));
  });

  test('also over many turns of the event loop', async () => {
    const { world, seen } = seenBy((see) => see);
    await submitIn(
      world,
      Array.from({ length: 300 }, (_, n) => `request ${n}`),
    );
    expect(seen).toEqual(all(300));
  });

  test('also where another subscriber has failed', async () => {
    const { world, seen } = seenBy((see) => see);
    store.run('other', () =>
      world.supervisor.subscribe(({ type }) => {
        if (type === 'finished') throw new Error('boom');
      }),
    );
    await submitIn(world, ['request']);
    expect(seen.get('subscriberFailed in logger')).toBe(1);
  });

  test('and so is a consumer of events()', async () => {
    const world = setup();
    const seen: unknown[] = [];
    const consumed = store.run('logger', async () => {
      for await (const { type } of world.supervisor.events({ types: ['started', 'finished'] }))
        seen.push([type, store.getStore()]);
    });
    await submitIn(world, ['request 1', 'request 2']);
    await world.supervisor.shutdown();
    await consumed;
    expect(seen).toEqual(['started', 'started', 'finished', 'finished'].map((type) => [type, 'logger']));
  });
});

test('a subscriber leaves the async context of bodies alone', async () => {
  const { supervisor, clock } = setup();
  store.run('logger', () => supervisor.subscribe(() => void store.enterWith('entered')));
  const seen: unknown[] = [];
  const run = async (ctx: { sleep(ms: number): Promise<void> }) => {
    seen.push(store.getStore());
    await ctx.sleep(1);
    seen.push(store.getStore());
  };
  for (const name of ['request 1', 'request 2']) store.run(name, () => supervisor.submit({ run }));
  await clock.advance(10);
  expect(seen).toEqual(['request 1', 'request 2', 'request 1', 'request 2']);
});
