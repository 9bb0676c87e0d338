// Random interleavings. Bodies end, commands are called, leases are granted and lost, and time
// passes in every order that a random scheduler draws, also in the middle of the library's own
// turns. The invariants are checked on the history afterwards.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES, ON_SHUTDOWN } from '../../src/model/settings.ts';
import { RUNS, SEED } from '../support/effort.ts';
import { FATES, type Fate } from '../support/race-store.ts';
import { type Entry, type Plan, World } from '../support/race-world.ts';

const plan: fc.Arbitrary<Plan> = fc.record({
  slot: fc.constantFrom('a', 'a', 'b'),
  admission: fc.constantFrom('queue' as const, 'join' as const, ...ADMISSION_POLICIES),
  restart: fc.constantFrom('onFailure', 'onFailure', 'never'),
  onShutdown: fc.constantFrom(...ON_SHUTDOWN),
  stage: fc.constantFrom(0, 0, -1, 1),
  ends: fc.constantFrom('value', 'value', 'value', 'error', 'errorOnce', 'late'),
  heedsStop: fc.boolean(),
  stableMs: fc.constantFrom(Infinity, 1),
  afterwards: fc.oneof(
    { weight: 12, arbitrary: fc.constant('nothing' as const) },
    { weight: 8, arbitrary: fc.constantFrom('cancel' as const, 'restart' as const) },
    { weight: 3, arbitrary: fc.constantFrom('cancelSlot' as const, 'pause' as const) },
    { weight: 2, arbitrary: fc.constantFrom('shutdown' as const, 'shutdown' as const, 'shutdownSoon' as const) },
  ),
  hops: fc.nat(4),
});

/** Without a store in one of two schedules. */
const fates: fc.Arbitrary<readonly Fate[] | undefined> = fc.option(
  fc.array(fc.constantFrom('keep' as const, 'lose' as const, ...FATES), { maxLength: 8 }),
  { nil: undefined, freq: 2 },
);

function check(world: World): void {
  const wrong: string[] = world.overlaps.map((slot) => `two bodies alive on ${slot} (S1)`);
  for (const entry of world.entries) wrong.push(...wrongWith(entry));
  wrong.push(...wrongOrder(world), ...wrongStarts(world), ...wrongLeases(world));
  const { slotCount, queued, owners, bodies, abandonedAlive } = world.supervisor.stats();
  if (slotCount + queued + owners + bodies + abandonedAlive > 0) wrong.push('work is left (S10)');
  wrong.push(...world.miscounts);
  if (world.clock.timers > 0) wrong.push(`${world.clock.timers} timers left`);
  expect(wrong).toEqual([]);
}

function wrongWith({ plan: given, submission, outcomes, calls, calledAfterOutcome }: Entry): string[] {
  const wrong: string[] = [];
  const [outcome] = outcomes;
  const label = `${submission.id} ${given.admission} ${given.slot}`;
  if (outcome === undefined || outcomes.length > 1) return [`${label}: ${outcomes.length} outcomes (S3)`];
  // A participant that is canceled has its outcome at once. The body, or the place in the slot,
  // goes on for the others.
  const mayHaveLeft = given.afterwards === 'cancel';
  if (calledAfterOutcome && !mayHaveLeft) wrong.push(`${label}: called after its outcome`);
  if (outcome.kind === 'rejected' && calls > 0 && !mayHaveLeft) wrong.push(`${label}: rejected, and called`);
  if (outcome.kind === 'killed' || outcome.kind === 'fatal') wrong.push(`${label}: ${outcome.kind}`);
  if (submission.admission === 'joined') return wrong;
  if (outcome.kind === 'completed' && outcome.value !== submission.id) wrong.push(`${label}: the value of another`);
  if (outcome.kind !== 'rejected' && outcome.attempts !== calls && !mayHaveLeft)
    wrong.push(`${label}: ${outcome.attempts} attempts reported, ${calls} made`);
  if (outcome.kind === 'failed' && given.ends !== 'error' && given.ends !== 'errorOnce')
    wrong.push(`${label}: failed without a failed attempt`);
  return wrong;
}

function wrongOrder({ begun, entries }: World): string[] {
  return ['a', 'b']
    .filter((slot) => {
      const queued = begun.filter(({ plan: given }) => given.slot === slot && given.admission === 'queue');
      const order = queued.map((entry) => entries.indexOf(entry));
      return order.some((at, i) => i > 0 && at < (order[i - 1] as number));
    })
    .map((slot) => `a queued submission was overtaken on ${slot} (S4)`);
}

/** After a shutdown began only finishers become owners, and none after the finish time. */
function wrongStarts({ events, entries }: World): string[] {
  const closing = events.find(({ type }) => type === 'shutdownStarted');
  if (closing === undefined) return [];
  const finishUntil =
    closing.at + Math.min(...events.flatMap((event) => (event.type === 'shutdownStarted' ? event.finishMs : [])));
  const finishes = (id: string): boolean => {
    const leader = entries.find(({ submission }) => submission.id === id);
    // Who joined is named once its leader has left, and has another spec.
    return leader?.plan.onShutdown === 'finish' || leader?.submission.admission === 'joined';
  };
  const late = events.filter((event) => event.type === 'started' && event.seq > closing.seq);
  return late.flatMap((event) => {
    if (event.type !== 'started') return [];
    const wrong = finishes(event.id) ? [] : [`${event.id} became owner after the shutdown began (S7)`];
    return event.at > finishUntil ? [...wrong, `${event.id} became owner after the finish time (S7)`] : wrong;
  });
}

/** A lease is released once, when all bodies under it have ended. */
function wrongLeases({ store }: World): string[] {
  if (store === undefined) return [];
  const kept = store.kept.map(({ slot, fence }) => `the lease ${fence} of ${slot} is left`);
  return [...store.wrong, ...store.port.violations, ...kept];
}

describe('in every order of events', () => {
  test(
    `a slot has one live body (S1), each submission one outcome (S3), the queue keeps its order (S4), a shutdown starts finishers only (S7), a lost lease has no attempt (S11) and no work is left (S10): ${RUNS.schedules} schedules, seed ${SEED}`,
    async () => {
      const schedule = [fc.scheduler(), fc.array(plan, { minLength: 2, maxLength: 6 }), fates] as const;
      await fc.assert(
        fc.asyncProperty(...schedule, async (scheduler, plans, drawn) => {
          const world = new World(scheduler, drawn);
          for (const given of plans) void world.play(given);
          await world.rest();
          check(world);
        }),
        { numRuns: RUNS.schedules, seed: SEED },
      );
    },
    RUNS.timeoutMs,
  );
});
