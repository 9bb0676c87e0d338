// Random sequences of commands on the real supervisor. After every step it is compared with a
// reference that implements the promises only.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES, ON_OVERRUN, ON_SHUTDOWN, RESTART_POLICIES } from '../../src/model/settings.ts';
import { RUNS, SEED } from '../support/effort.ts';
import { Lockstep, SLOTS, type Step } from '../support/lockstep.ts';
import type { LeaseReply } from '../support/reference-leases.ts';
import { CASES, type Plan, type Script, type Setting, TIMES } from '../support/reference-nouns.ts';

const slot = fc.constantFrom(...SLOTS);
const pick = fc.nat(9);
const LOWEST_STAGE = -1;

const script: fc.Arbitrary<Script> = fc.record({
  onStart: fc.oneof(
    { weight: 5, arbitrary: fc.constant('nothing' as const) },
    { weight: 3, arbitrary: fc.constantFrom('return' as const, 'throw' as const) },
    { weight: 2, arbitrary: fc.constantFrom(...ADMISSION_POLICIES) },
  ),
  onStop: fc.constantFrom('reject', 'ignore', 'return', 'throw', 'lateReturn', 'lateThrow', 'resubmit'),
});

const endsAtOnce = ({ script: { onStart } }: Plan): boolean => onStart === 'return' || onStart === 'throw';

/**
 * Whether an attempt begins before or after a stage that begins in the same moment is not promised.
 * It would show in a body that ends within its call, and where a place at the gate is passed on.
 */
const plan = ({ concurrency }: Setting): fc.Arbitrary<Plan> =>
  fc
    .record({
      slot,
      policy: fc.constantFrom('join' as const, ...ADMISSION_POLICIES),
      script,
      restart: fc.constantFrom(...RESTART_POLICIES),
      maxRetries: fc.nat(2),
      stableMs: fc.constantFrom(Infinity, TIMES.stable),
      onOverrun: fc.constantFrom(...ON_OVERRUN),
      timed: fc.constantFrom('no', 'no', 'timeout', 'queueTimeout', 'deadline'),
      onShutdown: fc.constantFrom(...ON_SHUTDOWN),
      vital: fc.boolean(),
      stage: concurrency === Infinity ? fc.constantFrom(0, 0, LOWEST_STAGE, 2) : fc.constant(0),
    })
    .map((drawn) => (concurrency === Infinity && endsAtOnce(drawn) ? { ...drawn, stage: LOWEST_STAGE } : drawn));

/** Fractions, so that no timer of a task is due at the same moment. */
const shutdown: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ do: 'shutdown' as const, graceMs: 1_009.5, finishMs: 401.25 }) },
  { weight: 6, arbitrary: fc.constant({ do: 'shutdown' as const, graceMs: 337.25, finishMs: 337.25 }) },
  { weight: 2, arbitrary: fc.constant({ do: 'shutdown' as const, graceMs: Infinity, finishMs: 601.75 }) },
  { weight: 1, arbitrary: fc.constant({ do: 'shutdown' as const, graceMs: 709.25, finishMs: 0 }) },
  { weight: 1, arbitrary: fc.constant({ do: 'shutdown' as const, graceMs: 0, finishMs: 0 }) },
);

const reply: fc.Arbitrary<LeaseReply> = fc.oneof(
  { weight: 8, arbitrary: fc.constant('grant' as const) },
  { weight: 3, arbitrary: fc.constantFrom('deny' as const, 'superseded' as const) },
  { weight: 1, arbitrary: fc.constantFrom('throw' as const, 'stale' as const) },
);

/** No share of dead slots ends the supervisor. */
const LIVES = { deadFraction: Infinity };

const setting: fc.Arbitrary<Setting> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.constant({
      leases: 'local' as const,
      concurrency: Infinity,
      pending: Infinity,
      keepEnded: 3,
      ...LIVES,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constant({
      leases: 'asked' as const,
      concurrency: Infinity,
      pending: Infinity,
      keepEnded: 3,
      ...LIVES,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant({
      leases: 'prompt' as const,
      concurrency: Infinity,
      pending: Infinity,
      keepEnded: 3,
      ...LIVES,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant({ leases: 'local' as const, concurrency: 1, pending: Infinity, keepEnded: 3, ...LIVES }),
  },
  {
    weight: 2,
    arbitrary: fc.constant({ leases: 'local' as const, concurrency: 1, pending: 2, keepEnded: 3, ...LIVES }),
  },
  {
    weight: 1,
    arbitrary: fc.constant({ leases: 'asked' as const, concurrency: Infinity, pending: 2, keepEnded: 3, ...LIVES }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      leases: fc.constantFrom('local' as const, 'asked' as const),
      concurrency: fc.constant(Infinity),
      pending: fc.constant(Infinity),
      deadFraction: fc.constantFrom(0, 0.6, 1),
      keepEnded: fc.constantFrom(0, 1),
    }),
  },
);

/** What a store does, which nothing else asks for. Without a store these steps do nothing. */
const leaseStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('answer' as const), slot, reply }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('lose' as const), slot }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('revoke' as const, 'contend' as const, 'expire' as const), slot }),
  },
);

const step = (setting: Setting): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 30, arbitrary: fc.record({ do: fc.constant('submit' as const), plan: plan(setting) }) },
    { weight: setting.leases === 'local' ? 0 : 35, arbitrary: leaseStep },
    {
      weight: 20,
      arbitrary: fc.record({ do: fc.constant('end' as const), pick, how: fc.constantFrom('value', 'error') }),
    },
    {
      weight: 15,
      arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1, 8, 32, 110, 250, 510) }),
    },
    { weight: 9, arbitrary: fc.record({ do: fc.constant('cancel' as const), pick }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('restart' as const), pick }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('resume' as const), slot }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('cancelSlot' as const, 'pause' as const), slot }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('configure' as const),
        slot,
        queueLimit: fc.nat(3),
        dropsOldest: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constantFrom('resumeAll' as const, 'resumeAll' as const, 'pauseAll' as const) }),
    },
    { weight: 2, arbitrary: shutdown },
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
      const sequences = setting.chain((of) =>
        fc.record({
          of: fc.constant(of),
          commands: fc.commands([step(of).map((drawn) => new StepCommand(drawn))], { maxCommands: 60, size: 'max' }),
        }),
      );
      const seen = new Map<string, number>();
      let bodies = 0;
      let steps = 0;
      await fc.assert(
        fc.asyncProperty(sequences, async ({ of, commands }) => {
          const both = new Lockstep(of);
          await fc.asyncModelRun(() => ({ model: {}, real: both }), commands);
          await both.finish();
          for (const [what, count] of both.reference.seen) seen.set(what, (seen.get(what) ?? 0) + count);
          bodies += both.reference.attempts.started.length;
          steps += both.steps;
        }),
        { numRuns: RUNS.sequences, seed: SEED },
      );
      console.log(`${RUNS.sequences} sequences: ${steps} steps, ${bodies} bodies called`);
      expect(bodies).toBeGreaterThan(3 * RUNS.sequences);
      expect(CASES.filter((what) => (seen.get(what) ?? 0) < Math.floor(RUNS.sequences / 400))).toEqual([]);
    },
    RUNS.timeoutMs,
  );
});
