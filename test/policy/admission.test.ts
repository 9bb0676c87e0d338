import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES, type AdmissionPolicy } from '../../src/model/settings.ts';
import { ON_FULL } from '../../src/model/slot-options.ts';
import { admit, type Limits, queuedBehindCandidate, type SlotState, type Verdict } from '../../src/policy/admission.ts';

const IDLE: SlotState = { phase: 'idle', paused: false, hasReplacement: false, hasLatest: false, queueLength: 0 };
const LIMITS: Limits = { queueLimit: 2, onFull: 'reject', mayWait: true, mayStart: true };

type VerdictPer<List extends readonly unknown[]> = { readonly [K in keyof List]: Verdict };

/**
 * A verdict for each policy, in the order of `ADMISSION_POLICIES`. A new policy fails the type
 * check of every row.
 */
type Verdicts = VerdictPer<typeof ADMISSION_POLICIES>;

type Row = readonly [when: string, slot: Partial<SlotState>, limits: Partial<Limits>, verdicts: Verdicts];

// queue, replace, dropIfRunning, keepLatest, join
const rows: readonly Row[] = [
  ['idle', {}, {}, ['start', 'start', 'start', 'start', 'start']],
  [
    'idle, although nothing may wait',
    {},
    { queueLimit: 0, mayWait: false },
    ['start', 'start', 'start', 'start', 'start'],
  ],
  [
    'idle, while the start would wait at the gate',
    {},
    { queueLimit: 0, mayStart: false },
    ['start', 'start', 'start', 'start', 'start'],
  ],
  [
    'idle, while the start would wait at the gate and nothing more may wait',
    {},
    { mayStart: false, mayWait: false },
    ['resourceLimit', 'resourceLimit', 'resourceLimit', 'resourceLimit', 'resourceLimit'],
  ],
  ['running', { phase: 'running' }, {}, ['append', 'replaceOwner', 'slotBusy', 'append', 'join']],
  ['stopping', { phase: 'stopping' }, {}, ['append', 'replaceOwner', 'slotBusy', 'append', 'append']],
  [
    'paused, with an owner',
    { phase: 'running', paused: true },
    {},
    ['append', 'replaceOwner', 'slotBusy', 'append', 'join'],
  ],
  ['paused, without an owner', { paused: true }, {}, ['append', 'replaceOwner', 'append', 'append', 'append']],
  [
    'paused, without an owner, while others wait',
    { paused: true, hasReplacement: true, queueLength: 1 },
    {},
    ['append', 'replaceOwner', 'slotBusy', 'append', 'join'],
  ],
  [
    'paused, without an owner, while one waits in the queue',
    { paused: true, queueLength: 1 },
    {},
    ['append', 'replaceOwner', 'slotBusy', 'append', 'join'],
  ],
  [
    'paused, without an owner, while a replacement waits',
    { paused: true, hasReplacement: true },
    {},
    ['append', 'replaceOwner', 'slotBusy', 'append', 'join'],
  ],
  [
    'paused, while a lease request is withdrawn and nothing waits',
    { phase: 'waiting', paused: true },
    {},
    ['append', 'replaceOwner', 'append', 'append', 'append'],
  ],
  [
    'paused while the lease is requested',
    { phase: 'waiting', paused: true, queueLength: 1 },
    {},
    ['append', 'replaceOwner', 'slotBusy', 'append', 'join'],
  ],
  [
    'running, while a keepLatest waits',
    { phase: 'running', hasLatest: true, queueLength: 1 },
    {},
    ['append', 'replaceOwner', 'slotBusy', 'takeLatest', 'join'],
  ],
  [
    'running, with a full queue',
    { phase: 'running', queueLength: 2 },
    {},
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'join'],
  ],
  [
    'stopping, with a full queue',
    { phase: 'stopping', queueLength: 2 },
    {},
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'join'],
  ],
  [
    'stopping, while a replacement waits',
    { phase: 'stopping', hasReplacement: true },
    {},
    ['append', 'replaceOwner', 'slotBusy', 'append', 'join'],
  ],
  [
    'stopping, with a queueLimit of 0',
    { phase: 'stopping' },
    { queueLimit: 0 },
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'queueFull'],
  ],
  [
    'running, with a full queue that holds a keepLatest',
    { phase: 'running', hasLatest: true, queueLength: 2 },
    {},
    ['queueFull', 'replaceOwner', 'slotBusy', 'takeLatest', 'join'],
  ],
  [
    'running, with a full queue that drops the oldest',
    { phase: 'running', queueLength: 2 },
    { onFull: 'dropOldest' },
    ['dropOldest', 'replaceOwner', 'slotBusy', 'dropOldest', 'join'],
  ],
  [
    'running, with a replacement that waits beside a full queue',
    { phase: 'running', hasReplacement: true, queueLength: 2 },
    {},
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'join'],
  ],
  [
    'running, with a queueLimit of 0',
    { phase: 'running' },
    { queueLimit: 0 },
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'join'],
  ],
  [
    'running, with a queueLimit of 0 and dropOldest, for there is no oldest',
    { phase: 'running' },
    { queueLimit: 0, onFull: 'dropOldest' },
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'join'],
  ],
  [
    'running, while nothing more may wait in the supervisor',
    { phase: 'running' },
    { mayWait: false },
    ['resourceLimit', 'resourceLimit', 'slotBusy', 'resourceLimit', 'join'],
  ],
  [
    'running, while nothing more may wait, but a replacement can take the place of a keepLatest',
    { phase: 'running', hasLatest: true, queueLength: 1 },
    { mayWait: false },
    ['resourceLimit', 'replaceOwner', 'slotBusy', 'takeLatest', 'join'],
  ],
  [
    'stopping, while nothing more may wait',
    { phase: 'stopping' },
    { mayWait: false },
    ['resourceLimit', 'resourceLimit', 'slotBusy', 'resourceLimit', 'resourceLimit'],
  ],
  [
    'running, while nothing more may wait, but a place can be taken over',
    { phase: 'running', hasReplacement: true, hasLatest: true, queueLength: 2 },
    { mayWait: false, onFull: 'dropOldest' },
    ['dropOldest', 'replaceOwner', 'slotBusy', 'takeLatest', 'join'],
  ],
  [
    'waiting for the lease that the head of the queue requested',
    { phase: 'waiting', queueLength: 1 },
    {},
    ['append', 'replaceOwner', 'slotBusy', 'append', 'join'],
  ],
  [
    'waiting for that lease, where the head does not count towards the limit',
    { phase: 'waiting', queueLength: 2 },
    {},
    ['append', 'replaceOwner', 'slotBusy', 'append', 'join'],
  ],
  [
    'waiting for that lease, with a full queue behind the head',
    { phase: 'waiting', queueLength: 3 },
    {},
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'join'],
  ],
  [
    'waiting for the lease that a replacement requested',
    { phase: 'waiting', hasReplacement: true, queueLength: 2 },
    {},
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'join'],
  ],
  [
    'waiting for a lease that no submission needs any more',
    { phase: 'waiting' },
    { queueLimit: 0 },
    ['append', 'replaceOwner', 'append', 'append', 'append'],
  ],
];

