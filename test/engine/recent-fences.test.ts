import { expect, test } from 'vitest';
import { RecentFences } from '../../src/engine/recent-fences.ts';

test('the last fence of a slot is known', () => {
  const fences = new RecentFences();
  fences.keep('s', 3n);
  fences.keep('s', 4n);
  expect([fences.get('s'), fences.get('other')]).toEqual([4n, undefined]);
});

test('the fences of the 10,000 slots that left last are kept, also where one of them left before, and at most twice as many', () => {
  const fences = new RecentFences();
  const known = (name: string) => Array.from({ length: 10_000 }, (_, n) => fences.get(`${name}${n}`)).filter(Boolean);
  fences.keep('again', 1n);
  for (let n = 0; n < 10_000; n += 1) fences.keep(`a${n}`, 1n);
  fences.keep('again', 2n);
  for (let n = 0; n < 9_999; n += 1) fences.keep(`b${n}`, 1n);
  expect([fences.get('again'), known('b').length]).toEqual([2n, 9_999]);
  for (let n = 0; n < 10_000; n += 1) fences.keep(`c${n}`, 1n);
  expect([known('a').length, known('c').length]).toEqual([0, 10_000]);
});
