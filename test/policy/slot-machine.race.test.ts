// Random inputs for more submissions than slot-machine.model.test.ts can explore. They reach longer
// lines and larger flights.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SlotMachine } from '../../src/policy/slot-machine.ts';
import { RUNS, SEED } from '../support/effort.ts';
import { everything } from '../support/slot-explorer.ts';
import { type Entry, type Input, World } from '../support/slot-world.ts';

/** Inputs after which a slot soon has nothing left to do. They are drawn less often. */
const RARE: readonly Input['do'][] = ['close', 'slotCancel', 'leave', 'pause'];

test(
  `a slot keeps S1 to S8, S10 and S11 with 14 submissions: ${RUNS.sequences} sequences, seed ${SEED}`,
  () => {
    const draws = fc.array(
      fc.record({ at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), rare: fc.nat(9) }),
      {
        minLength: 40,
        maxLength: 80,
      },
    );
    let steps = 0;
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 2, 5), draws, (queueLimit, sequence) => {
        const world = new World(new SlotMachine<Entry>(), everything(queueLimit, 14));
        for (const { at, rare } of sequence) {
          const inputs = world.inputs().filter((input) => rare === 0 || !RARE.includes(input.do));
          const input = inputs[Math.floor(at * inputs.length)];
          if (input === undefined) continue;
          world.apply(input);
          world.check();
          world.checkStale();
          steps += 1;
        }
      }),
      { numRuns: RUNS.sequences, seed: SEED },
    );
    expect(steps).toBeGreaterThan(RUNS.sequences * 20);
  },
  RUNS.timeoutMs,
);
