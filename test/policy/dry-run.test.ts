import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ADMISSION_POLICIES, type AdmissionPolicy } from '../../src/model/settings.ts';
import { ON_FULL, type OnFull } from '../../src/model/slot-options.ts';
import { DryRun } from '../../src/policy/dry-run.ts';
import { SlotMachine } from '../../src/policy/slot-machine.ts';
import type { Entry, Machine } from '../support/slot-explorer.ts';

interface Case {
  readonly before: readonly AdmissionPolicy[];
  readonly batch: readonly AdmissionPolicy[];
  readonly queueLimit: number;
  readonly onFull: OnFull;
  readonly paused: boolean;
  readonly grantsImmediately: boolean;
}

const cases: fc.Arbitrary<Case> = fc.record({
  before: fc.array(fc.constantFrom(...ADMISSION_POLICIES), { maxLength: 5 }),
  batch: fc.array(fc.constantFrom(...ADMISSION_POLICIES), { minLength: 1, maxLength: 5 }),
  queueLimit: fc.nat(3),
  onFull: fc.constantFrom(...ON_FULL),
  paused: fc.boolean(),
  grantsImmediately: fc.boolean(),
});

function submit(machine: Machine, policy: AdmissionPolicy, n: number, given: Case): Entry {
  const entry: Entry = { n, policy, place: 'new', ahead: null, behind: null };
  machine.submit(entry, { ...given, mayWait: true });
  for (const effect of machine.effects)
    if (effect.do === 'acquire' && given.grantsImmediately) machine.granted(effect.request);
  machine.effects.length = 0;
  return entry;
}

test('a dry run accepts a batch exactly when submitting the batch would reject none of its entries', () => {
  fc.assert(
    fc.property(cases, (given) => {
      const machine: Machine = new SlotMachine<Entry>();
      if (given.paused) machine.pause();
      given.before.forEach((policy, n) => {
        submit(machine, policy, n, given);
      });
      const dryRun = new DryRun({ slots: 1, pending: Infinity }, given.grantsImmediately);
      const refused = given.batch.map((policy) =>
        dryRun.add('s', () => (machine.isIdle ? undefined : machine), policy, given),
      );
      const entries = given.batch.map((policy, i) => submit(machine, policy, 100 + i, given));
      const rejected = entries.filter(({ place }) => place === 'done');
      expect(refused.some((reason) => reason !== undefined)).toBe(rejected.length > 0);
    }),
    { numRuns: 5_000 },
  );
});

const nothing = () => undefined;

test('the limits of slots and of waiting submissions hold over the whole batch', () => {
  const limits = { queueLimit: 10, onFull: 'reject' } as const;
  const slots = new DryRun({ slots: 1, pending: 9 }, true);
  expect(slots.add('a', nothing, 'queue', limits)).toBeUndefined();
  expect(slots.add('a', nothing, 'queue', limits)).toBeUndefined();
  expect(slots.add('b', nothing, 'queue', limits)).toBe('resourceLimit');
  const pending = new DryRun({ slots: 9, pending: 1 }, true);
  expect(['queue', 'queue', 'queue'].map((p) => pending.add('a', nothing, p as AdmissionPolicy, limits))).toEqual([
    undefined,
    undefined,
    'resourceLimit',
  ]);
});

/** A slot with an owner, and submissions that wait. */
function running(waiting: readonly AdmissionPolicy[], hasReplacement = false): () => Machine {
  const machine: Machine = new SlotMachine<Entry>();
  const unlimited = {
    queueLimit: 9,
    onFull: 'reject',
    grantsImmediately: true,
    before: [],
    batch: [],
    paused: false,
  } as const;
  for (const policy of ['queue', ...waiting, ...(hasReplacement ? (['replace'] as const) : [])] as const)
    submit(machine, policy, 0, unlimited);
  return () => machine;
}

test('an entry for a live slot does not count towards the slots that may be opened', () => {
  const limits = { queueLimit: 10, onFull: 'reject' } as const;
  expect(new DryRun({ slots: 0, pending: 1 }, true).add('a', running([]), 'queue', limits)).toBeUndefined();
});

test('a replacement that supersedes another does not count as one more waiting submission', () => {
  const limits = { queueLimit: 10, onFull: 'reject' } as const;
  const dryRun = new DryRun({ slots: 1, pending: 1 }, true);
  expect(dryRun.add('a', running([], true), 'replace', limits)).toBeUndefined();
  expect(dryRun.add('b', running([]), 'queue', limits)).toBeUndefined();
  expect(dryRun.add('b', running([]), 'queue', limits)).toBe('resourceLimit');
});

test('an entry that queues beside a waiting replacement counts as one more waiting submission', () => {
  const limits = { queueLimit: 10, onFull: 'reject' } as const;
  const dryRun = new DryRun({ slots: 1, pending: 1 }, true);
  expect(dryRun.add('a', running([], true), 'queue', limits)).toBeUndefined();
  expect(dryRun.add('a', running([], true), 'queue', limits)).toBe('resourceLimit');
});

test('an entry that drops the oldest does not count as one more waiting submission', () => {
  const limits = { queueLimit: 1, onFull: 'dropOldest' } as const;
  const dryRun = new DryRun({ slots: 1, pending: 1 }, true);
  expect(dryRun.add('a', running(['queue']), 'queue', limits)).toBeUndefined();
  expect(dryRun.add('b', running([]), 'queue', limits)).toBeUndefined();
  expect(dryRun.add('c', running([]), 'queue', limits)).toBe('resourceLimit');
});

/** A slot whose lease has been requested. */
function requested(): Machine {
  const machine: Machine = new SlotMachine<Entry>();
  submit(machine, 'queue', 0, {
    queueLimit: 9,
    onFull: 'reject',
    grantsImmediately: false,
    before: [],
    batch: [],
    paused: false,
  });
  return machine;
}

function paused(machine: Machine): Machine {
  machine.pause();
  return machine;
}

test.for<readonly [claim: string, found: Machine, batch: readonly AdmissionPolicy[], last: string]>([
  ['a replacement that supersedes an entry of the batch', running([])(), ['replace', 'replace'], 'superseded'],
  ['a keepLatest that supersedes an entry of the batch', running([])(), ['keepLatest', 'keepLatest'], 'superseded'],
  ['an entry that drops an older entry of the batch', running([])(), ['queue', 'queue'], 'queueFull'],
  [
    'an entry that drops an older entry of the batch beside a replacement',
    requested(),
    ['queue', 'replace', 'queue'],
    'queueFull',
  ],
  [
    'an owner that the batch replaces, and that still owns the slot',
    paused(running([])()),
    ['replace', 'dropIfRunning'],
    'slotBusy',
  ],
])('a batch is rejected, with the reason, because of %s', ([, found, batch, last]) => {
  const dryRun = new DryRun({ slots: 0, pending: 9 }, false);
  const limits = { queueLimit: 1, onFull: 'dropOldest' } as const;
  const reasons = batch.map((policy) => dryRun.add('a', () => found, policy, limits));
  expect(reasons).toEqual(batch.map((_, i) => (i === batch.length - 1 ? last : undefined)));
});
