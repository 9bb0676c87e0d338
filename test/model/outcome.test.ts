import { expect, test } from 'vitest';
import { thrownFailure } from '../../src/model/failure.ts';
import { type Outcome, OutcomeError, outcomeText } from '../../src/model/outcome.ts';

const failure = thrownFailure(new Error('boom'));

test.for<readonly [Outcome, RegExp]>([
  [{ kind: 'completed', value: 1, attempts: 1 }, /^completed$/],
  [{ kind: 'failed', failure, attempts: 3, because: 'maxRetries' }, /3 attempt.*maxRetries.*boom/],
  [{ kind: 'fatal', failure, attempts: 1 }, /for good.*boom/],
  [{ kind: 'canceled', by: 'replace', attempts: 1 }, /canceled.*replace/],
  [{ kind: 'killed', by: 'overrun', attempts: 1 }, /killed.*overrun/],
  [{ kind: 'abandoned', by: 'shutdown', attempts: 1 }, /abandoned.*shutdown.*alive/],
  [{ kind: 'rejected', reason: 'slotBusy' }, /^rejected: slotBusy$/],
  [
    { kind: 'rejected', reason: 'queueFull' },
    /^rejected: queueFull \(queueLimit is 7: set it in slots, in slotDefaults or with slot\.configure\)$/,
  ],
])('the text of %o says how it ended and why', ([outcome, text]) => {
  expect(outcomeText(outcome, 7)).toMatch(text);
});

test('an OutcomeError carries the outcome object itself and the cause', () => {
  const outcome: Outcome = { kind: 'fatal', failure, attempts: 1 };
  const error = new OutcomeError('task: no', outcome, { cause: failure });
  expect(error).toMatchObject({ name: 'OutcomeError', message: 'task: no', cause: failure });
  expect(error.outcome).toBe(outcome);
  expect('cause' in new OutcomeError('task: no', outcome)).toBe(false);
});
