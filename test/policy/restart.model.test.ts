import { expect, test } from 'vitest';
import { afterAttempt } from '../../src/policy/restart.ts';
import { ENDS, POLICIES, wrongAnswers } from '../support/restart-table.ts';

test('what follows an attempt is what the table says: every end, policy, stop cause, restart(), streak and maxRetries', () => {
  const { cases, wrong } = wrongAnswers(afterAttempt);
  console.log(`restart table: ${cases} cases`);
  expect(wrong).toEqual([]);
  const stops = 9; // none, and eight causes
  expect(cases).toBe(ENDS.length * POLICIES.length * stops * 2 * 4 * 5);
});
