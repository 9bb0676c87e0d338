import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Shared } from '../../../src/ext/cron/shared.ts';

test('equal keys share one object, however many other keys are in use', () => {
  const shared = new Shared<object>();
  const inUse = Array.from({ length: 1_000 }, (_, i) => shared.get(`${i}`, () => ({ i })));
  expect(new Set(inUse).size).toBe(1_000);
  for (const [i, one] of inUse.entries()) {
    const again = shared.get(`${i}`, () => {
      throw new Error('made twice');
    });
    expect(again).toBe(one);
  }
});

test('an object that is not used any more is collected, and its key is forgotten', async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const shared = new Shared<object>();
  const used = shared.get('used', () => ({}));
  const make = () => void shared.get('unused', () => ({}));
  make();
  expect(shared.size).toBe(2);
  for (let i = 0; i < 100 && shared.size > 1; i += 1) {
    await turn();
    gc();
  }
  expect(shared.size).toBe(1);
  expect(shared.get('used', () => ({}))).toBe(used);
});
