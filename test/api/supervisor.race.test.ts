// Random sequences of commands on the real supervisor. After every step it is compared with a
// reference that implements the promises only.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES, ON_OVERRUN, ON_SHUTDOWN, RESTART_POLICIES } from '../../src/model/settings.ts';
import { RUNS, SEED } from '../support/effort.ts';
import { Lockstep, type Step } from '../support/lockstep.ts';
import type { Plan, Script } from '../support/reference.ts';

const slot = fc.constantFrom('a', 'b');
const pick = fc.nat(9);

const script: fc.Arbitrary<Script> = fc.record({
  onStart: fc.oneof(
    { weight: 5, arbitrary: fc.constant('nothing' as const) },
    { weight: 3, arbitrary: fc.constantFrom('return' as const, 'throw' as const) },
    { weight: 2, arbitrary: fc.constantFrom(...ADMISSION_POLICIES) },
  ),
  onStop: fc.constantFrom('reject', 'ignore', 'return', 'throw', 'lateReturn', 'lateThrow', 'resubmit'),
});

const plan: fc.Arbitrary<Plan> = fc.record({
  slot,
  policy: fc.constantFrom(...ADMISSION_POLICIES),
  script,
  restart: fc.constantFrom(...RESTART_POLICIES),
  maxRetries: fc.nat(2),
  onOverrun: fc.constantFrom(...ON_OVERRUN),
  onShutdown: fc.constantFrom(...ON_SHUTDOWN),
  timed: fc.constantFrom('no', 'no', 'timeout', 'queueTimeout', 'deadline'),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 30, arbitrary: fc.record({ do: fc.constant('submit' as const), plan }) },
  {
    weight: 20,
    arbitrary: fc.record({ do: fc.constant('end' as const), pick, how: fc.constantFrom('value', 'error') }),
  },
  {
    weight: 15,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1, 8, 32, 110, 250) }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constantFrom('cancel' as const, 'restart' as const), pick }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('resume' as const), slot }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('cancelSlot' as const, 'pause' as const), slot }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('configure' as const),
      slot,
      queueLimit: fc.nat(3),
      dropOldest: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('shutdown' as const) }) },
);

class StepCommand implements fc.AsyncCommand<object, Lockstep> {
  readonly #step: Step;
  constructor(step: Step) {
    this.#step = step;
  }
  check(): boolean {
    return true;
  }
  run(_: object, both: Lockstep): Promise<void> {
    return both.take(this.#step);
  }
  toString(): string {
    return JSON.stringify(this.#step);
  }
}

describe('the supervisor and a reference of its promises agree', () => {
  test(
    `on owner, queue, order, outcomes and events in ${RUNS.sequences} random sequences of up to 60 commands (seed ${SEED})`,
    async () => {
      const commands = fc.commands([step.map((drawn) => new StepCommand(drawn))], { maxCommands: 60, size: 'max' });
      let bodies = 0;
      let steps = 0;
      await fc.assert(
        fc.asyncProperty(commands, async (sequence) => {
          const both = new Lockstep();
          await fc.asyncModelRun(() => ({ model: {}, real: both }), sequence);
          await both.finish();
          bodies += both.reference.started.length;
          steps += both.steps;
        }),
        { numRuns: RUNS.sequences, seed: SEED },
      );
      console.log(`${RUNS.sequences} sequences: ${steps} steps, ${bodies} bodies called`);
      expect(bodies).toBeGreaterThan(5 * RUNS.sequences);
    },
    RUNS.timeoutMs,
  );
});
