import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Latest } from '../../../src/ext/dashboard/latest.ts';

test('the keys that were used last are kept, whatever is used in which order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(8), { maxLength: 60 }), (max, uses) => {
      const latest = new Latest<{ readonly key: string }>(max);
      let expected: string[] = [];
      for (const key of uses.map(String)) {
        const known = latest.get(key);
        const value = latest.use(key, () => ({ key }));
        expect(known ?? value).toBe(value);
        expected = [key, ...expected.filter((one) => one !== key)].slice(0, max);
        expect(Array.from(latest.values(), (one) => one.key)).toEqual(expected);
        expect(latest.get(key)).toBe(value);
      }
    }),
  );
});

test('the cost of a use does not depend on the others: a key that is kept is never deleted', () => {
  const latest = new Latest<object>(10);
  for (let n = 0; n < 10; n += 1) latest.use(`${n}`, () => ({}));
  const { delete: original } = Map.prototype;
  let deletions = 0;
  Map.prototype.delete = function (key) {
    deletions += 1;
    return original.call(this, key);
  };
  for (let n = 0; n < 100; n += 1) latest.use(`${n % 2}`, () => ({}));
  Map.prototype.delete = original;
  expect(deletions).toBe(0);
});
