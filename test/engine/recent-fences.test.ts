import { expect, test } from 'vitest';
import { RecentFences } from '../../src/engine/recent-fences.ts';

test('a fence is kept until it is taken', () => {
  const fences = new RecentFences();
  fences.keep('s', 3n);
  expect([fences.take('s'), fences.take('s'), fences.take('other')]).toEqual([3n, undefined, undefined]);
});

test('the fences of the 10,000 slots that left last are kept', () => {
  const fences = new RecentFences();
  for (let n = 0; n < 10_000; n += 1) fences.keep(`s${n}`, 1n);
  fences.keep('s0', fences.take('s0') as bigint); // leaves again, so it is the last
  fences.keep('one more', 1n);
  expect([fences.take('s0'), fences.take('s1'), fences.take('s2')]).toEqual([1n, undefined, 1n]);
});
