import { describe, expect, test } from 'vitest';
import { differs, median, ratio, spread } from './figures.ts';

const rounds = (...figures: number[]): Map<number, number> => new Map(figures.entries());

describe('a median', () => {
  test('is the middle value, or the mean of the two in the middle', () => {
    expect(median([9, 1, 2]).at).toBe(2);
    expect(median([9, 1, 2, 4]).at).toBe(3);
    expect(median([5])).toEqual({ at: 5, from: 5, to: 5 });
  });

  test('of seven values lies anywhere in their range, of many in a part of it', () => {
    expect(median([1, 2, 3, 4, 5, 6, 7])).toEqual({ at: 4, from: 1, to: 7 });
    expect(median(Array.from({ length: 101 }, (_, n) => n))).toEqual({ at: 50, from: 40, to: 60 });
  });
});

describe('a ratio', () => {
  test('is taken within each round, so that a slow round does not count twice', () => {
    expect(ratio(rounds(2, 20, 4), rounds(1, 10, 2))).toEqual({ at: 2, from: 2, to: 2 });
  });

  test('leaves out the rounds in which one of the two took no part', () => {
    const slow = new Map([[0, 30]]);
    expect(ratio(slow, rounds(10, 1, 1)).at).toBe(3);
  });
});

describe('the spread of the control', () => {
  test('is the distance of the farther end of its interval from 1, where half is as far as twice', () => {
    expect(spread({ at: 1, from: 0.99, to: 1.2 })).toBeCloseTo(0.2);
    expect(spread({ at: 1, from: 0.5, to: 1.2 })).toBe(1);
    expect(spread({ at: 1.1, from: 1.05, to: 1.15 })).toBeCloseTo(0.15);
  });

  test('decides whether a difference is one', () => {
    expect(differs(0.96, 0.05)).toBe(false);
    expect(differs(1.04, 0.05)).toBe(false);
    expect(differs(0.9, 0.05)).toBe(true);
    expect(differs(1.1, 0.05)).toBe(true);
    expect(differs(0.01, 5)).toBe(true);
  });
});
