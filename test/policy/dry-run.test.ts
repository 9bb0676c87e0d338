import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AdmissionPolicy } from '../../src/model/settings.ts';
import { DryRun } from '../../src/policy/dry-run.ts';
import { SlotMachine } from '../../src/policy/slot-machine.ts';
import type { Entry, Machine } from '../support/slot-explorer.ts';

const POLICIES: readonly AdmissionPolicy[] = ['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'];

interface Case {
  readonly before: readonly AdmissionPolicy[];
  readonly batch: readonly AdmissionPolicy[];
  readonly queueLimit: number;
  readonly onFull: 'reject' | 'dropOldest';
  readonly paused: boolean;
  readonly grantsAtOnce: boolean;
}

const cases: fc.Arbitrary<Case> = fc.record({
  before: fc.array(fc.constantFrom(...POLICIES), { maxLength: 5 }),
  batch: fc.array(fc.constantFrom(...POLICIES), { minLength: 1, maxLength: 5 }),
  queueLimit: fc.nat(3),
  onFull: fc.constantFrom('reject', 'dropOldest'),
  paused: fc.boolean(),
  grantsAtOnce: fc.boolean(),
});

function submit(machine: Machine, policy: AdmissionPolicy, n: number, given: Case): Entry {
  const entry: Entry = { n, policy, place: 'new', ahead: null, behind: null };
  machine.submit(entry, { ...given, mayWait: true });
  for (const effect of machine.effects)
    if (effect.do === 'acquire' && given.grantsAtOnce) machine.granted(effect.request);
  machine.effects.length = 0;
  return entry;
}

test('a rehearsed batch is admitted exactly when submitting it would turn none of it away', () => {
  fc.assert(
    fc.property(cases, (given) => {
      const machine: Machine = new SlotMachine<Entry>();
      if (given.paused) machine.pause();
      given.before.forEach((policy, n) => {
        submit(machine, policy, n, given);
      });
      const dryRun = new DryRun({ slots: 1, pending: Infinity }, given.grantsAtOnce);
      const refused = given.batch.map((policy) =>
        dryRun.add('s', () => (machine.isIdle ? undefined : machine), policy, given),
      );
      const entries = given.batch.map((policy, i) => submit(machine, policy, 100 + i, given));
      const out = entries.filter(({ place }) => place === 'done');
      expect(refused.some((reason) => reason !== undefined)).toBe(out.length > 0);
    }),
    { numRuns: 5_000 },
  );
});

const nothing = () => undefined;

test('slots and pending bounds hold over the whole batch', () => {
  const room = { queueLimit: 10, onFull: 'reject' } as const;
  const slots = new DryRun({ slots: 1, pending: 9 }, true);
  expect(slots.add('a', nothing, 'queue', room)).toBeUndefined();
  expect(slots.add('a', nothing, 'queue', room)).toBeUndefined();
  expect(slots.add('b', nothing, 'queue', room)).toBe('resourceLimit');
  const pending = new DryRun({ slots: 9, pending: 1 }, true);
  expect(['queue', 'queue', 'queue'].map((p) => pending.add('a', nothing, p as AdmissionPolicy, room))).toEqual([
    undefined,
    undefined,
    'resourceLimit',
  ]);
});

/** A slot with an owner, and others that wait. */
function running(line: readonly AdmissionPolicy[], hasNext = false): () => Machine {
  const machine: Machine = new SlotMachine<Entry>();
  const roomy = { queueLimit: 9, onFull: 'reject', grantsAtOnce: true, before: [], batch: [], paused: false } as const;
  for (const policy of ['queue', ...line, ...(hasNext ? (['replace'] as const) : [])] as const)
    submit(machine, policy, 0, roomy);
  return () => machine;
}

test('a slot that is there already takes none of the slots that may still be opened', () => {
  const room = { queueLimit: 10, onFull: 'reject' } as const;
  expect(new DryRun({ slots: 0, pending: 1 }, true).add('a', running([]), 'queue', room)).toBeUndefined();
});

test('a replacement that takes the place of another takes no further place', () => {
  const room = { queueLimit: 10, onFull: 'reject' } as const;
  const dryRun = new DryRun({ slots: 1, pending: 1 }, true);
  expect(dryRun.add('a', running([], true), 'replace', room)).toBeUndefined();
  expect(dryRun.add('b', running([]), 'queue', room)).toBeUndefined();
  expect(dryRun.add('b', running([]), 'queue', room)).toBe('resourceLimit');
});

test('what queues beside a waiting replacement takes a place of its own', () => {
  const room = { queueLimit: 10, onFull: 'reject' } as const;
  const dryRun = new DryRun({ slots: 1, pending: 1 }, true);
  expect(dryRun.add('a', running([], true), 'queue', room)).toBeUndefined();
  expect(dryRun.add('a', running([], true), 'queue', room)).toBe('resourceLimit');
});

test('the one that is dropped for a newcomer gives its place to it', () => {
  const room = { queueLimit: 1, onFull: 'dropOldest' } as const;
  const dryRun = new DryRun({ slots: 1, pending: 1 }, true);
  expect(dryRun.add('a', running(['queue']), 'queue', room)).toBeUndefined();
  expect(dryRun.add('b', running([]), 'queue', room)).toBeUndefined();
  expect(dryRun.add('c', running([]), 'queue', room)).toBe('resourceLimit');
});

/** A slot whose lease has been requested. */
function asking(): Machine {
  const machine: Machine = new SlotMachine<Entry>();
  submit(machine, 'queue', 0, {
    queueLimit: 9,
    onFull: 'reject',
    grantsAtOnce: false,
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
  ['a replacement that supersedes one of the batch', running([])(), ['replace', 'replace'], 'superseded'],
  ['a keepLatest that supersedes one of the batch', running([])(), ['keepLatest', 'keepLatest'], 'superseded'],
  ['a newcomer that drops one of the batch', running([])(), ['queue', 'queue'], 'queueFull'],
  ['a newcomer that drops one of the batch beside another', asking(), ['queue', 'replace', 'queue'], 'queueFull'],
  [
    'an owner that the batch replaces, for it is there until it has ended',
    paused(running([])()),
    ['replace', 'dropIfRunning'],
    'slotBusy',
  ],
])('a batch is refused, with the reason, because of %s', ([, found, batch, last]) => {
  const dryRun = new DryRun({ slots: 0, pending: 9 }, false);
  const room = { queueLimit: 1, onFull: 'dropOldest' } as const;
  const reasons = batch.map((policy) => dryRun.add('a', () => found, policy, room));
  expect(reasons).toEqual(batch.map((_, i) => (i === batch.length - 1 ? last : undefined)));
});
