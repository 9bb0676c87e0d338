// submitAll admits all entries of a batch or none.

import fc from 'fast-check';
import type { AdmissionPolicy, Lease, RejectReason, Submission, SupervisorOptions, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES } from '../../../src/model/settings.ts';
import { ON_FULL } from '../../../src/model/slot-options.ts';
import { never } from '../../support/bodies.ts';
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

const plan = fc.record({
  state: fc.constantFrom('owned', 'paused', 'owned and paused'),
  waiting: fc.array(fc.constantFrom(...ADMISSION_POLICIES), { maxLength: 4 }),
  batch: fc.array(fc.constantFrom(...ADMISSION_POLICIES), { minLength: 1, maxLength: 3 }),
  queueLimit: fc.nat(3),
  onFull: fc.constantFrom(...ON_FULL),
  pending: fc.constantFrom(Infinity, 1, 2, 3),
});

type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never;

/**
 * A slot in the given state. The body of its owner runs, because an owner whose body has not begun
 * ends at once on a stop request, and a batch does not rely on that.
 */
async function slotInState({ state, waiting, queueLimit, onFull, pending }: Plan) {
  const { supervisor, clock } = setup({ slotDefaults: { queueLimit, onFull }, limits: { pending } });
  const slot = supervisor.slot('s');
  if (state !== 'paused') slot.submit({ run: never });
  await clock.settle();
  if (state !== 'owned') slot.pause();
  for (const admission of waiting) slot.submit({ admission, run: never });
  return { supervisor, slot };
}

const isRejected = async ({ status, outcome }: Submission): Promise<boolean> =>
  status === 'ended' && (await outcome).kind === 'rejected';

describe('submitAll: all or none', () => {
  type Row = readonly [name: string, batch: readonly TaskSpec[], reason: RejectReason, options?: SupervisorOptions];
  const rows: readonly Row[] = [
    ['two dropIfRunning entries for one idle slot', [one('s', 'dropIfRunning'), one('s', 'dropIfRunning')], 'slotBusy'],
    ['a dropIfRunning entry behind an entry for the same slot', [one('s'), one('s', 'dropIfRunning')], 'slotBusy'],
    [
      'a dropIfRunning entry behind an entry whose lease is requested',
      [one('s'), one('s', 'dropIfRunning')],
      'slotBusy',
      { leases: { acquire: ({ slot }) => (slot === 'busy' ? LOCAL : new Promise(() => {})) } },
    ],
    ['a dropIfRunning entry for a busy slot', [one('t'), busy('dropIfRunning'), one('u')], 'slotBusy'],
    ['two replacements for one slot', [one('s'), one('s', 'replace'), one('s', 'replace')], 'superseded'],
    ['two replacements for a busy slot', [busy('replace'), busy('replace')], 'superseded'],
    [
      'two keepLatest entries behind an owner',
      [one('s'), one('s', 'keepLatest'), one('s', 'keepLatest')],
      'superseded',
    ],
    ['one entry past queueLimit', [one('s'), one('s'), one('s')], 'queueFull', { slotDefaults: { queueLimit: 1 } }],
    [
      'an entry that would drop an entry of the same batch',
      [one('s'), one('s'), one('s')],
      'queueFull',
      { slotDefaults: { queueLimit: 1, onFull: 'dropOldest' } },
    ],
    ['one slot too many', [one('s'), one('t')], 'resourceLimit', { limits: { slots: 2 } }],
    ['one waiting entry too many', [one('s'), one('s'), busy('queue')], 'resourceLimit', { limits: { pending: 1 } }],
    ['an entry with an aborted signal', [one('s'), one('t', 'queue', { signal: AbortSignal.abort() })], 'canceled'],
  ];
  for (const [name, batch, reason, options] of rows)
    test(`a batch with ${name} is rejected whole, starts nothing and affects no other submission`, async () => {
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

  test('a batch that fits is admitted in the order given, and each entry sees the earlier ones', async () => {
    const { supervisor } = setup();
    const policies = ['dropIfRunning', 'join', 'queue', 'replace', 'keepLatest', 'join'] as const;
    const batch = supervisor.submitAll(policies.map((admission) => one('s', admission)));
    // The replacement finds an owner whose body has not begun, so it takes the slot at once.
    // The last entry joins it.
    expect(batch.map(({ admission }) => admission)).toEqual([
      'started',
      'joined',
      'queued',
      'started',
      'queued',
      'joined',
    ]);
    const kinds = await Promise.all(batch.map(async ({ outcome }) => (await outcome).kind));
    expect(kinds).toEqual(['canceled', 'canceled', 'completed', 'completed', 'completed', 'completed']);
  });

  test.each(['replace', 'keepLatest'] as const)(
    'an entry with policy %s supersedes a waiting submission only if the whole batch is admitted',
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

  test('an invalid entry makes submitAll throw, and no earlier entry is admitted', async () => {
    const { supervisor, clock } = setup();
    expect(() => supervisor.submitAll([one('s'), { run: 5 } as never])).toThrow(/run must be/);
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ slots: [], totals: { submitted: 0 } });
    expect(supervisor.submitAll([])).toEqual([]);
  });

  test('the submissions of a batch are typed and in the order given', async () => {
    const { supervisor } = setup();
    const [text, number] = supervisor.submitAll([{ run: () => 'text' }, { run: async () => 5 }]);
    const upper: string = (await text.value()).toUpperCase();
    const sum: number = (await number.value()) + 1;
    expect([upper, sum]).toEqual(['TEXT', 6]);
  });
});

test('a batch is admitted exactly when all its entries would be admitted one by one without rejecting each other', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (given) => {
      const { slot } = await slotInState(given);
      const oneByOne = given.batch.map((admission) => slot.submit({ admission, run: never }));
      const fits = !(await Promise.all(oneByOne.map(isRejected))).includes(true);
      const { supervisor } = await slotInState(given);
      const batch = supervisor.submitAll(given.batch.map((admission) => ({ slot: 's', admission, run: never })));
      const admissions = batch.map(({ admission }) => admission);
      expect(admissions).toEqual(
        fits ? oneByOne.map(({ admission }) => admission) : given.batch.map(() => 'rejected' as const),
      );
    }),
    { numRuns: 1_000, seed: SEED },
  );
});

test('the rejection of a batch entry by a busy slot names the owner, and a rejection by a full queue names no submission', async () => {
  const { supervisor, clock } = setup({ slotDefaults: { queueLimit: 1 } });
  const owner = supervisor.submit({ slot: 'busy', run: never });
  supervisor.submit({ slot: 'full', run: never });
  supervisor.submit({ slot: 'full', run: never });
  await clock.settle();
  const batch = supervisor.submitAll([
    { slot: 'busy', admission: 'dropIfRunning', run: never },
    { slot: 'full', run: never },
    { slot: 'idle', run: never },
  ]);
  expect(await Promise.all(batch.map(({ outcome }) => outcome))).toStrictEqual([
    { kind: 'rejected', reason: 'slotBusy', by: owner.id },
    { kind: 'rejected', reason: 'queueFull' },
    { kind: 'rejected', reason: 'batchRejected' },
  ]);
});

test('the rejection of a batch entry by a slot that waits for its lease names the candidate of that slot', async () => {
  const { supervisor } = setup({ leases: { acquire: never } });
  const candidate = supervisor.submit({ slot: 's', run: never });
  const [dropped] = supervisor.submitAll([{ slot: 's', admission: 'dropIfRunning', run: never }]);
  expect(await dropped.outcome).toStrictEqual({ kind: 'rejected', reason: 'slotBusy', by: candidate.id });
});
