// A batch on slots where others wait already: the rehearsal against the thing itself.

import fc from 'fast-check';
import type { AdmissionPolicy, Submission } from 'slotvisor';
import { expect, test } from 'vitest';
import { SEED } from '../support/effort.ts';
import { setup } from '../support/setup.ts';

const POLICIES: readonly AdmissionPolicy[] = ['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'];
const forever = () => new Promise<never>(() => {});

const plan = fc.record({
  state: fc.constantFrom('owned', 'paused', 'owned and paused'),
  waiting: fc.array(fc.constantFrom(...POLICIES), { maxLength: 4 }),
  batch: fc.array(fc.constantFrom(...POLICIES), { minLength: 1, maxLength: 3 }),
  queueLimit: fc.nat(3),
  onFull: fc.constantFrom('reject' as const, 'dropOldest' as const),
  pending: fc.constantFrom(Infinity, 1, 2, 3),
});

type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never;

/** The owner's body runs: one that has not begun would end at once when it is told to stop, which a batch does not count on. */
async function standing({ state, waiting, queueLimit, onFull, pending }: Plan) {
  const { supervisor, clock } = setup({ slotDefaults: { queueLimit, onFull }, limits: { pending } });
  const slot = supervisor.slot('s');
  if (state !== 'paused') slot.submit({ run: forever });
  await clock.settle();
  if (state !== 'owned') slot.pause();
  for (const admission of waiting) slot.submit({ admission, run: forever });
  return { supervisor, slot };
}

const isRejected = async ({ status, outcome }: Submission): Promise<boolean> =>
  status === 'ended' && (await outcome).kind === 'rejected';

test('is admitted exactly when its entries, submitted one by one, would all be and none would turn another away', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (given) => {
      const { slot } = await standing(given);
      const oneByOne = given.batch.map((admission) => slot.submit({ admission, run: forever }));
      const fits = !(await Promise.all(oneByOne.map(isRejected))).includes(true);
      const { supervisor } = await standing(given);
      const batch = supervisor.submitAll(given.batch.map((admission) => ({ slot: 's', admission, run: forever })));
      const admissions = batch.map(({ admission }) => admission);
      expect(admissions).toEqual(
        fits ? oneByOne.map(({ admission }) => admission) : given.batch.map(() => 'rejected' as const),
      );
    }),
    { numRuns: 1_000, seed: SEED },
  );
});

test('an entry that meets a busy slot is told who owns it; one that finds no room is told of nobody', async () => {
  const { supervisor, clock } = setup({ slotDefaults: { queueLimit: 1 } });
  const owner = supervisor.submit({ slot: 'busy', run: forever });
  supervisor.submit({ slot: 'full', run: forever });
  supervisor.submit({ slot: 'full', run: forever });
  await clock.settle();
  const batch = supervisor.submitAll([
    { slot: 'busy', admission: 'dropIfRunning', run: forever },
    { slot: 'full', run: forever },
    { slot: 'idle', run: forever },
  ]);
  expect(await Promise.all(batch.map(({ outcome }) => outcome))).toStrictEqual([
    { kind: 'rejected', reason: 'slotBusy', by: owner.id },
    { kind: 'rejected', reason: 'queueFull' },
    { kind: 'rejected', reason: 'batchRejected' },
  ]);
});

test('an entry that meets a slot whose lease is asked for is told who asks', async () => {
  const { supervisor } = setup({ leases: { acquire: forever } });
  const asker = supervisor.submit({ slot: 's', run: forever });
  const [refused] = supervisor.submitAll([{ slot: 's', admission: 'dropIfRunning', run: forever }]);
  expect(await refused.outcome).toStrictEqual({ kind: 'rejected', reason: 'slotBusy', by: asker.id });
});
