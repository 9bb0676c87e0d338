import { afterAll, describe, expect, test, vi } from 'vitest';
import * as own from '../../src/model/error.ts';
import { OutcomeError } from '../../src/model/outcome.ts';

const { CanceledError, ClosedError, FatalError, RetryError, OptionError, stopReason, TimeoutError, timeoutReason } =
  own;

// The same source, loaded again: classes that share nothing but their text, as with two copies of the package in one process.
vi.resetModules();
const [other, otherOutcome] = [await import('../../src/model/error.ts'), await import('../../src/model/outcome.ts')];
afterAll(() => {
  vi.resetModules();
});

const outcome = { kind: 'rejected', reason: 'slotBusy' } as const;
const ours = [
  [FatalError, new FatalError('no'), new other.FatalError('no')],
  [RetryError, new RetryError('no'), new other.RetryError('no')],
  [CanceledError, new CanceledError(), new other.CanceledError()],
  [TimeoutError, new TimeoutError(), new other.TimeoutError()],
  [OptionError, new OptionError('field', 'must be', 1, '1'), new other.OptionError('field', 'must be', 1, '1')],
  [ClosedError, new ClosedError(), new other.ClosedError()],
  [OutcomeError, new OutcomeError('no', outcome), new otherOutcome.OutcomeError('no', outcome)],
] as const;

for (const [type, error, copy] of ours)
  describe(type.name, () => {
    test('is an Error with its name and its class', () => {
      expect(error).toBeInstanceOf(Error);
      expect([error.name, error instanceof type]).toEqual([type.name, true]);
      expect(`${error}`).toMatch(new RegExp(`^${type.name}: .`));
    });

    test('is recognised by instanceof across two copies of the package', () => {
      expect(Object.getPrototypeOf(copy)).not.toBe(type.prototype);
      expect(copy instanceof type).toBe(true);
    });

    test('takes nothing else for its own', () => {
      const strangers = [new Error('no'), { name: type.name, message: 'no' }, null, undefined, type.name, () => {}];
      for (const stranger of strangers) expect(stranger instanceof type).toBe(false);
      for (const [foreign, one] of ours)
        if (foreign !== type) expect(one instanceof type).toBe(type === CanceledError && foreign === TimeoutError);
    });
  });

test('a subclass of a user keeps the rule of the language, and counts as what it extends in both copies', () => {
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

test('instanceof never throws, whatever it is asked about', () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  class Mine extends FatalError {}
  expect([proxy instanceof FatalError, proxy instanceof Mine, proxy instanceof TimeoutError]).toEqual([
    false,
    false,
    false,
  ]);
});

test('what a body says with them stands in them', () => {
  const cause = new Error('below');
  expect(new FatalError('no', { cause, exitCode: 3 })).toMatchObject({ cause, exitCode: 3 });
  expect(new RetryError('later', { cause, afterMs: 50 })).toMatchObject({ cause, afterMs: 50 });
  const reason = {};
  expect(new CanceledError('done', { reason })).toMatchObject({ message: 'done', by: 'task' });
  expect(new CanceledError('done', { reason }).reason).toBe(reason);
  expect(new FatalError('no').exitCode).toBeUndefined();
  expect('cause' in new FatalError('no')).toBe(false);
});

test('a stop reason of the library’s own names who asked', () => {
  const why = {};
  expect(stopReason('replace', 'stopped', why)).toMatchObject({ by: 'replace', message: 'stopped', reason: why });
  expect(timeoutReason('late')).toMatchObject({ by: 'deadline', message: 'late' });
  expect(timeoutReason('late')).toBeInstanceOf(TimeoutError);
});

test('a stop reason of the library’s own has no frames, and those of others keep theirs', () => {
  expect(stopReason('caller', 'stopped').stack).toBe('CanceledError: stopped');
  expect(new CanceledError('mine').stack).toContain('error.test.ts');
});

test('a limit that cannot be set is left alone', () => {
  const own = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit') as PropertyDescriptor;
  Object.defineProperty(Error, 'stackTraceLimit', { ...own, writable: false });
  try {
    expect(stopReason('caller', 'stopped').by).toBe('caller');
  } finally {
    Object.defineProperty(Error, 'stackTraceLimit', own);
  }
});

test('a OptionError names the field, the rule and the value, and is a TypeError', () => {
  const error = new OptionError('graceMs', 'must be finite', Infinity, 'Infinity');
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ field: 'graceMs', got: Infinity, message: 'graceMs must be finite, got Infinity' });
});
