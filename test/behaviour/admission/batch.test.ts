// submitAll admits all entries of a batch or none.

import fc from 'fast-check';
import type { AdmissionPolicy, Lease, RejectReason, Submission, SupervisorOptions, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES } from '../../../src/model/settings.ts';
import { SEED } from '../../support/effort.ts';
import { gateBody } from '../../support/gate.ts';
import { setup } from '../../support/setup.ts';

const one = (slot: string, admission: AdmissionPolicy = 'queue', more: Partial<TaskSpec> = {}): TaskSpec => ({
  slot,
  admission,
  run: () => slot,
  ...more,
});

const LOCAL: Lease = { fence: 0n, lost: new AbortController().signal, release: () => {} };

const busy = (admission: AdmissionPolicy) => one('busy', admission);

const forever = () => new Promise<never>(() => {});

const plan = fc.record({
  state: fc.constantFrom('owned', 'paused', 'owned and paused'),
  waiting: fc.array(fc.constantFrom(...ADMISSION_POLICIES), { maxLength: 4 }),
  batch: fc.array(fc.constantFrom(...ADMISSION_POLICIES), { minLength: 1, maxLength: 3 }),
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

describe('submitAll: all or none', () => {
  type Row = readonly [name: string, batch: readonly TaskSpec[], reason: RejectReason, options?: SupervisorOptions];
  const rows: readonly Row[] = [
    ['two dropIfRunning for one idle slot', [one('s', 'dropIfRunning'), one('s', 'dropIfRunning')], 'slotBusy'],
    ['a dropIfRunning behind an own queued one', [one('s'), one('s', 'dropIfRunning')], 'slotBusy'],
    [
      'a dropIfRunning behind one whose lease is asked for',
      [one('s'), one('s', 'dropIfRunning')],
      'slotBusy',
      { leases: { acquire: ({ slot }) => (slot === 'busy' ? LOCAL : new Promise(() => {})) } },
    ],
    ['a dropIfRunning for a busy slot', [one('t'), busy('dropIfRunning'), one('u')], 'slotBusy'],
    ['two replacements of one slot', [one('s'), one('s', 'replace'), one('s', 'replace')], 'superseded'],
    ['two replacements of a busy slot', [busy('replace'), busy('replace')], 'superseded'],
    ['two keepLatest behind one', [one('s'), one('s', 'keepLatest'), one('s', 'keepLatest')], 'superseded'],
    ['one past the limit', [one('s'), one('s'), one('s')], 'queueFull', { slotDefaults: { queueLimit: 1 } }],
    [
      'one that would drop another of its own',
      [one('s'), one('s'), one('s')],
      'queueFull',
      { slotDefaults: { queueLimit: 1, onFull: 'dropOldest' } },
    ],
    ['one slot too many', [one('s'), one('t')], 'resourceLimit', { limits: { slots: 2 } }],
    ['one waiting too many', [one('s'), one('s'), busy('queue')], 'resourceLimit', { limits: { pending: 1 } }],
    ['a signal that is aborted', [one('s'), one('t', 'queue', { signal: AbortSignal.abort() })], 'canceled'],
  ];
  for (const [name, batch, reason, options] of rows)
    test(`${name}: every entry is rejected, nothing starts, nobody else notices`, async () => {
      const { supervisor, clock, recorded } = setup(options);
      const owner = gateBody();
      supervisor.submit({ slot: 'busy', run: owner.body });
      await clock.settle();
      const { slots } = supervisor.snapshot();
      const submissions = supervisor.submitAll(batch);
      expect(submissions.map(({ admission }) => admission)).toEqual(batch.map(() => 'rejected'));
      const outcomes = await Promise.all(submissions.map(({ outcome }) => outcome));
      const reasons = outcomes.map((outcome) => outcome.kind === 'rejected' && outcome.reason);
      expect(reasons.filter((one) => one === reason)).toHaveLength(1);
      expect(reasons.filter((one) => one === 'batchRejected')).toHaveLength(batch.length - 1);
      await clock.settle();
      expect(owner.calls[0]?.canceled).toBe(false);
      expect(supervisor.snapshot()).toMatchObject({
        slots,
        queued: 0,
        totals: { started: 1, attempts: 1, rejected: batch.length },
      });
      expect(recorded.of('rejected')).toHaveLength(batch.length);
    });

  test('a batch that fits is decided in the order given and sees its own earlier entries', async () => {
    const { supervisor } = setup();
    const policies = ['dropIfRunning', 'join', 'queue', 'keepLatest', 'replace', 'join'] as const;
    const batch = supervisor.submitAll(policies.map((admission) => one('s', admission)));
    // The replacement finds an owner that has not begun: it takes the slot at once, and the last one joins it.
    expect(batch.map(({ admission }) => admission)).toEqual([
      'started',
      'joined',
      'queued',
      'queued',
      'started',
      'joined',
    ]);
    const kinds = await Promise.all(batch.map(async ({ outcome }) => (await outcome).kind));
    expect(kinds).toEqual(['canceled', 'canceled', 'completed', 'completed', 'completed', 'completed']);
  });

  test.each(['replace', 'keepLatest'] as const)(
    'work of others gives way to a whole batch only: %s supersedes when the batch fits, and not when it does not',
    async (admission) => {
      const { supervisor, clock } = setup();
      const owner = gateBody();
      supervisor.submit({ slot: 'busy', run: owner.body });
      await clock.settle();
      const waiting = supervisor.submit(busy(admission));
      supervisor.submitAll([busy(admission), busy('dropIfRunning')]);
      expect(waiting.status).toBe('queued');
      const [taker] = supervisor.submitAll([busy(admission), busy('queue')]);
      expect(await waiting.outcome).toEqual({ kind: 'rejected', reason: 'superseded', by: taker.id });
    },
  );

  test('an entry that is no spec throws, and nothing is kept of the ones before it', async () => {
    const { supervisor, clock } = setup();
    expect(() => supervisor.submitAll([one('s'), { run: 5 } as never])).toThrow(/run must be/);
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ slots: [], totals: { submitted: 0 } });
    expect(supervisor.submitAll([])).toEqual([]);
  });

  test('the results are typed and in the order given', async () => {
    const { supervisor } = setup();
    const [text, number] = supervisor.submitAll([{ run: () => 'text' }, { run: async () => 5 }]);
    const upper: string = (await text.value()).toUpperCase();
    const sum: number = (await number.value()) + 1;
    expect([upper, sum]).toEqual(['TEXT', 6]);
  });
});

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
