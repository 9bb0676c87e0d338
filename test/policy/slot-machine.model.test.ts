import { describe, expect, test } from 'vitest';
import { SlotMachine } from '../../src/policy/slot-machine.ts';
import { type Entry, everything, explore } from '../support/slot-explorer.ts';

const create = () => new SlotMachine<Entry>();

describe('every reachable state of a slot keeps S1 to S10, and rest can be reached from it', () => {
  test.for([0, 1, 2])('3 submissions of every policy with everything that can happen, queueLimit %i', (queueLimit) => {
    const { states, edges } = explore(create, everything(queueLimit));
    console.log(`3 submissions, everything, queueLimit ${queueLimit}: ${states} states, ${edges} edges`);
    expect(states).toBeGreaterThan(5_000);
  });

  test('5 submissions of the three classic policies, with cancel, pause and lost leases', () => {
    const { states, edges } = explore(create, {
      policies: ['queue', 'replace', 'dropIfRunning'],
      submissions: 5,
      queueLimit: 2,
      onFull: 'reject',
      with: new Set(['cancel', 'pause', 'lostRevoked']),
    });
    console.log(`5 submissions, classic policies: ${states} states, ${edges} edges`);
    expect(states).toBeGreaterThan(5_000);
  });
});
