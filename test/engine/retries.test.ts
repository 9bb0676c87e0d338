import { describe, expect, test, vi } from 'vitest';
import { Retries } from '../../src/engine/retries.ts';
import type { Runtime } from '../../src/engine/runtime.ts';
import { RetryError } from '../../src/model/error.ts';
import { thrownFailure, timedOutFailure } from '../../src/model/failure.ts';
import { DEFAULT_SETTINGS, type TaskSettings } from '../../src/model/settings.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const failure = thrownFailure(new Error('boom'));
const backoff = { ...DEFAULT_SETTINGS.backoff, firstMs: 100, jitter: 'none' } as const;

function setup(settings: Partial<TaskSettings> = {}, draw = 0.5) {
  const clock = new VirtualClock();
  const random = vi.fn(() => draw);
  const retries = new Retries({ clock, random } as Partial<Runtime> as Runtime, {
    ...DEFAULT_SETTINGS,
    backoff,
    ...settings,
  });
  return { retries, clock, random };
}

const fail = (retries: Retries, times: number) => Array.from({ length: times }, () => retries.failed(failure));

describe('the delay of a retry', () => {
  test('grows with the streak', () => {
    const { retries } = setup();
    expect(fail(retries, 3)).toEqual([{ afterMs: 100 }, { afterMs: 200 }, { afterMs: 400 }]);
    expect(retries.streak).toBe(3);
  });

  test('begins again after a success', () => {
    const { retries } = setup();
    fail(retries, 3);
    retries.endStreak();
    expect([retries.streak, retries.failed(failure)]).toEqual([0, { afterMs: 100 }]);
  });

  test('with decorrelated jitter grows from the delay before, and begins again after a success', () => {
    const { retries } = setup({ backoff: { ...backoff, jitter: 'decorrelated' } });
    expect(fail(retries, 2)).toEqual([{ afterMs: 200 }, { afterMs: 350 }]);
    retries.endStreak();
    expect(retries.failed(failure)).toEqual({ afterMs: 200 });
  });

  test.for([0, 7, Number.MAX_VALUE])('is the afterMs of a RetryError, %d, without a random number', (afterMs) => {
    const { retries, random } = setup();
    expect(retries.failed(thrownFailure(new RetryError('later', { afterMs })))).toEqual({ afterMs });
    expect(retries.streak).toBe(1);
    expect(random).not.toHaveBeenCalled();
  });

  test.for([undefined, -1, Number.NaN, Infinity, '5'])('ignores a RetryError whose afterMs is %s', (afterMs) => {
    const error = new RetryError('later');
    Object.defineProperty(error, 'afterMs', { value: afterMs });
    expect(setup().retries.failed(thrownFailure(error))).toEqual({ afterMs: 100 });
  });

  test('takes one random number for each delay', () => {
    const { retries, random } = setup({ backoff: { ...backoff, jitter: 'full' } }, 0.25);
    expect(fail(retries, 2)).toEqual([{ afterMs: 25 }, { afterMs: 50 }]);
    expect(random).toHaveBeenCalledTimes(2);
  });
});

describe('retryIf', () => {
  test('is called with every failure, and allows a retry with a truthy answer', () => {
    const retryIf = vi.fn(() => 1 as unknown as boolean);
    const { retries } = setup({ retryIf });
    const timedOut = timedOutFailure(5);
    expect([retries.failed(failure), retries.failed(timedOut)]).toEqual([{ afterMs: 100 }, { afterMs: 200 }]);
    expect(retryIf.mock.calls).toEqual([[failure], [timedOut]]);
  });

  test.for([false, undefined, 0])(
    'refuses a retry with the answer %s, which does not count towards the streak',
    (answer) => {
      const { retries } = setup({ retryIf: () => answer as boolean });
      expect(retries.failed(failure)).toEqual({ refused: { because: 'retryIf' } });
      expect(retries.streak).toBe(0);
    },
  );

  test('refuses a retry when it throws, and the error is reported', () => {
    const error = new Error('own');
    const retryIf = () => {
      throw error;
    };
    expect(setup({ retryIf }).retries.failed(failure)).toEqual({
      refused: { because: 'retryIf', retryIfError: error },
    });
  });

  test('refuses a retry when it returns a promise, and its rejection is handled', () => {
    const retryIf = () => Promise.reject(new Error('late')) as unknown as boolean;
    expect(setup({ retryIf }).retries.failed(failure)).toEqual({
      refused: { because: 'retryIf', retryIfError: new TypeError('retryIf must return a boolean, got a promise') },
    });
  });

  test('that refuses does not count towards the restart limit', () => {
    let allowed = false;
    const { retries } = setup({ retryIf: () => allowed, restartLimit: { restarts: 1, withinMs: 100 } });
    fail(retries, 3);
    allowed = true;
    expect(retries.failed(failure)).toEqual({ afterMs: 100 });
  });
});

describe('the restart limit', () => {
  const restartLimit = { restarts: 2, withinMs: 1_000 };
  const refused = { refused: { because: 'restartLimit' } };

  test('refuses one retry more than it allows within its window', async () => {
    const { retries, clock } = setup({ restartLimit });
    expect(fail(retries, 3)).toEqual([{ afterMs: 100 }, { afterMs: 200 }, refused]);
    await clock.advance(1_000);
    expect(retries.failed(failure)).toEqual({ afterMs: 400 });
  });

  test('keeps its counts over a success, and forgets them with all failures', () => {
    const { retries } = setup({ restartLimit });
    fail(retries, 2);
    retries.endStreak();
    expect(retries.failed(failure)).toEqual(refused);
    retries.forget();
    expect(fail(retries, 3)).toEqual([{ afterMs: 100 }, { afterMs: 200 }, refused]);
  });
});
