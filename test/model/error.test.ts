import { afterAll, describe, expect, test, vi } from 'vitest';
import * as own from '../../src/model/error.ts';
import { OutcomeError } from '../../src/model/outcome.ts';

const {
  CanceledError,
  ClosedError,
  ExitError,
  FatalError,
  fromCaller,
  specAt,
  RetryError,
  OptionError,
  stopReason,
  TimeoutError,
  timeoutReason,
} = own;

// The same source, loaded again. The classes share only their text, as with two copies of the
// package in one process.
vi.resetModules();
const [other, otherOutcome] = [await import('../../src/model/error.ts'), await import('../../src/model/outcome.ts')];
afterAll(() => {
  vi.resetModules();
});

const outcome = { kind: 'rejected', reason: 'slotBusy' } as const;
const errors = [
  [FatalError, new FatalError('no'), new other.FatalError('no')],
  [RetryError, new RetryError('no'), new other.RetryError('no')],
  [CanceledError, new CanceledError(), new other.CanceledError()],
  [TimeoutError, new TimeoutError(), new other.TimeoutError()],
  [OptionError, new OptionError('field', 'must be', 1, '1'), new other.OptionError('field', 'must be', 1, '1')],
  [ClosedError, new ClosedError(), new other.ClosedError()],
  [ExitError, new ExitError('no', { exitCode: 1 }), new other.ExitError('no', { exitCode: 1 })],
  [OutcomeError, new OutcomeError('no', outcome), new otherOutcome.OutcomeError('no', outcome)],
] as const;

for (const [type, error, copy] of errors)
  describe(type.name, () => {
    test('is an Error with its name and its class', () => {
      expect(error).toBeInstanceOf(Error);
      expect([error.name, error instanceof type]).toEqual([type.name, true]);
      expect(`${error}`).toMatch(new RegExp(`^${type.name}: .`));
    });

    test('has a code that is made of its name, in both copies of the package', () => {
      const code = `SLOTVISOR_${type.name.replace('Error', '').toUpperCase()}`;
      expect([error.code, copy.code]).toEqual([code, code]);
    });

    test('is recognised by instanceof across two copies of the package', () => {
      expect(Object.getPrototypeOf(copy)).not.toBe(type.prototype);
      expect(copy instanceof type).toBe(true);
    });

    test('does not accept other values and other errors as instances', () => {
      const others = [new Error('no'), { name: type.name, message: 'no' }, null, undefined, type.name, () => {}];
      for (const value of others) expect(value instanceof type).toBe(false);
      for (const [otherType, one] of errors)
        if (otherType !== type) expect(one instanceof type).toBe(type === CanceledError && otherType === TimeoutError);
    });
  });

test("a subclass in user code keeps the language's rule, and is an instance of its base class in both copies", () => {
  class DiskFull extends FatalError {}
  class Elsewhere extends other.FatalError {}
  expect(new DiskFull('full') instanceof DiskFull).toBe(true);
  expect(new FatalError('no') instanceof DiskFull).toBe(false);
  expect(new Elsewhere('full') instanceof DiskFull).toBe(false);
  expect([new DiskFull('full') instanceof other.FatalError, new Elsewhere('no') instanceof FatalError]).toEqual([
    true,
    true,
  ]);
});

test('instanceof never throws, also for a revoked proxy', () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  class Mine extends FatalError {}
  expect([proxy instanceof FatalError, proxy instanceof Mine, proxy instanceof TimeoutError]).toEqual([
    false,
    false,
    false,
  ]);
});

test('the errors carry the options that they were made with', () => {
  const cause = new Error('below');
  expect(new FatalError('no', { cause, exitCode: 3 })).toMatchObject({ cause, exitCode: 3 });
  expect(new RetryError('later', { cause, afterMs: 50 })).toMatchObject({ cause, afterMs: 50 });
  const reason = {};
  expect(new CanceledError('done', { reason })).toMatchObject({ message: 'done', by: 'task' });
  expect(new CanceledError('done', { reason }).reason).toBe(reason);
  expect(new FatalError('no').exitCode).toBeUndefined();
  expect('cause' in new FatalError('no')).toBe(false);
});

