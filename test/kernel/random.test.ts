import { afterEach, expect, test, vi } from 'vitest';
import { systemRandom } from '../../src/kernel/random.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('systemRandom returns a new number of Math.random for each call', () => {
  const drawn = [0, 0.25, 0.999];
  vi.spyOn(Math, 'random').mockImplementation(() => drawn.shift() ?? Number.NaN);
  expect([systemRandom(), systemRandom(), systemRandom()]).toEqual([0, 0.25, 0.999]);
});
