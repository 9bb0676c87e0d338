import { expect, test } from 'vitest';
import { SlotMachine } from '../../src/policy/slot-machine.ts';
import { everything, explore } from '../support/slot-explorer.ts';
import type { Entry } from '../support/slot-world.ts';

test.for<[submissions: number, queueLimit: number]>([
  [4, 0],
  [4, 1],
  [4, 2],
  [5, 2],
])(
  'every reachable state of a slot keeps S1 to S8, S10 and S11 and can reach rest, with %i submissions of every kind and a queueLimit of %i',
  ([submissions, queueLimit]) => {
    const { states, edges } = explore(() => new SlotMachine<Entry>(), everything(queueLimit, submissions));
    console.log(`${submissions} submissions, queueLimit ${queueLimit}: ${states} states, ${edges} edges`);
    expect(states).toBeGreaterThan(20_000);
  },
);
