import { SpecError } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { readOptions } from '../../src/ext/options.ts';

const refused = (field: string, message: RegExp): unknown =>
  expect.objectContaining({ name: 'SpecError', field, message: expect.stringMatching(message) });

describe('the options of a door', () => {
  test('are the own fields, each read once; what is undefined is absent', () => {
    let reads = 0;
    const given = Object.create(
      { inherited: 1 },
      {
        counted: {
          enumerable: true,
          get: () => {
            reads += 1;
            return reads;
          },
        },
        absent: { enumerable: true, value: undefined },
      },
    );
    const options = readOptions('options', given, ['counted', 'absent']);
    expect([options.counted, options.counted, reads]).toEqual([1, 1, 1]);
    expect(Object.keys(options)).toEqual(['counted']);
  });

  test('have any name where none is known', () => {
    const env = readOptions('env', JSON.parse('{ "A": "1", "__proto__": "2" }'));
    expect(Object.entries(env)).toEqual([
      ['A', '1'],
      ['__proto__', '2'],
    ]);
  });

  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  const throwing = {
    get near(): never {
      throw new Error('not today');
    },
  };
  const rows: readonly [what: string, field: string, value: unknown, blamed: string, message: RegExp][] = [
    ['nothing', 'options', undefined, 'options', /^options must be an object, got undefined$/],
    ['an array', 'options', [], 'options', /^options must be an object, got an array$/],
    ['a function', 'limits', () => {}, 'limits', /^limits must be an object, got a function$/],
    ['a revoked proxy', 'options', revoked, 'options', /^options must be readable, got .*revoked/],
    ['a getter that throws', 'options', throwing, 'near', /^near must be readable, got .*not today$/],
    ['the same further in', 'limits', throwing, 'limits.near', /^limits.near must be readable/],
    ['a slip', 'options', { naer: 1 }, 'naer', /^naer is not an option \(did you mean near\?\), got 1$/],
    ['a slip further in', 'limits', { naer: 1 }, 'limits.naer', /^limits.naer .*did you mean near\?/],
    ['something else', 'options', { elsewhere: 1 }, 'elsewhere', /\(known: near, far\)/],
  ];
  for (const [what, field, value, blamed, message] of rows)
    test(`are refused by name: ${what} as ${field}`, () => {
      const read = (): unknown => readOptions(field, value, ['near', 'far']);
      expect(read).toThrow(SpecError);
      expect(read).toThrow(refused(blamed, message) as Error);
    });
});
