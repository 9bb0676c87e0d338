import { expect, test } from 'vitest';
import { STOP_CAUSES } from '../../src/model/error.ts';
import { RESTART_POLICIES } from '../../src/model/settings.ts';
import { afterAttempt } from '../../src/policy/restart.ts';
import { ENDS, RUNS, wrongAnswers } from '../support/restart-table.ts';

test('the decision after an attempt is as in the table for every end, policy, stop cause, restart(), lost lease, finishing, length of the attempt, streak and maxRetries', () => {
  const { cases, wrong } = wrongAnswers(afterAttempt);
  console.log(`restart table: ${cases} cases`);
  expect(wrong).toEqual([]);
  const stops = 1 + STOP_CAUSES.length; // or none
  const lengths = ENDS.reduce((sum, [, { kind }]) => sum + (kind === 'failure' ? RUNS.length : 1), 0);
  expect(cases).toBe(lengths * RESTART_POLICIES.length * stops * 2 * 2 * 2 * 3 * 4);
});
