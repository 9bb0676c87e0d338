import { expect, test } from 'vitest';
import { drainStep, OPEN } from '../../src/policy/drain.ts';
import { exploreDrain } from '../support/drain-explorer.ts';

test('every reachable state of a shutdown: phases only go forward, each step is told once, stale input changes nothing, and the report can be reached', () => {
  const { states, edges } = exploreDrain(drainStep, OPEN);
  console.log(`shutdown, graces 0, 5, 10 and none at six times: ${states} states, ${edges} edges`);
  expect(states).toBeGreaterThan(30);
  expect(edges).toBeGreaterThan(1_000);
});
