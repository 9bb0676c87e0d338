import { ExitError } from 'slotvisor';
import { describe, expect, it } from 'vitest';
import { errorType, exceptionOf } from '../../../src/ext/otel/error-type.ts';
import { type Failure, stalledFailure, thrownFailure, timedOutFailure } from '../../../src/model/failure.ts';
import type { AttemptEndKind } from '../../../src/model/probe.ts';

const named = (name: unknown, more: object = {}) => thrownFailure(Object.assign(new Error('boom'), { name }, more));
const exited = (exitCode: number | null, signal: string | null) =>
  thrownFailure(new ExitError('it exited', { exitCode, signal }));

describe('the type of an error', () => {
  it.for<[string, AttemptEndKind, Failure | undefined, string | undefined]>([
    ['a value', 'succeeded', undefined, undefined],
    ['a cancel', 'canceled', undefined, undefined],
    ['a cancel that threw', 'canceled', named('TypeError'), undefined],
    ['an error', 'failed', named('TypeError'), 'TypeError'],
    ['an error with a code', 'failed', named('Error', { code: 'ECONNRESET' }), 'ECONNRESET'],
    ['an error whose code is prose', 'failed', named('Error', { code: 'not a code' }), 'Error'],
    ['an error whose code has 40 characters', 'failed', named('Error', { code: 'A'.repeat(40) }), 'A'.repeat(40)],
    ['an error whose code has 41', 'failed', named('Error', { code: 'A'.repeat(41) }), 'Error'],
    ['an error whose code is one letter', 'failed', named('Error', { code: 'A' }), 'Error'],
    ['an error with a number as code', 'failed', named('Error', { code: 23_505 }), 'Error'],
    ['an error with a long name', 'failed', named('N'.repeat(99)), 'N'.repeat(60)],
    ['an error without a name', 'failed', named(''), '_OTHER'],
    ['a text', 'failed', thrownFailure('boom'), '_OTHER'],
    [
      'an error that cannot be read',
      'failed',
      thrownFailure(
        new Proxy(
          {},
          {
            get: () => {
              throw 1;
            },
          },
        ),
      ),
      '_OTHER',
    ],
    ['a timeout', 'timedOut', timedOutFailure(5), 'timeout'],
    ['a stall', 'stalled', stalledFailure(5), 'stall'],
    ['an exit code', 'failed', exited(3, null), 'exit_3'],
    ['a signal', 'failed', exited(null, 'SIGKILL'), 'SIGKILL'],
    ['an exit without either', 'failed', exited(null, null), '_OTHER'],
    ['a kill', 'killed', undefined, 'overrun'],
    ['a kill after a timeout', 'killed', timedOutFailure(5), 'timeout'],
    ['giving up', 'abandoned', undefined, 'overrun'],
  ])('of %s', ([, end, failure, type]) => {
    expect(errorType({ end, durationMs: 1, ...(failure && { failure }) })).toBe(type);
  });
});

describe('the exception of a span', () => {
  it('has name, message and stack of a thrown Error', () => {
    expect(exceptionOf(named('TypeError'))).toEqual({
      name: 'TypeError',
      message: 'boom',
      stack: expect.stringContaining('error-type.test'),
    });
  });

  it('is one also for an error that is not native', () => {
    expect(exceptionOf(thrownFailure(new DOMException('boom', 'AbortError')))).toMatchObject({ name: 'AbortError' });
  });

  it('has no stack where the error has none, and the name Error where it has none', () => {
    expect(exceptionOf(named('', { stack: undefined }))).toEqual({ name: 'Error', message: 'boom' });
  });

  it('is absent for anything else', () => {
    expect([undefined, timedOutFailure(5), thrownFailure('boom')].map(exceptionOf)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('of a long stack is cut', () => {
    const { stack } = exceptionOf(thrownFailure(Object.assign(new Error('x'), { stack: 's'.repeat(99_999) }))) as {
      stack: string;
    };
    expect(stack).toHaveLength(10_000);
  });
});
