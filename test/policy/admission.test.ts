import { describe, expect, test } from 'vitest';
import type { AdmissionPolicy } from '../../src/model/settings.ts';
import { admit, type Limits, queuedBehindCandidate, type SlotState, type Verdict } from '../../src/policy/admission.ts';

const POLICIES = ['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'] as const;
const IDLE: SlotState = { phase: 'idle', paused: false, hasReplacement: false, hasLatest: false, queueLength: 0 };
const ROOM: Limits = { queueLimit: 2, onFull: 'reject', mayWait: true };

type Row = readonly [when: string, slot: Partial<SlotState>, room: Partial<Limits>, verdicts: readonly Verdict[]];

/** Verdicts in the order of the policies above. */
const rows: readonly Row[] = [
  ['idle', {}, {}, ['start', 'start', 'start', 'start', 'start']],
  ['idle, with no room at all', {}, { queueLimit: 0, mayWait: false }, ['start', 'start', 'start', 'start', 'start']],
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
    'paused, without an owner, others wait',
    { paused: true, hasReplacement: true, queueLength: 1 },
    {},
    ['append', 'replaceOwner', 'append', 'append', 'append'],
  ],
  [
    'paused while the lease was asked for',
    { phase: 'waiting', paused: true, queueLength: 1 },
    {},
    ['append', 'replaceOwner', 'append', 'append', 'append'],
  ],
  [
    'running, a keepLatest waits',
    { phase: 'running', hasLatest: true, queueLength: 1 },
    {},
    ['append', 'replaceOwner', 'slotBusy', 'takeLatest', 'join'],
  ],
  [
    'running, full',
    { phase: 'running', queueLength: 2 },
    {},
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'join'],
  ],
  [
    'stopping, full',
    { phase: 'stopping', queueLength: 2 },
    {},
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'queueFull'],
  ],
  [
    'running, full with a keepLatest',
    { phase: 'running', hasLatest: true, queueLength: 2 },
    {},
    ['queueFull', 'replaceOwner', 'slotBusy', 'takeLatest', 'join'],
  ],
  [
    'running, full, the oldest goes',
    { phase: 'running', queueLength: 2 },
    { onFull: 'dropOldest' },
    ['dropOldest', 'replaceOwner', 'slotBusy', 'dropOldest', 'join'],
  ],
  [
    'running, a replacement waits beside a full line',
    { phase: 'running', hasReplacement: true, queueLength: 2 },
    {},
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'join'],
  ],
  [
    'running, a line of none',
    { phase: 'running' },
    { queueLimit: 0 },
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'join'],
  ],
  [
    'running, a line of none has no oldest',
    { phase: 'running' },
    { queueLimit: 0, onFull: 'dropOldest' },
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'join'],
  ],
  [
    'running, nothing more may wait anywhere',
    { phase: 'running' },
    { mayWait: false },
    ['resourceLimit', 'resourceLimit', 'slotBusy', 'resourceLimit', 'join'],
  ],
  [
    'the same, but a place is taken over',
    { phase: 'running', hasReplacement: true, hasLatest: true, queueLength: 2 },
    { mayWait: false, onFull: 'dropOldest' },
    ['dropOldest', 'replaceOwner', 'slotBusy', 'takeLatest', 'join'],
  ],
  [
    'the lease is asked for by the head of the line',
    { phase: 'waiting', queueLength: 1 },
    {},
    ['append', 'replaceOwner', 'slotBusy', 'append', 'append'],
  ],
  [
    'the same, the head does not count to the limit',
    { phase: 'waiting', queueLength: 2 },
    {},
    ['append', 'replaceOwner', 'slotBusy', 'append', 'append'],
  ],
  [
    'the same, full behind the head',
    { phase: 'waiting', queueLength: 3 },
    {},
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'queueFull'],
  ],
  [
    'the lease is asked for by a replacement',
    { phase: 'waiting', hasReplacement: true, queueLength: 2 },
    {},
    ['queueFull', 'replaceOwner', 'slotBusy', 'queueFull', 'queueFull'],
  ],
  [
    'the lease is asked for, for nobody any more',
    { phase: 'waiting' },
    { queueLimit: 0 },
    ['append', 'replaceOwner', 'append', 'append', 'append'],
  ],
];

describe('the admission table', () => {
  for (const [when, slot, room, verdicts] of rows)
    test(when, () => {
      const got = POLICIES.map((policy) => admit({ ...IDLE, ...slot }, policy, { ...ROOM, ...room }));
      expect(got).toEqual(verdicts);
    });
});

test('who waits for the lease does not count to the limit, and a replacement never does', () => {
  const counts = (slot: Partial<SlotState>) => queuedBehindCandidate({ ...IDLE, ...slot });
  expect(counts({ phase: 'running', queueLength: 3, hasReplacement: true })).toBe(3);
  expect(counts({ phase: 'waiting', queueLength: 3 })).toBe(2);
  expect(counts({ phase: 'waiting', queueLength: 3, hasReplacement: true })).toBe(3);
});

describe('for every standing and every room', () => {
  const standings = ['idle', 'waiting', 'running', 'stopping'].flatMap((phase) =>
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
  const rooms = (['reject', 'dropOldest'] as const).flatMap((onFull) =>
    [0, 2].flatMap((queueLimit) => [true, false].map((mayWait) => ({ queueLimit, onFull, mayWait }))),
  );
  const each = (policy: AdmissionPolicy, look: (verdict: Verdict, slot: SlotState, room: Limits) => void) => {
    for (const slot of standings) for (const room of rooms) look(admit(slot, policy, room), slot, room);
  };

  test('nothing starts at once but in an idle slot that is not paused (S1)', () => {
    for (const policy of POLICIES)
      each(policy, (verdict, slot) => expect(verdict === 'start').toBe(slot.phase === 'idle' && !slot.paused));
  });

  test('a replacement is turned away by nothing but the supervisor’s own limit', () => {
    each('replace', (verdict, slot, room) => {
      if (room.mayWait || slot.hasReplacement) expect(['start', 'replaceOwner']).toContain(verdict);
    });
  });

  test('the line never grows past its limit, nor past the supervisor’s', () => {
    for (const policy of POLICIES)
      each(policy, (verdict, slot, room) => {
        if (verdict === 'append')
          expect([queuedBehindCandidate(slot) < room.queueLimit, room.mayWait]).toEqual([true, true]);
      });
  });

  test('only a running owner is joined', () => {
    each('join', (verdict, slot) => expect(verdict === 'join').toBe(slot.phase === 'running'));
  });
});
