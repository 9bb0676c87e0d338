import { describe, expect, test, vi } from 'vitest';
import { count, durationMs } from '../../src/model/check.ts';
import { OptionError } from '../../src/model/error.ts';
import { parse, parseAll, parseGiven, type Readers, readFields, reading } from '../../src/model/options.ts';

const revoked = (target: object) => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};
const caught = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
};

interface Sample {
  readonly waitMs: number;
  readonly limit: number | undefined;
}

const READERS: Readers<Sample> = { waitMs: durationMs, limit: (field, value) => count(field, value, 0) };
const DEFAULTS: Sample = { waitMs: 5, limit: undefined };

describe('parse', () => {
  test('merges the given options over the defaults, and an option given as undefined is absent', () => {
    expect(parse('options', { limit: 3, waitMs: undefined }, READERS, DEFAULTS)).toStrictEqual({ waitMs: 5, limit: 3 });
    expect(DEFAULTS).toStrictEqual({ waitMs: 5, limit: undefined });
  });

  test('has a form without defaults, parseGiven, that returns only the given options', () => {
    expect(Object.entries(parseGiven('options', { limit: 3, waitMs: undefined }, READERS))).toEqual([['limit', 3]]);
  });

  test.for<readonly [field: string, name: string, value: unknown]>([
    ['waitMs', 'options', { waitMs: -1 }],
    ['gate.waitMs', 'gate', { waitMs: -1 }],
    ['gate.waitMS', 'gate', { waitMS: 1 }],
    ['gate', 'gate', null],
  ])('refuses an invalid value of %s', ([field, name, value]) => {
    expect(() => parse(name, value, READERS, DEFAULTS)).toThrow(
      expect.objectContaining({ name: 'OptionError', field }),
    );
  });

  test('turns an error of a reader into an OptionError about its option', () => {
    const readers = {
      near: () => {
        throw new Error('boom');
      },
    };
    expect(() => parse('options', { near: 1 }, readers, { near: undefined })).toThrow(
      /^near must be readable, got an error when it was read: boom$/,
    );
  });
});

test('parseAll returns every option, and refuses the first one that is absent by its path', () => {
  expect(parseAll('gate', { limit: 3, waitMs: 0 }, READERS)).toStrictEqual({ limit: 3, waitMs: 0 });
  for (const given of [{}, { limit: 3 }, { limit: 3, waitMs: undefined }])
    expect(() => parseAll('gate', given, READERS)).toThrow(/^gate\.waitMs must be given, got undefined$/);
});

describe('parseGiven', () => {
  const asIs = (_field: string, value: unknown) => value;
  const NAMES: Readers<{ near: unknown; far: unknown; last: unknown }> = { near: asIs, far: asIs, last: asIs };

  test('reads each own option once, in order, and skips options that are inherited, undefined or symbols', () => {
    let reads = 0;
    const given = Object.create({ far: 1 }) as Record<PropertyKey, unknown>;
    Object.defineProperty(given, 'near', { get: () => ++reads, enumerable: true });
    Object.assign(given, { far: undefined, last: null, [Symbol('s')]: 1 });
    const options = parseGiven('f', given, NAMES);
    expect(Object.entries(options)).toEqual([
      ['near', 1],
      ['last', null],
    ]);
    expect([options.near, options.near, reads]).toEqual([1, 1, 1]);
  });

  test('returns an object that inherits nothing, so that a polluted Object.prototype adds no option', () => {
    expect(Object.getPrototypeOf(parseGiven('f', { near: 1 }, NAMES))).toBeNull();
  });

  test('refuses an unknown option before any value is read', () => {
    const read = vi.fn();
    const given = Object.defineProperty({}, 'near', { get: read, enumerable: true });
    expect(() => parseGiven('f', Object.assign(given, { fr: 1 }), NAMES)).toThrow(/^f\.fr is not an option/);
    expect(read).not.toHaveBeenCalled();
  });

  test('reports the options object, not the option before it, as the value of an option whose getter throws', () => {
    const given = {
      near: 7,
      get far(): never {
        throw new Error('not readable');
      },
    };
    expect(() => parseGiven('f', given, NAMES)).toThrow(expect.objectContaining({ field: 'f.far', got: given }));
  });

  const throwing = {
    get near(): never {
      throw new Error('not readable');
    },
  };
  const TWO: Readers<{ near: unknown; far: unknown }> = { near: asIs, far: asIs };
  const rows: readonly [field: string, value: unknown, blamed: string, message: RegExp][] = [
    ['options', revoked({}), 'options', /^options must be readable, got .*revoked/],
    ['options', new Map([['near', 1]]), 'options', /^options must be an object, got an iterable object$/],
    ['options', throwing, 'near', /^near must be readable, got an error when it was read: not readable$/],
    ['limits', throwing, 'limits.near', /^limits\.near must be readable, got an error when it was read: not readable$/],
    ['options', { neAr: 1 }, 'neAr', /^neAr is not an option \(did you mean near\?\), got 1$/],
    ['limits', { Far: 1 }, 'limits.Far', /^limits\.Far is not an option \(did you mean far\?\), got 1$/],
    ['limits', { xy: 1 }, 'limits.xy', /^limits\.xy is not an option \(known: /],
    ['limits', { nar: undefined }, 'limits.nar', /^limits\.nar is not .*did you mean near\?\), got undefined$/],
    [
      'limits',
      { elsewhere: 1 },
      'limits.elsewhere',
      /^limits\.elsewhere is not an option \(known: near, far\), got 1$/,
    ],
  ];
  for (const [field, value, blamed, message] of rows)
    test(`throws an OptionError about ${blamed} with the message ${message.source}`, () => {
      const error = caught(() => parseGiven(field, value, TWO));
      expect(error).toBeInstanceOf(OptionError);
      expect(error).toMatchObject({ field: blamed, message: expect.stringMatching(message) });
    });
});

