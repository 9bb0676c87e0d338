import { describe, expect, test } from 'vitest';
import { FatalError } from '../../src/model/error.ts';
import { thrownFailure, timedOutFailure } from '../../src/model/failure.ts';
import { DEFAULT_SETTINGS, type RestartPolicy } from '../../src/model/settings.ts';
import { type AttemptEnd, afterAttempt, intervalDelayMs } from '../../src/policy/restart.ts';

const value: AttemptEnd = { kind: 'value', value: 7 };
const thrown: AttemptEnd = { kind: 'failure', failure: thrownFailure(new Error('no')) };
const timedOut: AttemptEnd = { kind: 'failure', failure: timedOutFailure(5) };
const fatal: AttemptEnd = { kind: 'failure', failure: thrownFailure(new FatalError('never again')) };
const gaveUp: AttemptEnd = { kind: 'gaveUp', reason: 'enough' };
const stopped: AttemptEnd = { kind: 'stopped', failure: undefined };

const undisturbed = { stop: undefined, restartAsked: false, streak: 0 };
const told = { ...undisturbed, stop: { by: 'caller', reason: 'r' } } as const;

const next = (
  end: AttemptEnd,
  task: Parameters<typeof afterAttempt>[1],
  restart: RestartPolicy,
  maxRetries = Infinity,
) => afterAttempt(end, task, { ...DEFAULT_SETTINGS, restart, maxRetries });

describe('what follows an attempt', () => {
  test.for([
    ['value', value, 'complete', 'complete', 'afterInterval'],
    ['thrown', thrown, 'fail', 'retry', 'retry'],
    ['timed out', timedOut, 'fail', 'retry', 'retry'],
    ['fatal', fatal, 'fatal', 'fatal', 'fatal'],
    ['canceled by itself', gaveUp, 'cancel', 'cancel', 'cancel'],
  ] as const)('%s: never, onFailure, always', ([, end, never, onFailure, always]) => {
    expect(next(end, undisturbed, 'never').next).toBe(never);
    expect(next(end, undisturbed, 'onFailure').next).toBe(onFailure);
    expect(next(end, undisturbed, 'always').next).toBe(always);
  });

  test.for(['never', 'onFailure', 'always'] as const)(
    '%s: whatever ended after a stop request is canceled',
    (restart) => {
      for (const end of [value, thrown, timedOut, fatal, gaveUp, stopped])
        expect(next(end, told, restart)).toMatchObject({ next: 'cancel', by: 'caller', reason: 'r' });
      expect(next(thrown, told, restart)).toMatchObject({ failure: { message: 'no' } });
      expect(next(stopped, told, restart)).toMatchObject({ failure: undefined });
    },
  );

  test('a stop request counts before restart(), and restart() before everything else', () => {
    expect(next(thrown, { ...told, restartAsked: true }, 'never').next).toBe('cancel');
    for (const end of [value, thrown, fatal, stopped])
      expect(next(end, { ...undisturbed, restartAsked: true }, 'never').next).toBe('freshAttempt');
  });

  test('maxRetries counts retries after the first failure of a streak; 0 means none', () => {
    expect(next(thrown, { ...undisturbed, streak: 0 }, 'onFailure', 0)).toMatchObject({ because: 'maxRetries' });
    expect(next(thrown, { ...undisturbed, streak: 1 }, 'onFailure', 2).next).toBe('retry');
    expect(next(thrown, { ...undisturbed, streak: 2 }, 'onFailure', 2)).toMatchObject({ because: 'maxRetries' });
  });

  test.for([
    [0, 0, 1],
    [0, 0.4, 0.6],
    [0, 5, 0],
    [10, 0, 10],
    [10, 99, 10],
  ] as const)('after a success, interval %d and a run of %d ms: wait %d ms', ([interval, ran, wait]) => {
    expect(intervalDelayMs(interval, ran)).toBeCloseTo(wait, 9);
  });
});
