import { OptionError } from 'slotvisor';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/testing/seeded-random.ts';

const draw = (seed: number, n: number) => {
  const random = seededRandom(seed);
  return Array.from({ length: n }, random);
};

test('two random sources with the same seed give the same numbers, independently of each other', () => {
  const [one, other] = [seededRandom(7), seededRandom(7)];
  for (let n = 0; n < 100; n += 1) expect(one()).toBe(other());
});

test('different seeds give different random numbers', () => {
  const seeds = [...Array(1_000).keys(), -1, 0x7fff_ffff];
  expect(new Set(seeds.map((seed) => draw(seed, 3).join())).size).toBe(seeds.length);
});

test.for([0, 1, -1, 0.5, 42, 2 ** 31, 2 ** 32, -(2 ** 31), Number.MAX_SAFE_INTEGER, Number.NaN, Infinity])(
  'random numbers with seed %d lie in [0, 1), are spread evenly and do not repeat within 20,000 draws',
  (seed) => {
    const drawn = draw(seed, 20_000);
    expect(drawn.every((x) => x >= 0 && x < 1)).toBe(true);
    expect(new Set(drawn).size).toBe(drawn.length);
    const tenths = Array<number>(10).fill(0);
    for (const x of drawn) tenths[Math.floor(x * 10)] = (tenths[Math.floor(x * 10)] ?? 0) + 1;
    // Each tenth is expected to have 2,000. Six standard deviations are about 255.
    for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(255);
  },
);

test('the largest possible random number is below 1', () => {
  const drawn = seededRandom(3_596_054_039)(); // the seed whose first state has all 32 bits set
  expect(drawn).toBe((2 ** 32 - 1) / 2 ** 32);
});

test.for<unknown>([undefined, null, '7', 7n, Symbol('7'), {}, [7]])('a random source refuses the seed %o', (seed) => {
  const make = () => seededRandom(seed as number);
  expect(make).toThrow(OptionError);
  expect(make).toThrow(/^seed must be a number, got /);
});