describe('the verdict of every policy is as in the table when the slot is', () => {
  for (const [when, slot, limits, verdicts] of rows)
    test(when, () => {
      const got = ADMISSION_POLICIES.map((policy) => admit({ ...IDLE, ...slot }, policy, { ...LIMITS, ...limits }));
      expect(got).toEqual(verdicts);
    });
});

test('neither the submission that waits for the lease nor a replacement counts towards the queue limit', () => {
  const counts = (slot: Partial<SlotState>) => queuedBehindCandidate({ ...IDLE, ...slot });
  expect(counts({ phase: 'running', queueLength: 3, hasReplacement: true })).toBe(3);
  expect(counts({ phase: 'waiting', queueLength: 3 })).toBe(2);
  expect(counts({ phase: 'waiting', queueLength: 3, hasReplacement: true })).toBe(3);
});

describe('in every state of the slot and under all limits', () => {
  const states = ['idle', 'waiting', 'running', 'stopping'].flatMap((phase) =>
    [0, 1, 2, 3].flatMap((queueLength) =>
      [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => ({
        phase: phase as SlotState['phase'],
        paused: (bits & 1) > 0,
        hasReplacement: (bits & 2) > 0,
        hasLatest: (bits & 4) > 0 && queueLength > 0,
        queueLength,
      })),
    ),
  );
  const allLimits = ON_FULL.flatMap((onFull) =>
    [0, 2].flatMap((queueLimit) =>
      [true, false].flatMap((mayWait) => [true, false].map((mayStart) => ({ queueLimit, onFull, mayWait, mayStart }))),
    ),
  );
  const each = (policy: AdmissionPolicy, check: (verdict: Verdict, slot: SlotState, limits: Limits) => void) => {
    for (const slot of states) for (const limits of allLimits) check(admit(slot, policy, limits), slot, limits);
  };

  const isFree = (slot: SlotState) => slot.phase === 'idle' && !slot.paused;
  const hasWaiting = (slot: SlotState) => slot.hasReplacement || slot.queueLength > 0;
  const hasOwner = (slot: SlotState) => slot.phase === 'running' || slot.phase === 'stopping';

  test('a submission starts only in an idle slot that is not paused, if the gate or the line has room (S1)', () => {
    for (const policy of ADMISSION_POLICIES)
      each(policy, (verdict, slot, limits) =>
        expect(verdict === 'start').toBe(isFree(slot) && (limits.mayStart || limits.mayWait)),
      );
  });

  test("only the supervisor's limit rejects a replacement, unless it takes the place of another submission", () => {
    each('replace', (verdict, slot, limits) => {
      const isRejected = !limits.mayWait && (isFree(slot) ? !limits.mayStart : !slot.hasReplacement && !slot.hasLatest);
      expect(verdict === 'resourceLimit').toBe(isRejected);
      if (!isRejected) expect(['start', 'replaceOwner']).toContain(verdict);
    });
  });

  test('a dropIfRunning finds the slot busy when it has an owner or something waits in it', () => {
    each('dropIfRunning', (verdict, slot) => {
      if (!isFree(slot)) expect(verdict === 'slotBusy').toBe(hasOwner(slot) || hasWaiting(slot));
    });
  });

  test("the queue never grows past its own limit or the supervisor's", () => {
    for (const policy of ADMISSION_POLICIES)
      each(policy, (verdict, slot, limits) => {
        if (verdict === 'append')
          expect([queuedBehindCandidate(slot) < limits.queueLimit, limits.mayWait]).toEqual([true, true]);
      });
  });

  test('a submission joins an owner that is not asked to stop, else what waits, whatever the limits are', () => {
    each('join', (verdict, slot) => {
      if (!isFree(slot)) expect(verdict === 'join').toBe(slot.phase === 'running' || hasWaiting(slot));
    });
  });
});
