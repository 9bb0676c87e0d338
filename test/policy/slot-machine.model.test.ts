import { expect, test } from 'vitest';
import { SlotMachine } from '../../src/policy/slot-machine.ts';
import { everything, explore } from '../support/slot-explorer.ts';
import type { Entry } from '../support/slot-world.ts';

test.for<[submissions: number, queueLimit: number, leases: string]>([
  [4, 0, 'leases of a store'],
  [4, 1, 'leases of a store'],
  [4, 2, 'leases of a store'],
  [5, 2, 'leases of a store'],
  [4, 1, 'local leases'],
  [5, 2, 'local leases'],
])(
  'every reachable state of a slot keeps S1 to S8, S10 and S11 and can reach rest, with %i submissions of every kind, a queueLimit of %i and %s',
  ([submissions, queueLimit, leases]) => {
    const isLocal = leases === 'local leases';
    const bounds = { ...everything(queueLimit, submissions), isLocal };
    const { states, edges } = explore(() => new SlotMachine<Entry>(isLocal), bounds);
    console.log(`${submissions} submissions, queueLimit ${queueLimit}, ${leases}: ${states} states, ${edges} edges`);
    expect(states).toBeGreaterThan(isLocal ? 2_000 : 20_000);
  },
);
