import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { deferred } from '../../src/kernel/deferred.ts';
import { KeyedLock } from '../../src/kernel/lock.ts';

test('sections of one key never overlap, and run in the order of the calls', async () => {
  const lock = new KeyedLock();
  const log: string[] = [];
  const gates = [deferred<void>(), deferred<void>(), deferred<void>()];
  const runs = gates.map((gate, n) =>
    lock.run('a', async () => {
      log.push(`in ${n}`);
      await gate.promise;
      log.push(`out ${n}`);
      return n;
    }),
  );
  for (const at of [2, 1, 0]) {
    await turn();
    expect(log).toEqual(['in 0']);
    gates[at]?.resolve();
  }
  expect(await Promise.all(runs)).toEqual([0, 1, 2]);
  expect(log).toEqual(['in 0', 'out 0', 'in 1', 'out 1', 'in 2', 'out 2']);
});

test('sections of different keys do not wait for each other, whatever the keys are', async () => {
  const lock = new KeyedLock();
  void lock.run('__proto__', () => new Promise(() => {}));
  for (const key of ['constructor', '', 'toString'])
    expect(await lock.run(key, () => `through ${key}`)).toBe(`through ${key}`);
  expect(lock.isBusy('__proto__')).toBe(true);
});

test('the error of a section that throws or rejects reaches its caller, and the next section runs', async () => {
  const lock = new KeyedLock();
  const boom = new Error('boom');
  const thrown = lock.run('a', () => {
    throw boom;
  });
  const rejected = lock.run('a', () => Promise.reject(boom));
  const fine = lock.run('a', () => 'fine');
  await expect(thrown).rejects.toBe(boom);
  await expect(rejected).rejects.toBe(boom);
  expect(await fine).toBe('fine');
});

test('a key is busy from the call on, and takes no memory once its last section has ended', async () => {
  const lock = new KeyedLock();
  const gate = deferred<void>();
  expect([lock.isBusy('a'), lock.size]).toEqual([false, 0]);
  const first = lock.run('a', () => gate.promise);
  const second = lock.run('a', () => {});
  expect([lock.isBusy('a'), lock.isBusy('b'), lock.size]).toEqual([true, false, 1]);
  gate.resolve();
  await first;
  expect(lock.isBusy('a')).toBe(true);
  await second;
  expect([lock.isBusy('a'), lock.size]).toEqual([false, 0]);
});
