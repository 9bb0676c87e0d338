// retryIf decides whether a failure is retried.

import { type Failure, FatalError } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { PLAIN_BACKOFF } from '../../support/bodies.ts';
import { fail, failingTask, script, thrown } from '../../support/scripted-body.ts';
import { setup } from '../../support/setup.ts';

describe('retryIf', () => {
  test('a retryIf that returns false gets the failure and fails the task because of retryIf', async () => {
    const { supervisor } = setup();
    const shown: Failure[] = [];
    const error = new Error('not worth it');
    const submission = supervisor.submit({
      run: () => {
        throw error;
      },
      retryIf: (failure) => {
        shown.push(failure);
        return false;
      },
    });
    expect(await submission.outcome).toEqual({
      kind: 'failed',
      failure: thrown(error),
      attempts: 1,
      because: 'retryIf',
    });
    expect(shown).toEqual([thrown(error)]);
  });

  test('a retryIf that returns true retries the task', async () => {
    const { supervisor, clock } = setup();
    const body = script(
      () => fail(),
      () => 'second',
    );
    const submission = supervisor.submit({ backoff: PLAIN_BACKOFF, retryIf: () => true, run: body.run });
    await clock.advance(100);
    expect(await submission.value()).toBe('second');
  });

  test('a retryIf that throws counts as false, and its error is attached to the outcome', async () => {
    const { supervisor } = setup();
    const trap = new Error('predicate');
    const submission = supervisor.submit({
      run: () => fail('body'),
      retryIf: () => {
        throw trap;
      },
    });
    const outcome = await submission.outcome;
    expect(outcome).toMatchObject({ kind: 'failed', because: 'retryIf', failure: { message: 'body' } });
    expect(outcome.kind === 'failed' && outcome.retryIfError).toBe(trap);
  });

  for (const [what, promise] of [
    ['resolves', () => Promise.resolve(true)],
    ['rejects', () => Promise.reject(new Error('not awaited'))],
  ] as const)
    test(`a retryIf that returns a promise that ${what} fails the task because of retryIf, with a TypeError`, async () => {
      const { supervisor, clock } = setup();
      const submission = supervisor.submit({
        run: () => fail(),
        retryIf: promise as unknown as () => boolean,
      });
      const outcome = await submission.outcome;
      await clock.settle(); // an unhandled rejection would be reported here
      expect(outcome).toMatchObject({ kind: 'failed', because: 'retryIf', attempts: 1 });
      expect(outcome.kind === 'failed' && outcome.retryIfError).toBeInstanceOf(TypeError);
    });

  test('retryIf is not called for a failure that is not retried anyway', async () => {
    const { supervisor } = setup();
    let asked = 0;
    const retryIf = (): boolean => {
      asked += 1;
      return true;
    };
    const ends = [
      supervisor.submit({ restart: 'never', retryIf, run: () => fail() }),
      supervisor.submit({ maxRetries: 0, retryIf, run: () => fail() }),
      supervisor.submit({
        retryIf,
        run: () => {
          throw new FatalError('x');
        },
      }),
    ];
    const outcomes = await Promise.all(ends.map(({ outcome }) => outcome));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['failed', 'failed', 'fatal']);
    expect(asked).toBe(0);
  });
});

test('a retryIf that returns false is final, even if restartLimit allows a restart', async () => {
  const { submission } = failingTask(new Error('no'), {
    restartLimit: { restarts: 5, withinMs: 1e6 },
    retryIf: () => false,
  });
  expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'retryIf', attempts: 1 });
});

test('the TypeError for a retryIf that returns a promise names the promise', async () => {
  const retryIf = (async () => true) as unknown as () => boolean;
  const outcome = await failingTask(new Error('no'), { retryIf }).submission.outcome;
  expect(outcome).toMatchObject({ retryIfError: { message: expect.stringContaining('got a promise') } });
});
