// No date vanishes, none runs twice, none early: whatever happens to the clocks, the schedule, its
// claims and its slot. A model counts the dates that have come.

import fc from 'fast-check';
import type { MissedPolicy } from 'slotvisor/cron';
import { describe, test } from 'vitest';
import { ADMISSION_POLICIES } from '../../../src/model/settings.ts';
import { RUNS, SEED } from '../../support/effort.ts';
import { EXPRESSIONS, ZONES } from './ledger-dates.ts';
import { type Act, type Answer, type Plan, runScript, type Script } from './ledger-world.ts';
import { HOUR, MINUTE, SECOND, START } from './world.ts';

/** Zone transitions follow soon after all but the first. */
const STARTS = [START, Date.UTC(2020, 2, 28, 22, 59, 30), Date.UTC(2020, 9, 24, 23, 0, 7), Date.UTC(2020, 10, 1, 4)];

/** About the time between two dates. All other times are multiples of it. */
type Kind = { readonly unitMs: number } & Pick<Plan, 'cron' | 'everyMs' | 'at'>;

const NO_KIND = { cron: undefined, everyMs: undefined, at: undefined };

const kinds = (startMs: number): fc.Arbitrary<Kind> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...Object.keys(EXPRESSIONS)).map((cron) => cronKind(cron)) },
    {
      weight: 3,
      arbitrary: fc
        .constantFrom(10 * SECOND, 7 * MINUTE, HOUR)
        .map((everyMs) => ({ ...NO_KIND, everyMs, unitMs: everyMs })),
    },
    {
      weight: 1,
      arbitrary: fc
        .integer({ min: -60, max: 7_200 })
        .map((s) => ({ ...NO_KIND, at: startMs + s * SECOND, unitMs: HOUR })),
    },
  );

const cronKind = (cron: string): Kind => ({ ...NO_KIND, cron, unitMs: EXPRESSIONS[cron]?.unitMs as number });

const zones = fc.constantFrom(...Object.keys(ZONES));
const policies = fc.constantFrom<MissedPolicy>('skip', 'once', { catchUp: 1 }, { catchUp: 4 }, { catchUp: 50 });
const seconds = (unitMs: number, fraction: number) => Math.round((unitMs * fraction) / SECOND) * SECOND;
const fractions = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const whole = (unitMs: number, min: number, max: number) => fractions(min, max).map((part) => seconds(unitMs, part));

interface Common extends Omit<Plan, 'cron' | 'everyMs' | 'at'> {}

const common = (startMs: number, unitMs: number): { [K in keyof Common]: fc.Arbitrary<Common[K]> } => ({
  timezone: zones,
  startAt: fc.oneof(
    { weight: 3, arbitrary: fc.constant(-Infinity) },
    { weight: 2, arbitrary: whole(unitMs, -3, 12).map((ms) => startMs + ms) },
    { weight: 1, arbitrary: fc.integer({ min: -60, max: 0 }).map((s) => startMs + s * SECOND) },
  ),
  endAt: fc.oneof(
    { weight: 3, arbitrary: fc.constant(Infinity) },
    { weight: 1, arbitrary: whole(unitMs, 1, 40).map((ms) => startMs + ms) },
  ),
  maxRuns: fc.oneof(
    { weight: 2, arbitrary: fc.constant(Infinity) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 9 }) },
  ),
  jitterMs: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: whole(unitMs, 0.1, 3) }),
  missed: policies,
  toleranceMs: fc.constantFrom(0, 20 * SECOND, 60 * SECOND, HOUR, Infinity),
  admission: fc.constantFrom(...ADMISSION_POLICIES),
  // A body that takes an odd number of ms fails.
  bodyMs: fc.oneof(
    fc.constant(0),
    fractions(0.01, 4).map((part) => Math.round(unitMs * part)),
  ),
});