test('a stop reason of the library names the cause', () => {
  const why = {};
  expect(stopReason('replace', 'stopped', why)).toMatchObject({ by: 'replace', message: 'stopped', reason: why });
  expect(timeoutReason('late')).toMatchObject({ by: 'deadline', message: 'late' });
  expect(timeoutReason('late')).toBeInstanceOf(TimeoutError);
});

test('a stop reason of the library has no stack frames, and an error of user code keeps its own', () => {
  expect(stopReason('caller', 'stopped').stack).toBe('CanceledError: stopped');
  expect(new CanceledError('mine').stack).toContain('error.test.ts');
});

test('a stop reason can be made where Error.stackTraceLimit is read-only', () => {
  const own = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit') as PropertyDescriptor;
  Object.defineProperty(Error, 'stackTraceLimit', { ...own, writable: false });
  try {
    expect(stopReason('caller', 'stopped').by).toBe('caller');
  } finally {
    Object.defineProperty(Error, 'stackTraceLimit', own);
  }
});

test('an OptionError names the field, the rule and the value, and is a TypeError', () => {
  const error = new OptionError('graceMs', 'must be finite', Infinity, 'Infinity');
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ field: 'graceMs', got: Infinity, message: 'graceMs must be finite, got Infinity' });
});

test('every error that the package exports has a code of its own', () => {
  const exported = Object.values<unknown>(own).filter(
    (value) => typeof value === 'function' && value.prototype instanceof Error,
  );
  expect(new Set([...exported, OutcomeError])).toEqual(new Set(errors.map(([type]) => type)));
  expect(new Set(errors.map(([, { code }]) => code)).size).toBe(errors.length);
});

test('a subclass in user code may have a code of its own', () => {
  class DiskFull extends FatalError {
    override readonly code = 'DISK_FULL';
  }
  expect(new DiskFull('full').code).toBe('DISK_FULL');
});

describe('fromCaller', () => {
  const refuse = () => {
    throw new OptionError('field', 'must be', 1);
  };
  function called() {
    return fromCaller(called, refuse);
  }
  function caller() {
    return called();
  }
  const firstFrame = (error: Error) => error.stack?.split('\n').find((line) => line.startsWith('    at '));

  test('removes the frames from the function that was called on', () => {
    expect(caller).toThrow(expect.toSatisfy((error: Error) => firstFrame(error)?.includes('at caller ') === true));
  });

  test('passes other errors on as they are, and returns the value', () => {
    const own = new Error('mine');
    const { stack } = own;
    const call = () =>
      fromCaller(call, () => {
        throw own;
      });
    expect(call).toThrow(own);
    expect([own.stack, fromCaller(call, () => 5)]).toEqual([stack, 5]);
  });
});

describe('specAt', () => {
  const at = (field: string) => () =>
    specAt('specs[2]', () => {
      throw new OptionError(field, 'must be here', 5);
    });

  test('names the field of a refusal from the path on, and the path itself for the whole spec', () => {
    expect(at('backoff.firstMs')).toThrow(
      expect.objectContaining({
        field: 'specs[2].backoff.firstMs',
        got: 5,
        message: 'specs[2].backoff.firstMs must be here, got 5',
      }),
    );
    expect(at('spec')).toThrow('specs[2] must be here, got 5');
  });

  test('keeps a long path to 60 characters and a mark', () => {
    expect(at('x'.repeat(100))).toThrow(/^specs\[2\]\.x+…x{19} must be here, got 5$/);
  });
});

test.each([
  ['one', 'one'],
  ['one\ntwo', 'one'],
  ['one\r\ntwo', 'one'],
  ['\none', ''],
])('the first line of %j is %j', (text, line) => {
  expect(own.firstLine(text)).toBe(line);
});
