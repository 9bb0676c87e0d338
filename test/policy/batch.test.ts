import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AdmissionPolicy } from '../../src/model/settings.ts';
import { type Found, Rehearsal } from '../../src/policy/batch.ts';
import { SlotMachine } from '../../src/policy/slot.ts';
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
      const found = machine.spent
        ? undefined
        : {
            phase: machine.phase,
            paused: machine.paused,
            hasNext: machine.hasNext,
            line: [...machine.waiting()].filter(({ place }) => place === 'line').map(({ policy }) => policy),
          };
      const rehearsal = new Rehearsal({ slots: 1, pending: Infinity }, given.grantsAtOnce ? 'running' : 'waiting');
      const refused = given.batch.map((policy) => rehearsal.add('s', () => found, policy, given));
      const entries = given.batch.map((policy, i) => submit(machine, policy, 100 + i, given));
      const out = entries.filter(({ place }) => place === 'out');
      expect(refused.some((reason) => reason !== undefined)).toBe(out.length > 0);
    }),
    { numRuns: 5_000 },
  );
});

const nothing = () => undefined;

test('slots and pending bounds hold over the whole batch', () => {
  const room = { queueLimit: 10, onFull: 'reject' } as const;
  const slots = new Rehearsal({ slots: 1, pending: 9 }, 'running');
  expect(slots.add('a', nothing, 'queue', room)).toBeUndefined();
  expect(slots.add('a', nothing, 'queue', room)).toBeUndefined();
  expect(slots.add('b', nothing, 'queue', room)).toBe('resourceLimit');
  const pending = new Rehearsal({ slots: 9, pending: 1 }, 'running');
  expect(['queue', 'queue', 'queue'].map((p) => pending.add('a', nothing, p as AdmissionPolicy, room))).toEqual([
    undefined,
    undefined,
    'resourceLimit',
  ]);
});

const running =
  (line: readonly AdmissionPolicy[], hasNext = false) =>
  () => ({
    phase: 'running' as const,
    paused: false,
    hasNext,
    line,
  });

test('a slot that is there already takes none of the slots that may still be opened', () => {
  const room = { queueLimit: 10, onFull: 'reject' } as const;
  expect(new Rehearsal({ slots: 0, pending: 1 }, 'running').add('a', running([]), 'queue', room)).toBeUndefined();
});

test('a replacement that takes the place of another takes no further place', () => {
  const room = { queueLimit: 10, onFull: 'reject' } as const;
  const rehearsal = new Rehearsal({ slots: 1, pending: 1 }, 'running');
  expect(rehearsal.add('a', running([], true), 'replace', room)).toBeUndefined();
  expect(rehearsal.add('b', running([]), 'queue', room)).toBeUndefined();
  expect(rehearsal.add('b', running([]), 'queue', room)).toBe('resourceLimit');
});

test('what queues beside a waiting replacement takes a place of its own', () => {
  const room = { queueLimit: 10, onFull: 'reject' } as const;
  const rehearsal = new Rehearsal({ slots: 1, pending: 1 }, 'running');
  expect(rehearsal.add('a', running([], true), 'queue', room)).toBeUndefined();
  expect(rehearsal.add('a', running([], true), 'queue', room)).toBe('resourceLimit');
});

test('the one that is dropped for a newcomer gives its place to it', () => {
  const room = { queueLimit: 1, onFull: 'dropOldest' } as const;
  const rehearsal = new Rehearsal({ slots: 1, pending: 1 }, 'running');
  expect(rehearsal.add('a', running(['queue']), 'queue', room)).toBeUndefined();
  expect(rehearsal.add('b', running([]), 'queue', room)).toBeUndefined();
  expect(rehearsal.add('c', running([]), 'queue', room)).toBe('resourceLimit');
});

const asking: Found = { phase: 'waiting', paused: false, hasNext: false, line: ['queue'] };

test.for<readonly [claim: string, found: Found, batch: readonly AdmissionPolicy[], last: string]>([
  ['a replacement that supersedes one of the batch', running([])(), ['replace', 'replace'], 'superseded'],
  ['a keepLatest that supersedes one of the batch', running([])(), ['keepLatest', 'keepLatest'], 'superseded'],
  ['a newcomer that drops one of the batch', running([])(), ['queue', 'queue'], 'queueFull'],
  ['a newcomer that drops one of the batch beside another', asking, ['queue', 'replace', 'queue'], 'queueFull'],
  [
    'an owner that the batch replaces, for it is there until it has ended',
    { ...running([])(), paused: true },
    ['replace', 'dropIfRunning'],
    'slotBusy',
  ],
])('a batch is refused, with the reason, because of %s', ([, found, batch, last]) => {
  const rehearsal = new Rehearsal({ slots: 0, pending: 9 }, 'waiting');
  const room = { queueLimit: 1, onFull: 'dropOldest' } as const;
  const reasons = batch.map((policy) => rehearsal.add('a', () => found, policy, room));
  expect(reasons).toEqual(batch.map((_, i) => (i === batch.length - 1 ? last : undefined)));
});