const acts = (startMs: number, unitMs: number): fc.Arbitrary<Act> => {
  const ms = fractions(0, 5).map((part) => Math.round(unitMs * part));
  const set = fc.oneof(
    whole(unitMs, -4, 4),
    fc.integer({ min: -4_000, max: 4_000 }).map((s) => s * SECOND),
  );
  const creep = fc.integer({ min: -50, max: 50 }).map((s) => s * SECOND);
  const fields = common(startMs, unitMs);
  const change = fc.oneof(
    { weight: 2, arbitrary: kinds(startMs).map(({ unitMs: _, ...kind }) => given(kind)) },
    {
      weight: 5,
      arbitrary: fc.oneof(...Object.entries(fields).map(([field, value]) => value.map((got) => ({ [field]: got })))),
    },
    { weight: 1, arbitrary: fc.record({ missed: fields.missed, endAt: fields.endAt, timezone: fields.timezone }) },
  ) as fc.Arbitrary<Partial<Plan>>;
  return fc.oneof(
    { weight: 6, arbitrary: ms.map((got): Act => ({ act: 'advance', ms: Math.min(got, 12 * HOUR) })) },
    { weight: 3, arbitrary: ms.map((got): Act => ({ act: 'block', ms: got })) },
    { weight: 3, arbitrary: set.map((got): Act => ({ act: 'set', ms: got })) },
    { weight: 1, arbitrary: creep.map((got): Act => ({ act: 'creep', ms: got })) },
    { weight: 1, arbitrary: ms.map((got): Act => ({ act: 'submit', ms: got })) },
    { weight: 1, arbitrary: ms.map((got): Act => ({ act: 'crowd', ms: got })) },
    {
      weight: 5,
      arbitrary: fc.constantFrom<Act>(
        ...(['pause', 'resume', 'trigger', 'pauseSlot', 'resumeSlot', 'again'] as const).map((act) => ({ act })),
      ),
    },
    { weight: 5, arbitrary: change.map((got): Act => ({ act: 'update', change: got })) },
  );
};

const given = (kind: object) => Object.fromEntries(Object.entries(kind).filter(([, value]) => value !== undefined));

const ends = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Act[]>([]) },
  { weight: 1, arbitrary: fc.constantFrom<Act[]>([{ act: 'stop' }], [{ act: 'shutdown' }]) },
);

const answers: fc.Arbitrary<Answer> = fc.record({
  afterMs: fc.constantFrom(0, 0, SECOND, 40 * SECOND, 10 * MINUTE),
  says: fc.constantFrom<Answer['says']>('yes', 'yes', 'yes', 'no', 'fails'),
});

const scripts = (isClaimed: boolean): fc.Arbitrary<Script> =>
  fc.constantFrom(...STARTS).chain((startMs) =>
    kinds(startMs).chain(({ unitMs, ...kind }) =>
      fc
        .record({
          plan: fc.record(common(startMs, unitMs)),
          before: fc.array(acts(startMs, unitMs), { maxLength: 16 }),
          end: ends,
          after: fc.array(acts(startMs, unitMs), { maxLength: 3 }),
          answers: fc.array(answers, { minLength: 1, maxLength: 6 }),
          lastBeforeMs: fc.option(whole(unitMs, 0, 20), { nil: undefined }),
        })
        .map(({ plan, before, end, after, ...rest }) => ({
          startMs,
          plan: { ...plan, ...kind },
          acts: [...before, ...end, ...after],
          answers: isClaimed ? rest.answers : undefined,
          lastBeforeMs: rest.lastBeforeMs,
        })),
    ),
  );

const runs = Math.round(RUNS.sequences / 4);

describe('every date that has come is counted once, none runs twice, and none early', () => {
  for (const isClaimed of [false, true])
    test(
      `${isClaimed ? 'with claims' : 'without claims'} (seed ${SEED}, ${runs} times)`,
      async () => {
        await fc.assert(
          fc.asyncProperty(scripts(isClaimed), async (script) => fc.pre(await runScript(script))),
          { numRuns: runs, seed: SEED },
        );
      },
      RUNS.timeoutMs,
    );
});
