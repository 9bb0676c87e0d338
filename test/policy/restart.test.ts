import { describe, expect, test } from 'vitest';
import { FatalError } from '../../src/model/error.ts';
import { thrownFailure, timedOutFailure } from '../../src/model/failure.ts';
import { DEFAULT_SETTINGS, RESTART_POLICIES, type RestartPolicy } from '../../src/model/settings.ts';
import { type AttemptEnd, afterAttempt, intervalDelayMs } from '../../src/policy/restart.ts';

const value: AttemptEnd = { kind: 'value', value: 7 };
const thrown: AttemptEnd = { kind: 'failure', failure: thrownFailure(new Error('no')), ranMs: 100 };
const timedOut: AttemptEnd = { kind: 'failure', failure: timedOutFailure(5), ranMs: 100 };
const fatal: AttemptEnd = { kind: 'failure', failure: thrownFailure(new FatalError('never again')), ranMs: 100 };
const gaveUp: AttemptEnd = { kind: 'gaveUp', reason: 'enough' };
const stopped: AttemptEnd = { kind: 'stopped', failure: undefined };

const undisturbed = { stop: undefined, restartAsked: false, suspending: false, finishing: false, streak: 0 };
const stopRequested = { ...undisturbed, stop: { by: 'caller', reason: 'r' } } as const;

const decide = (
  end: AttemptEnd,
  task: Parameters<typeof afterAttempt>[1],
  restart: RestartPolicy,
  maxRetries = Infinity,
  stableMs = Infinity,
) => afterAttempt(end, task, { ...DEFAULT_SETTINGS, restart, maxRetries, stableMs });

describe('the decision after an attempt', () => {
  const ends: readonly (readonly [name: string, end: AttemptEnd, next: Readonly<Record<RestartPolicy, string>>])[] = [
    ['returned a value', value, { never: 'complete', onFailure: 'complete', always: 'afterInterval' }],
    ['threw', thrown, { never: 'fail', onFailure: 'retry', always: 'retry' }],
    ['timed out', timedOut, { never: 'fail', onFailure: 'retry', always: 'retry' }],
    ['threw a FatalError', fatal, { never: 'fatal', onFailure: 'fatal', always: 'fatal' }],
    ['threw a CanceledError of its own', gaveUp, { never: 'cancel', onFailure: 'cancel', always: 'cancel' }],
  ];
  for (const [name, end, next] of ends)
    for (const restart of RESTART_POLICIES)
      test(`that ${name} is ${next[restart]} with restart: ${restart}`, () => {
        expect(decide(end, undisturbed, restart).next).toBe(next[restart]);
      });

  test.for(RESTART_POLICIES)('is cancel after a stop request, whatever the end, with restart: %s', (restart) => {
    for (const end of [value, thrown, timedOut, fatal, gaveUp, stopped])
      expect(decide(end, stopRequested, restart)).toMatchObject({ next: 'cancel', by: 'caller', reason: 'r' });
    expect(decide(thrown, stopRequested, restart)).toMatchObject({ failure: { message: 'no' } });
    expect(decide(stopped, stopRequested, restart)).toMatchObject({ failure: undefined });
  });

  test('follows a stop request before restart(), and restart() before the end of the attempt', () => {
    expect(decide(thrown, { ...stopRequested, restartAsked: true }, 'never').next).toBe('cancel');
    for (const end of [value, thrown, fatal, stopped])
      expect(decide(end, { ...undisturbed, restartAsked: true }, 'never').next).toBe('freshAttempt');
  });

  test('is suspend after a lost lease, whatever the end, and cancel if a stop request came too', () => {
    for (const end of [value, thrown, fatal, gaveUp, stopped])
      expect(decide(end, { ...undisturbed, suspending: true, restartAsked: true }, 'always').next).toBe('suspend');
    expect(decide(value, { ...stopRequested, suspending: true }, 'always').next).toBe('cancel');
  });

  test('is an end, where another attempt would follow, once a shutdown lets the task finish', () => {
    const finishing = { ...undisturbed, finishing: true };
    expect(decide(value, finishing, 'always')).toEqual({ next: 'complete', value: 7 });
    expect(decide(thrown, finishing, 'onFailure')).toMatchObject({ next: 'fail', because: 'shuttingDown' });
    expect(decide(thrown, finishing, 'never')).toMatchObject({ next: 'fail', because: 'policy' });
    expect(decide(thrown, finishing, 'onFailure', 0)).toMatchObject({ next: 'fail', because: 'maxRetries' });
    expect(decide(stopped, finishing, 'onFailure')).toMatchObject({ next: 'cancel', by: 'shutdown' });
  });

  test('is fail once a streak has had maxRetries retries, of which 0 allows none', () => {
    expect(decide(thrown, { ...undisturbed, streak: 0 }, 'onFailure', 0)).toMatchObject({ because: 'maxRetries' });
    expect(decide(thrown, { ...undisturbed, streak: 1 }, 'onFailure', 2).next).toBe('retry');
    expect(decide(thrown, { ...undisturbed, streak: 2 }, 'onFailure', 2)).toMatchObject({ because: 'maxRetries' });
  });

  test('judges the failure of an attempt that ran for stableMs as the first of its streak, but no timeout', () => {
    const after = (end: AttemptEnd, stableMs: number, maxRetries = 2) =>
      decide(end, { ...undisturbed, streak: 2 }, 'onFailure', maxRetries, stableMs);
    expect(after(thrown, 100)).toMatchObject({ next: 'retry', newStreak: true });
    expect(after(thrown, 101)).toMatchObject({ next: 'fail', because: 'maxRetries' });
    expect(after(thrown, 101, 3)).toMatchObject({ next: 'retry', newStreak: false });
    expect(after(thrown, 100, 0)).toMatchObject({ next: 'fail', because: 'maxRetries' });
    expect(after(timedOut, 100)).toMatchObject({ next: 'fail', because: 'maxRetries' });
    expect(after(fatal, 100).next).toBe('fatal');
  });

  test('after a stop request has the value that the body returned, and none after the loss of the lease', () => {
    expect(decide(value, stopRequested, 'never')).toMatchObject({ next: 'cancel', value: 7 });
    expect(decide({ ...timedOut, value: undefined }, stopRequested, 'never')).toHaveProperty('value', undefined);
    for (const end of [thrown, gaveUp, stopped])
      expect(decide(end, stopRequested, 'never')).not.toHaveProperty('value');
    expect(decide(value, { ...stopRequested, suspending: true }, 'always')).not.toHaveProperty('value');
  });
});

test.for([
  [0, 0, 1],
  [0, 0.4, 0.6],
  [0, 5, 0],
  [10, 0, 10],
  [10, 99, 10],
] as const)(
  'a success with an intervalMs of %d ms and a run of %d ms is followed by a pause of %d ms',
  ([interval, ran, wait]) => {
    expect(intervalDelayMs(interval, ran)).toBeCloseTo(wait, 9);
  },
);
