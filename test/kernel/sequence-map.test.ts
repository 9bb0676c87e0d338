import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SequenceMap } from '../../src/kernel/sequence-map.ts';

test('a sequence map holds the same entries as a Map, whatever is set and deleted', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(999), { maxLength: 400 }), (deleted) => {
      const [map, expected] = [new SequenceMap<{ key: number }>(), new Map<number, { key: number }>()];
      let key = 0;
      for (const one of deleted) {
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

test('deleting a key twice, or a key that was never set, changes nothing', () => {
  const map = new SequenceMap<object>();
  map.set(1, {});
  map.set(2, {});
  for (const key of [1, 1, 3, 1_000]) map.delete(key);
  expect(map.size).toBe(1);
});

test('keys of more than 32 bits work like any other key', () => {
  const map = new SequenceMap<{ key: number }>();
  for (const key of [2 ** 32, 2 ** 32 + 1, 2 ** 40]) map.set(key, { key });
  expect(map.get(0)).toBeUndefined();
  map.delete(2 ** 32 + 1);
  expect([...map.values()]).toEqual([{ key: 2 ** 32 }, { key: 2 ** 40 }]);
});

test('the size is right after a page was emptied and used again', () => {
  const map = new SequenceMap<object>();
  map.set(1, {});
  map.delete(1);
  map.set(2, {});
  expect([map.size, map.get(1), [...map.values()].length]).toEqual([1, undefined, 1]);
});
