import { runInNewContext } from 'node:vm';
import { expect, describe as group, test } from 'vitest';
import { ExitError, FatalError } from '../../src/model/error.ts';
import { describe, stalledFailure, thrownFailure, timedOutFailure } from '../../src/model/failure.ts';

const INDESCRIBABLE = '[a value that cannot be described]';
const fail = (): never => {
  throw new Error('must not be read');
};
const revoked = (target: object) => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};

group('describe', () => {
  const rows: readonly [name: string, thrown: unknown, text: string][] = [
    ['an error', new Error('boom'), 'boom'],
    ['an error of another realm', runInNewContext("new TypeError('far')"), 'far'],
    ['a frozen error', Object.freeze(new Error('cold')), 'cold'],
    ['an error without a message', new Error(), ''],
    ['an object with a message', { message: 'said' }, 'said'],
    ['an object whose message is not a string', { message: 7 }, '[object Object]'],
    ['an object without a prototype', Object.create(null), '[object Object]'],
    ['an array', [1, 2], '[object Array]'],
    ['a string', 'words', 'words'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a number', -0.5, '-0.5'],
    ['a bigint', 7n, '7'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['a function', fail, '[function]'],
    [
      'an object whose message throws when it is read',
      {
        get message() {
          return fail();
        },
      },
      INDESCRIBABLE,
    ],
    [
      'an object whose toStringTag throws when it is read',
      {
        get [Symbol.toStringTag]() {
          return fail();
        },
      },
      INDESCRIBABLE,
    ],
    ['a proxy that throws', new Proxy({}, { get: fail }), INDESCRIBABLE],
    ['a revoked proxy', revoked({}), INDESCRIBABLE],
    ['a revoked proxy of an array', revoked([]), INDESCRIBABLE],
    ['a revoked proxy of a function', revoked(fail), '[function]'],
  ];
  for (const [name, thrown, text] of rows)
    test(`gives ${name} the text ${JSON.stringify(text)}`, () => expect(describe(thrown)).toBe(text));

  test('cuts a text of more than 1,000 characters and ends it with an ellipsis', () => {
    expect(describe('x'.repeat(1_000))).toBe('x'.repeat(1_000));
    expect(describe(new Error('x'.repeat(1e6)))).toBe(`${'x'.repeat(999)}…`);
  });
});

group('a failure', () => {
  test('carries the thrown object itself', () => {
    const error = Object.freeze(new Error('boom'));
    const failure = thrownFailure(error);
    expect(failure).toStrictEqual({ kind: 'thrown', error, message: 'boom', fatal: false });
    expect(failure.kind === 'thrown' && failure.error).toBe(error);
  });

  test('is fatal only for a FatalError', () => {
    class Mine extends FatalError {}
    const fatal = [new FatalError('a'), new Mine('b'), { fatal: true }, revoked({}), undefined];
    expect(fatal.map((error) => thrownFailure(error).fatal)).toEqual([true, true, false, false, false]);
  });

  test('by a timeout or a stall carries the time', () => {
    expect(timedOutFailure(50)).toStrictEqual({
      kind: 'timedOut',
      afterMs: 50,
      message: 'timed out after 50 ms',
      fatal: false,
    });
    expect(stalledFailure(9)).toStrictEqual({
      kind: 'stalled',
      silentMs: 9,
      message: 'no heartbeat for 9 ms',
      fatal: false,
    });
  });
});

test('an ExitError makes a failure of kind exited, and its fields are checked', () => {
  expect(thrownFailure(new ExitError('exit code 3', { exitCode: 3 }))).toEqual({
    kind: 'exited',
    exitCode: 3,
    signal: null,
    message: 'exit code 3',
    fatal: false,
  });
  const odd = Object.assign(new ExitError('ended', { exitCode: null, signal: 'SIGKILL' }), { exitCode: 'three' });
  expect(thrownFailure(odd)).toMatchObject({ kind: 'exited', exitCode: null, signal: 'SIGKILL' });
});
