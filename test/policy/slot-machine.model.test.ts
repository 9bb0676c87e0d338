import { describe, expect, test } from 'vitest';
import { SlotMachine } from '../../src/policy/slot-machine.ts';
import { type Entry, everything, explore } from '../support/slot-explorer.ts';

const create = () => new SlotMachine<Entry>();

describe('every reachable state of a slot keeps S1 to S10 and can reach rest', () => {
  test.for([0, 1, 2])(
    'with 3 submissions of every policy, everything that can happen, and a queueLimit of %i',
    (queueLimit) => {
      const { states, edges } = explore(create, everything(queueLimit));
      console.log(`3 submissions, everything, queueLimit ${queueLimit}: ${states} states, ${edges} edges`);
      expect(states).toBeGreaterThan(5_000);
    },
  );

  test('with 5 submissions of three policies, cancel, pause and lost leases', () => {
    const { states, edges } = explore(create, {
      policies: ['queue', 'replace', 'dropIfRunning'],
      submissions: 5,
      queueLimit: 2,
      onFull: 'reject',
      with: new Set(['cancel', 'pause', 'lostRevoked']),
    });
    console.log(`5 submissions, three policies: ${states} states, ${edges} edges`);
    expect(states).toBeGreaterThan(5_000);
  });
});
