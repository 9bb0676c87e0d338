import { expect, test } from 'vitest';
import { OPEN, shutdownStep } from '../../src/policy/shutdown.ts';
import { exploreShutdown } from '../support/shutdown-explorer.ts';

test('in every reachable state of a shutdown stages begin in their order, nothing is put off, stale input changes nothing, and the report can be reached', () => {
  const { states, edges } = exploreShutdown(shutdownStep, OPEN);
  console.log(`shutdown, with three stages, six graces and six times: ${states} states, ${edges} edges`);
  expect(states).toBeGreaterThan(1_000);
  expect(edges).toBeGreaterThan(10_000);
});
