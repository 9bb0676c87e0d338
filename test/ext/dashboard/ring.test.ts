import { expect, test } from 'vitest';
import { Ring } from '../../../src/ext/dashboard/ring.ts';

function ringOf(size: number, count: number): Ring<number> {
  const ring = new Ring<number>(size);
  for (let i = 1; i <= count; i += 1) ring.push(i);
  return ring;
}

test.each([
  { size: 3, count: 0, kept: [], oldest: undefined, lastOut: undefined },
  { size: 3, count: 2, kept: [2, 1], oldest: 1, lastOut: undefined },
  { size: 3, count: 3, kept: [3, 2, 1], oldest: 1, lastOut: undefined },
  { size: 3, count: 4, kept: [4, 3, 2], oldest: 2, lastOut: 1 },
  { size: 3, count: 8, kept: [8, 7, 6], oldest: 6, lastOut: 5 },
  { size: 1, count: 5, kept: [5], oldest: 5, lastOut: 4 },
])('a ring of $size keeps the newest of $count, and knows which had to go last', ({ size, count, kept, ...ends }) => {
  const ring = ringOf(size, count);
  expect([...ring.newestFirst()]).toEqual(kept);
  expect({ oldest: ring.oldest, lastOut: ring.lastOut }).toEqual(ends);
});
