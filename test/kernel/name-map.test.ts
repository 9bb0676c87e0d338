import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { NameMap } from '../../src/kernel/name-map.ts';

test('a name map holds the same values as a Map, whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(150), { maxLength: 600 }), (names) => {
      const [map, expected] = [new NameMap<{ name: string }>(), new Map<string, { name: string }>()];
      for (const name of names.map(String)) {
        if (expected.delete(name)) map.delete(name);
        else {
          const value = { name };
          map.add(name, value);
          expected.set(name, value);
        }
        expect([map.size, map.get(name)]).toEqual([expected.size, expected.get(name)]);
      }
      expect(new Set(map.values())).toEqual(new Set(expected.values()));
      for (let n = 0; n <= 150; n += 1) expect(map.get(`${n}`)).toBe(expected.get(`${n}`));
    }),
    { numRuns: 50 },
  );
});

/** Adds and deletes each name in turn. Returns how many keys were deleted, and are left. */
function rounds(count: number, names: readonly string[]): { deleted: number; left: number } {
  const map = new NameMap<object>();
  const deletes = vi.spyOn(Map.prototype, 'delete');
  const sets = vi.spyOn(Map.prototype, 'set');
  for (let n = 0; n < count; n += 1)
    for (const name of names) {
      map.add(name, {});
      map.delete(name);
    }
  const keys = sets.mock.contexts[0] as Map<string, unknown>;
  const deleted = deletes.mock.calls.length;
  vi.restoreAllMocks();
  return { deleted, left: keys.size };
}
const namesOf = (count: number): string[] => Array.from({ length: count }, (_, n) => `s${n}`);

test('up to 64 names that come and go keep their keys', () => {
  expect(rounds(100, namesOf(64))).toEqual({ deleted: 0, left: 64 });
});

test('of more names than that the last 64 that went keep their keys, so the memory is bounded', () => {
  expect(rounds(1, namesOf(10_000))).toEqual({ deleted: 9_936, left: 64 });
});

test('a name that has come back is not forgotten with those that went when it did', () => {
  const map = new NameMap<object>();
  const back = {};
  map.add('back', {});
  map.delete('back');
  map.add('back', back);
  for (const name of namesOf(100)) {
    map.add(name, {});
    map.delete(name);
  }
  expect([map.get('back'), map.size, [...map.values()]]).toEqual([back, 1, [back]]);
});

test('a loop over the values sees each that stays once, also where others come and go meanwhile', () => {
  const map = new NameMap<{ name: string }>();
  for (const name of namesOf(200)) map.add(name, { name });
  const seen: string[] = [];
  for (const { name } of map.values()) {
    seen.push(name);
    map.delete(name);
    if (seen.length < 100) map.add(name, { name });
  }
  expect(seen).toEqual(namesOf(200));
});

test('a loop over the values skips those that leave before their turn', () => {
  const map = new NameMap<{ name: string }>();
  for (const name of namesOf(5)) map.add(name, { name });
  const values = map.values();
  for (const name of ['s0', 's2', 's4']) map.delete(name);
  expect([...values]).toEqual([{ name: 's1' }, { name: 's3' }]);
});

test('what comes during a loop comes after all that stay, also under a name that has left before', () => {
  const map = new NameMap<{ name: string }>();
  for (const name of namesOf(70)) map.add(name, { name });
  for (const name of namesOf(10)) map.delete(name);
  const values = map.values();
  for (const name of namesOf(10)) map.add(name, { name });
  const seen = Array.from({ length: 60 }, () => (values.next().value as { name: string }).name);
  expect(seen).toEqual(namesOf(70).slice(10));
});
