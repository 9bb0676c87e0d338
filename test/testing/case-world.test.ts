import type { LeaseStore } from 'slotvisor/fleet';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CaseSession, CaseWorld, claim, expectSame } from '../../src/testing/case-world.ts';
import { memoryWorlds } from '../support/memory-world.ts';

const TTL_MS = 1_000;
const memoryCase = async (): Promise<CaseWorld> => new CaseWorld(await memoryWorlds()(), TTL_MS);

test('a claim that is not true is an error with its text, and a difference names both values', () => {
  claim(true, 'not read');
  expect(() => claim(false, 'a slot has one holder')).toThrow('a slot has one holder');
  expectSame('the holdings', new Map([['s', 1n]]), new Map([['s', 1n]]));
  expect(() => expectSame('the fence', 2n, 1n)).toThrow('the fence must be 1n, got 2n');
});

describe('on a virtual clock', () => {
  test('time passes only while a case waits, and a promise that settles later is waited for', async () => {
    const world = await memoryCase();
    const order: string[] = [];
    const slept = world.sleep(300).then(() => order.push('slept'));
    await world.pass(200);
    order.push('passed');
    await world.settled('a sleep ends', slept);
    expect(order).toEqual(['passed', 'slept']);
    expect(world.world.clock?.now()).toBe(300);
  });

  test('a check that never is true fails after 60 ttls, with its name and the limit', async () => {
    const world = await memoryCase();
    await expect(world.until('the slot is free', () => false)).rejects.toThrow(
      'the slot is free: not so within 60000 ms',
    );
    await expect(world.settled('a call settles', new Promise(() => {}))).rejects.toThrow('a call settles: not so');
  });

  test('a promise that rejects rejects the wait for it', async () => {
    const world = await memoryCase();
    await expect(world.settled('a call settles', Promise.reject(new Error('no answer')))).rejects.toThrow('no answer');
  });
});

describe('in real time', () => {
  afterEach(() => void vi.useRealTimers());

  test('time passes by itself', async () => {
    vi.useFakeTimers();
    const world = new CaseWorld({ ...(await memoryWorlds()()), clock: undefined }, TTL_MS);
    let isOver = false;
    const slept = world.sleep(50).then(() => {
      isOver = true;
    });
    const waited = world.until('the sleep is over', () => isOver).then(() => world.pass(100));
    await vi.advanceTimersByTimeAsync(49);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    await Promise.all([slept, waited]);
  });

  test('a check that never is true fails after 60 ttls', async () => {
    vi.useFakeTimers();
    const world = new CaseWorld({ ...(await memoryWorlds()()), clock: undefined }, TTL_MS);
    const failed = expect(world.until('the slot is free', () => false)).rejects.toThrow('not so within 60000 ms');
    await vi.advanceTimersByTimeAsync(60 * TTL_MS + 100);
    await failed;
  });
});

describe('the end of a case', () => {
  test('ends its sessions, and then nothing may be stored', async () => {
    const world = await memoryCase();
    await (await world.session()).take('s');
    await world.expectEmpty();
    const { store } = await world.session();
    await store.open('a session that the case does not know', 'stranger', TTL_MS);
    await expect(world.expectEmpty()).rejects.toThrow('all sessions have ended, and the store is not empty');
  });

  test('closes each store once, then the world', async () => {
    const order: string[] = [];
    const inner = await memoryWorlds()();
    const store = (): LeaseStore => {
      const made = inner.store();
      made.close = async () => void order.push('store');
      return made;
    };
    const world = new CaseWorld({ ...inner, store, close: async () => void order.push('world') }, TTL_MS);
    await world.sessions(2);
    world.store();
    await world.close();
    expect(order).toEqual(['store', 'store', 'store', 'world']);
  });
});

describe('a session of a case says what a store did that it must not do', () => {
  const sessionOver = async (faulty: Partial<LeaseStore>): Promise<CaseSession> => {
    const store = Object.assign((await memoryWorlds()()).store(), faulty);
    const session = new CaseSession(store);
    await session.open(TTL_MS);
    return session;
  };

  test('by its answers to acquire', async () => {
    const busy = await sessionOver({ acquire: async () => ({ state: 'busy' }) });
    await expect(busy.take('s')).rejects.toThrow("acquire with 'wait' must be granted, got { state: 'busy' }");
    await expect(busy.wait('s', 1n, 'urgent')).rejects.toThrow("the answer to acquire with 'urgent' must be");
    const contended = await sessionOver({ acquire: async () => ({ state: 'granted', fence: 1n, contended: true }) });
    await expect(contended.take('s')).rejects.toThrow('contended: false');
    const text = await sessionOver({
      acquire: async () => ({ state: 'granted', fence: '1' as never, contended: false }),
    });
    await expect(text.take('s')).rejects.toThrow("a fence must be a bigint, got '1'");
  });

  test('by its beats and its holdings', async () => {
    const dead = await sessionOver({ beat: async () => null });
    await expect(dead.pulse()).rejects.toThrow('the beat of a session that has not expired must not be null');
    await expect(dead.mustHold('s', 'the owner')).rejects.toThrow('the owner must hold the slot');
    await dead.take('s');
    await expect(dead.mustNotHold('s', 'the other')).rejects.toThrow('the other must not hold the slot');
  });
});
