import { expect, test } from 'vitest';
import { ATTEMPT_BUCKETS } from '../../src/model/buckets.ts';

test('the bounds rise, from a few milliseconds to half an hour', () => {
  expect([...ATTEMPT_BUCKETS].sort((a, b) => a - b)).toEqual(ATTEMPT_BUCKETS);
  expect([ATTEMPT_BUCKETS[0], ATTEMPT_BUCKETS.at(-1)]).toEqual([0.005, 30 * 60]);
});
