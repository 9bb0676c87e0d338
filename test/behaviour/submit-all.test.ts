import type { AdmissionPolicy, Lease, RejectReason, SupervisorOptions, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../support/gate.ts';
import { setup } from '../support/setup.ts';

const one = (slot: string, admission: AdmissionPolicy = 'queue', more: Partial<TaskSpec> = {}): TaskSpec => ({
  slot,
  admission,
  run: () => slot,
  ...more,
});
const LOCAL: Lease = { fence: 0n, lost: new AbortController().signal, release: () => {} };
const busy = (admission: AdmissionPolicy) => one('busy', admission);

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
