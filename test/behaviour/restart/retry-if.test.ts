// retryIf decides whether a failure is retried.

import { type Failure, FatalError, type TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { fail, PLAIN, script, thrown } from '../../support/scripted-body.ts';
import { setup } from '../../support/setup.ts';

const BACKOFF = { firstMs: 100, jitter: 'none' } as const;

/** Fails with `error` until it is stopped. */
function failing(error: unknown, spec: Partial<TaskSpec> = {}) {
  const world = setup();
  const run = () => {
    throw error;
  };
  return { ...world, submission: world.supervisor.submit({ backoff: BACKOFF, maxRetries: 1, ...spec, run }) };
}

describe('retryIf (section 5)', () => {
  test('false ends the task failed, because retryIf, and it is shown the failure', async () => {
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

  test('true retries', async () => {
    const { supervisor, clock } = setup();
    const body = script(
      () => fail(),
      () => 'second',
    );
    const submission = supervisor.submit({ backoff: PLAIN, retryIf: () => true, run: body.run });
    await clock.advance(100);
    expect(await submission.value()).toBe('second');
  });

  test('a throw counts as false, and what it threw is attached', async () => {
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
    ['rejects', () => Promise.reject(new Error('nobody waits for this'))],
  ] as const)
    test(`a promise that ${what} is no answer: failed, because retryIf, saying so`, async () => {
      const { supervisor, clock } = setup();
      const submission = supervisor.submit({
        run: () => fail(),
        retryIf: promise as unknown as () => boolean,
      });
      const outcome = await submission.outcome;
      await clock.settle(); // a rejection left alone would be reported here
      expect(outcome).toMatchObject({ kind: 'failed', because: 'retryIf', attempts: 1 });
      expect(outcome.kind === 'failed' && outcome.retryIfError).toBeInstanceOf(TypeError);
    });

  test('it is not asked about a failure that would not be retried anyway', async () => {
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

test('a retryIf that says no is final, though the restart limit has room', async () => {
  const { submission } = failing(new Error('no'), {
    restartLimit: { restarts: 5, withinMs: 1e6 },
    retryIf: () => false,
  });
  expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'retryIf', attempts: 1 });
});

test('a promise for an answer of retryIf is told as what it is', async () => {
  const retryIf = (async () => true) as unknown as () => boolean;
  const outcome = await failing(new Error('no'), { retryIf }).submission.outcome;
  expect(outcome).toMatchObject({ retryIfError: { message: expect.stringContaining('got a promise') } });
});
