import { describe, expect, test } from 'vitest';
import { ExitError, FatalError } from '../../src/model/error.ts';
import { stalledFailure, thrownFailure, timedOutFailure } from '../../src/model/failure.ts';

describe('a failure', () => {
  test('carries the thrown object itself', () => {
    const error = Object.freeze(new Error('boom'));
    const failure = thrownFailure(error);
    expect(failure).toStrictEqual({ kind: 'thrown', error, message: 'boom', fatal: false });
    expect(failure.kind === 'thrown' && failure.error).toBe(error);
  });

  test('is fatal only for a FatalError', () => {
    class Mine extends FatalError {}
    const fatal = [new FatalError('a'), new Mine('b'), { fatal: true }, { ...new FatalError('b') }, undefined];
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
