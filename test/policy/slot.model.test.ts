import { describe, expect, test } from 'vitest';
import { SlotMachine } from '../../src/policy/slot.ts';
import { type Entry, EVERYTHING, explore } from '../support/slot-explorer.ts';

const create = () => new SlotMachine<Entry>();

describe('every reachable state of a slot keeps S1 to S10, and rest can be reached from it', () => {
  test.for([0, 1, 2])('3 submissions of every policy with everything that can happen, queueLimit %i', (queueLimit) => {
    const { states, edges } = explore(create, {
      policies: ['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'],
      submissions: 3,
      queueLimit,
      onFull: queueLimit === 1 ? 'dropOldest' : 'reject',
      with: new Set(EVERYTHING),
    });
    console.log(`queueLimit ${queueLimit}: ${states} states, ${edges} edges`);
    expect(states).toBeGreaterThan(1_000);
  });
});