test('an unknown option of up to 40 characters gets the nearest name as a hint, a longer one does not', () => {
  const near = 'n'.repeat(39);
  const readers = { [near]: (_field: string, value: unknown) => value };
  expect(() => parseGiven('f', { [`${near}x`]: 1 }, readers)).toThrow(`did you mean ${near}?`);
  expect(() => parseGiven('f', { [`${near}xx`]: 1 }, readers)).toThrow('is not an option (known: ');
});

test('an option of a slot that is given elsewhere is refused with the places where it belongs', () => {
  for (const name of ['queueLimit', 'onFull'])
    expect(() => parseGiven('f', { [name]: 1 }, READERS)).toThrow(
      `f.${name} is not an option (a slot has it: set it in slots, in slotDefaults or with slot.configure), got 1`,
    );
});

describe('readFields', () => {
  test('keeps an undefined field whose name it is given', () => {
    const fields = readFields('f', { a: undefined, b: undefined }, ['b', 'c']);
    expect(Object.entries(fields)).toEqual([['b', undefined]]);
  });

  test('accepts every name, skips undefined, and does not inherit from Object.prototype', () => {
    const fields = readFields('env', Object.assign(JSON.parse('{ "A": "1", "__proto__": "2" }'), { B: undefined }));
    expect(Object.entries(fields)).toEqual([
      ['A', '1'],
      ['__proto__', '2'],
    ]);
    expect(fields.toString).toBeUndefined();
  });

  test('refuses a value that is not an object, and names a field whose getter throws', () => {
    for (const value of [null, undefined, [], new Map([['a', 1]]), new Set(['a']), 'text', 1, () => {}])
      expect(caught(() => readFields('f', value))).toMatchObject({ field: 'f', got: value });
    expect(() => readFields('f', [])).toThrow(/^f must be an object, got an array$/);
    const throwing = {
      get A(): never {
        throw new Error('not readable');
      },
    };
    expect(() => readFields('env', throwing)).toThrow(expect.objectContaining({ field: 'env.A' }));
  });
});

describe('reading', () => {
  const boom = (): never => {
    throw new Error('boom');
  };
  test('returns what was read, and throws an OptionError unchanged', () => {
    const optionError = new OptionError('inner', 'must be', 1, '1');
    expect(reading('f', {}, () => 7)).toBe(7);
    expect(
      caught(() =>
        reading('f', {}, () => {
          throw optionError;
        }),
      ),
    ).toBe(optionError);
  });

  test('turns every other error into an OptionError', () => {
    const given = {
      get a() {
        return boom();
      },
    };
    for (const [value, read] of [
      [given, () => given.a],
      [revoked({}), () => Object.keys(revoked({}))],
    ] as const) {
      const error = caught(() => reading('f', value, read));
      expect(error).toBeInstanceOf(OptionError);
      expect((error as OptionError).field).toBe('f');
      expect((error as OptionError).got).toBe(value);
    }
    expect(() => reading('f', given, () => given.a)).toThrow('boom');
  });
});
