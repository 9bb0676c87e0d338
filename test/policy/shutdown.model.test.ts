import { expect, test } from 'vitest';
import { OPEN, shutdownStep } from '../../src/policy/shutdown.ts';
import { exploreShutdown } from '../support/shutdown-explorer.ts';

test('every reachable state of a shutdown: phases only go forward, each step is told once, stale input changes nothing, and the report can be reached', () => {
  const { states, edges } = exploreShutdown(shutdownStep, OPEN);
  console.log(`shutdown, graces 0, 5, 10 and none at six times: ${states} states, ${edges} edges`);
  expect(states).toBeGreaterThan(15);
  expect(edges).toBeGreaterThan(1_000);
});
