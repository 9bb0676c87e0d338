import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
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
  for (const key of [200, 2 ** 32, 2 ** 32 + 1, 2 ** 40]) map.set(key, { key });
  expect(map.get(0)).toBeUndefined();
  map.delete(2 ** 32 + 1);
  expect([...map.values()]).toEqual([{ key: 200 }, { key: 2 ** 32 }, { key: 2 ** 40 }]);
});

test('the size is right after a page was emptied and used again', () => {
  const map = new SequenceMap<object>();
  map.set(1, {});
  map.delete(1);
  map.set(2, {});
  expect([map.size, map.get(1), [...map.values()].length]).toEqual([1, undefined, 1]);
});

test('the values come in the order of the keys, also where a key comes late', () => {
  const map = new SequenceMap<{ key: number }>();
  for (const key of [128, 127, 129]) map.set(key, { key });
  expect([...map.values()].map(({ key }) => key)).toEqual([127, 128, 129]);
});

test('a loop over the values goes on where the entries before and behind it are deleted', () => {
  const map = new SequenceMap<{ key: number }>();
  for (let key = 1; key <= 400; key += 1) map.set(key, { key });
  const seen: number[] = [];
  for (const { key } of map.values()) {
    seen.push(key);
    if (key === 1) for (let one = 1; one <= 300; one += 1) map.delete(one);
  }
  expect(seen).toEqual([1, ...Array.from({ length: 100 }, (_, n) => 301 + n)]);
});

test('an empty page is freed, but for the page of the entry that was set last', () => {
  const sets = vi.spyOn(Map.prototype, 'set');
  const map = new SequenceMap<object>();
  const pages = () => (sets.mock.contexts[0] as Map<number, unknown>).size;
  map.set(1, {});
  const counts = [pages()];
  map.delete(1);
  counts.push(pages());
  for (const key of [128, 255, 256]) map.set(key, {});
  counts.push(pages());
  for (const key of [128, 255]) {
    map.delete(key);
    counts.push(pages());
  }
  vi.restoreAllMocks();
  expect(counts).toEqual([1, 1, 2, 2, 1]);
});
