import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SequenceMap } from '../../src/kernel/sequence-map.ts';

test('it holds what a map would hold, whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(999), { maxLength: 400 }), (leaving) => {
      const [map, expected] = [new SequenceMap<{ key: number }>(), new Map<number, { key: number }>()];
      let key = 0;
      for (const one of leaving) {
        for (let n = 0; n < 3; n += 1) {
          key += 1;
          map.set(key, { key });
          expected.set(key, { key });
        }
        map.delete(one);
        expected.delete(one);
      }
      expect([...map.values()]).toEqual([...expected.values()]);
      expect(map.size).toBe(expected.size);
      for (let n = 0; n <= key + 1; n += 1) expect(map.get(n)).toEqual(expected.get(n));
    }),
    { numRuns: 50 },
  );
});

test('deleting twice, or what never was, changes nothing', () => {
  const map = new SequenceMap<object>();
  map.set(1, {});
  map.set(2, {});
  for (const key of [1, 1, 3, 1_000]) map.delete(key);
  expect(map.size).toBe(1);
});

test('keys beyond 32 bits are keys like any other', () => {
  const map = new SequenceMap<{ key: number }>();
  for (const key of [2 ** 32, 2 ** 32 + 1, 2 ** 40]) map.set(key, { key });
  expect(map.get(0)).toBeUndefined();
  map.delete(2 ** 32 + 1);
  expect([...map.values()]).toEqual([{ key: 2 ** 32 }, { key: 2 ** 40 }]);
});

test('a page that is emptied and used again keeps count', () => {
  const map = new SequenceMap<object>();
  map.set(1, {});
  map.delete(1);
  map.set(2, {});
  expect([map.size, map.get(1), [...map.values()].length]).toEqual([1, undefined, 1]);
});
