import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { DEFAULT_BACKOFF, parseBackoff } from '../../src/model/backoff.ts';

const DEFAULTS = { firstMs: 200, factor: 2, maxMs: 30_000, floorMs: 0, jitter: 'equal' };

describe('parseBackoff', () => {
  const rows: readonly [name: string, given: object, expected: object][] = [
    ['returns the defaults if no option is given', {}, DEFAULTS],
    [
      'treats an option given as undefined as absent',
      { firstMs: undefined, factor: undefined, maxMs: undefined, floorMs: undefined, jitter: undefined },
      DEFAULTS,
    ],
    [
      'raises the default maxMs to a greater firstMs',
      { firstMs: 60_000 },
      { ...DEFAULTS, firstMs: 60_000, maxMs: 60_000 },
    ],
    ['lowers the default firstMs to a smaller maxMs', { maxMs: 50 }, { ...DEFAULTS, firstMs: 50, maxMs: 50 }],
    [
      'keeps every given option',
      { firstMs: 0, factor: 1, maxMs: Infinity, floorMs: 7.5, jitter: 'band' },
      { firstMs: 0, factor: 1, maxMs: Infinity, floorMs: 7.5, jitter: 'band' },
    ],
    ['turns -0 into 0', { firstMs: -0 }, { ...DEFAULTS, firstMs: 0 }],
  ];
  for (const [name, given, expected] of rows)
    test(name, () => expect(parseBackoff('backoff', given)).toStrictEqual(expected));

  test('returns a copy, so a later change of the options has no effect', () => {
    const given = { firstMs: 10 };
    const parsed = parseBackoff('backoff', given);
    given.firstMs = 99;
    expect(parsed.firstMs).toBe(10);
    expect(DEFAULT_BACKOFF).toStrictEqual(DEFAULTS);
  });
});

describe('parseBackoff refuses', () => {
  const rows: readonly [field: string, given: unknown, rule: string][] = [
    ['b', null, 'an object'],
    ['b', [], 'an object'],
    ['b.firstMs', { firstMs: -1 }, '0 or more'],
    ['b.firstMs', { firstMs: Infinity }, 'finite'],
    ['b.firstMs', { firstMs: Number.NaN }, '0 or more'],
    ['b.firstMs', { firstMs: '200' }, '0 or more'],
    ['b.firstMs', { firstMs: 2, maxMs: 1 }, 'at most maxMs (1)'],
    ['b.floorMs', { floorMs: Infinity }, 'finite'],
    ['b.maxMs', { maxMs: -1 }, '0 or more'],
    ['b.factor', { factor: 0.5 }, '1 or more'],
    ['b.factor', { factor: Infinity }, 'finite'],
    ['b.factor', { factor: null }, 'finite'],
    ['b.jitter', { jitter: 'half' }, "'none', 'full', 'equal', 'band', 'decorrelated'"],
    ['b.firstMS', { firstMS: 1 }, 'did you mean firstMs?'],
    ['b.unheardOf', { unheardOf: undefined }, 'known: firstMs, factor, maxMs, floorMs, jitter'],
    ['b.toString', { toString: undefined }, 'is not an option'],
  ];
  for (const [field, given, rule] of rows)
    test(`${field} in ${inspect(given)}, and the error says: ${rule}`, () => {
      expect(() => parseBackoff('b', given)).toThrow(expect.objectContaining({ name: 'OptionError', field }));
      expect(() => parseBackoff('b', given)).toThrow(rule);
    });
});
