import { expect, test } from 'vitest';
import { OPEN, shutdownStep } from '../../src/policy/shutdown.ts';
import { exploreShutdown } from '../support/shutdown-explorer.ts';

test('in every reachable state of a shutdown phases only go forward, each effect happens once, stale input changes nothing, and the report can be reached', () => {
  const { states, edges } = exploreShutdown(shutdownStep, OPEN);
  console.log(`shutdown, with a grace of 0, 5, 10 and Infinity ms at six times: ${states} states, ${edges} edges`);
  expect(states).toBeGreaterThan(15);
  expect(edges).toBeGreaterThan(1_000);
});
