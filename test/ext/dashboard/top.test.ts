import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Top } from '../../../src/ext/dashboard/top.ts';

const ascending = (one: number, other: number): number => one - other;

describe('the first of many', () => {
  it('are those of the sorted list, whatever comes in which order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 300 }), { maxLength: 200, size: 'max' }),
        fc.integer({ min: 1, max: 30 }),
        (items, size) => {
          const top = new Top(size, ascending);
          for (const item of items) top.add(item);
          expect(top.sorted()).toEqual([...items].sort(ascending).slice(0, size));
        },
      ),
    );
  });

  it('are fewer than asked for where there are fewer', () => {
    const top = new Top(3, ascending);
    expect(top.sorted()).toEqual([]);
    top.add(2);
    top.add(1);
    expect(top.sorted()).toEqual([1, 2]);
  });

  it('are compared with few others: most of a long list is left out by one look', () => {
    let compared = 0;
    const top = new Top(10, (one: number, other: number) => {
      compared += 1;
      return one - other;
    });
    for (let i = 0; i < 10_000; i += 1) top.add(i);
    expect(compared).toBeLessThan(11_000);
  });
});
