import { CanceledError, ExitError, FatalError, RetryError, TimeoutError } from 'slotvisor';
import { expect, test } from 'vitest';
import { unpackError } from '../../../src/ext/worker/error-travel.ts';

const unpack = (packed: Parameters<typeof unpackError>[0]) => unpackError(packed) as Error & Record<string, unknown>;

for (const value of [7, undefined, null, 'text'])
  test(`a thrown value of ${value} is unpacked as itself`, () => {
    expect(unpackError({ value })).toBe(value);
  });

test.for([
  ['FatalError', FatalError],
  ['RetryError', RetryError],
  ['TimeoutError', TimeoutError],
  ['CanceledError', CanceledError],
  ['ExitError', ExitError],
] as const)('an error with the brand %s is unpacked as an instance of that class', ([brand, errorClass]) => {
  const error = unpack({ name: 'Subclass', message: 'boom', brand });
  expect(error).toBeInstanceOf(errorClass);
  expect(error).toMatchObject({ name: 'Subclass', message: 'boom' });
});

for (const errorClass of [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError])
  test(`an error with the name ${errorClass.name} is unpacked as an instance of that built-in class`, () => {
    const error = unpack({ name: errorClass.name, message: 'boom' });
    expect(error).toBeInstanceOf(errorClass);
    expect(Object.hasOwn(error, 'name')).toBe(false);
  });

test.for(['Custom', 'toString', '__proto__'])(
  'an error with the unknown name %s is an Error with that name',
  (name) => {
    const error = unpack({ name, message: 'boom' });
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    expect(error).toMatchObject({ name, message: 'boom' });
  },
);

test('the stack of the worker takes the place of the one made here', () => {
  expect(unpack({ name: 'Error', message: 'boom', stack: 'Error: boom\n    at job.js:1' }).stack).toBe(
    'Error: boom\n    at job.js:1',
  );
  expect(unpack({ name: 'Error', message: 'boom' }).stack).toMatch(/error-travel/);
});

test('causes are unpacked at every depth, values included', () => {
  const inner = { name: 'TypeError', message: 'inner', cause: { value: 'innermost' } };
  const error = unpack({ name: 'Error', message: 'outer', cause: inner });
  expect(error.cause).toBeInstanceOf(TypeError);
  expect(error.cause).toMatchObject({ message: 'inner', cause: 'innermost' });
  expect('cause' in unpack({ name: 'Error', message: 'alone' })).toBe(false);
});

test('an error with errors is unpacked as an AggregateError', () => {
  const error = unpack({
    name: 'AggregateError',
    message: 'two',
    errors: [{ name: 'RangeError', message: 'one' }, { value: 2 }],
  });
  expect(error).toBeInstanceOf(AggregateError);
  expect(error.errors).toEqual([expect.any(RangeError), 2]);
});

test('own fields are enumerable, and name, message, stack and cause are not', () => {
  const error = unpack({
    name: 'Custom',
    message: 'boom',
    stack: 'at job.js:1',
    cause: { value: 1 },
    fields: { code: 'E_CUSTOM', details: { at: [1, 2] } },
  });
  expect(error).toMatchObject({ code: 'E_CUSTOM', details: { at: [1, 2] } });
  expect(Object.keys(error)).toEqual(['code', 'details']);
});

test('own fields replace the fields of the class', () => {
  const error = unpack({ name: 'ExitError', message: 'exit 9', brand: 'ExitError', fields: { exitCode: 9 } });
  expect(error.exitCode).toBe(9);
});

test('a field named like an accessor of Object.prototype becomes an own field', () => {
  const fields = JSON.parse('{"__proto__": {"polluted": true}}') as Record<string, unknown>;
  const error = unpack({ name: 'Error', message: 'boom', fields });
  expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
  expect(Object.hasOwn(error, '__proto__')).toBe(true);
});
