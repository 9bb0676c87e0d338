import { OptionError } from 'slotvisor';
import { type ConformanceOptions, type LeaseWorld, leaseConformance } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { memoryWorlds } from '../support/memory-world.ts';

const open = memoryWorlds();

describe('over a store in memory', () => {
  for (const { rule, name, run } of leaseConformance({ open })) test(`${rule}: ${name}`, run);
});

test('no two cases have the same name', () => {
  const names = leaseConformance({ open }).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('a store without news is spared the cases about them, and passes all others', async () => {
  const deaf = async (): Promise<LeaseWorld> => {
    const world = await open();
    return { ...world, store: () => Object.assign(world.store(), { listen: async () => () => {} }) };
  };
  const cases = leaseConformance({ open: deaf, listens: false });
  const left = leaseConformance({ open }).filter(({ rule }) => rule !== 'news');
  expect(cases.map(({ name }) => name)).toEqual(left.map(({ name }) => name));
  for (const { run } of cases) await run();
});

test('the sessions that expire have the ttl that was chosen', async () => {
  let nowMs = 0;
  const watched = async (): Promise<LeaseWorld> => {
    const world = await open();
    const close = async (): Promise<void> => {
      nowMs = world.clock?.now() ?? 0;
    };
    return { ...world, close };
  };
  const [one] = leaseConformance({ open: watched, ttlMs: 5_000 }).filter(({ name }) => /beyond its ttl/.test(name));
  await one?.run();
  expect(nowMs).toBe(15_000);
});

describe('a world is closed once', () => {
  const closing = (end: () => Promise<void>, faulty: Partial<LeaseWorld> = {}) => {
    const closed: true[] = [];
    const close = (): Promise<void> => {
      closed.push(true);
      return end();
    };
    const [one] = leaseConformance({ open: async () => ({ ...(await open()), ...faulty, close }) });
    return { closed, run: () => one?.run() };
  };
  const isEmpty = async (): Promise<boolean> => false;
  const fail = (): Promise<void> => Promise.reject(new Error('the tables cannot be dropped'));

  test('after a case that has passed, which fails if the close does', async () => {
    const sound = closing(async () => {});
    await sound.run();
    expect(sound.closed).toHaveLength(1);
    const unsound = closing(fail);
    await expect(unsound.run()).rejects.toThrow('the tables cannot be dropped');
    expect(unsound.closed).toHaveLength(1);
  });

  test('after a case that has failed, which keeps its error', async () => {
    const failed = closing(fail, { isEmpty });
    await expect(failed.run()).rejects.toThrow('the store is not empty');
    expect(failed.closed).toHaveLength(1);
  });
});

test.for<[string, unknown, string]>([
  ['no options', undefined, 'options must be an object'],
  ['no open', {}, 'open must be a function'],
  ['an open that is no function', { open: 'memory' }, 'open must be a function'],
  ['a listens that is neither true nor false', { open, listens: 1 }, 'listens must be true or false, got 1'],
  ['a ttl that is too short', { open, ttlMs: 999 }, 'ttlMs must be a number from 1000 to 60000'],
  ['an unknown option', { open, ttl: 1_000 }, 'ttl is not'],
])('%s is refused', ([, options, text]) => {
  const make = () => leaseConformance(options as ConformanceOptions);
  expect(make).toThrow(OptionError);
  expect(make).toThrow(text);
});
