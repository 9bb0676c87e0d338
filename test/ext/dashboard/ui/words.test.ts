import { expect, it } from 'vitest';
import {
  attemptText,
  reasonOf,
  saidOf,
  spaced,
  statesOf,
  stoppedBy,
  TILES,
  toneOf,
  withoutName,
} from '../../../../src/ext/dashboard/ui/words.ts';
import { SLOT_STATES, type SlotRow, type TaskRow } from '../../../../src/ext/dashboard/wire.ts';
import { STOP_CAUSES } from '../../../../src/model/error.ts';
import { slot, task } from './made-rows.ts';

it('every state has one tile', () => {
  expect(TILES.map(({ state }) => state).sort()).toEqual([...SLOT_STATES].sort());
});

it('what is bad is never green', () => {
  expect(['overrun', 'failing', 'dead', 'failed', 'fatal', 'killed', 'abandoned', 'timedOut'].map(toneOf)).toEqual(
    Array(8).fill('bad'),
  );
});

it.for<readonly [row: SlotRow, states: string]>([
  [slot(), 'running'],
  [slot({ owner: task({ status: 'backoff', streak: 5 }) }), 'backoff failing'],
  [slot({ owner: task({ status: 'backoff', streak: 4 }) }), 'backoff'],
  [slot({ paused: true }), 'running paused'],
  [slot({}, 'ownerless'), 'idle'],
  [slot({ paused: true }, 'ownerless'), 'paused'],
  [slot({ phase: 'waiting' }, 'ownerless'), 'lease'],
  [slot({ vital: 'dead' }, 'ownerless'), 'dead'],
])('a slot is in words what it is: %#', ([row, states]) => {
  expect(statesOf(row).join(' ')).toBe(states);
});

it.for<readonly [row: SlotRow, reason: string | undefined]>([
  [slot(), undefined],
  [
    slot({ owner: task({ status: 'overrun', stop: { by: 'replace', sinceMs: 7 } }) }),
    'asked to stop by its replacement',
  ],
  [slot({ owner: task({ status: 'starting', waitingFor: 'gate' }) }), 'waits for a place at the gate'],
  [slot({ owner: task({ status: 'starting', waitingFor: 'lease' }) }), 'waits for the lease'],
  [
    slot({
      owner: task({
        status: 'backoff',
        waitingFor: 'backoff',
        streak: 3,
        failure: { kind: 'thrown', message: 'no' },
      }),
    }),
    '3 in a row: no',
  ],
  [slot({ owner: task({ streak: 1, failure: { kind: 'thrown', message: 'no' } }) }), 'no'],
  [slot({ paused: true, waiting: 1 }, 'ownerless'), 'paused, and 1 submission waits'],
  [slot({ paused: true, waiting: 5 }, 'ownerless'), 'paused, and 5 submissions wait'],
  [slot({ phase: 'waiting', waiting: 2 }, 'ownerless'), 'waits for its lease'],
  [slot({ vital: 'dead' }, 'ownerless'), 'its last owner is gone, and no other came'],
])('a slot that does not get on says why: %#', ([row, reason]) => {
  expect(reasonOf(row)?.text).toBe(reason);
});

it('a failure that is overcome is not red', () => {
  const tone = (row: Partial<TaskRow>) => reasonOf(slot({ owner: task(row) }))?.tone;
  const failure = { kind: 'thrown', message: 'no' } as const;
  expect(tone({ failure, streak: 0 })).toBe('off');
  expect(tone({ failure, streak: 1 })).toBe('bad');
});

it('every cause of a stop has words', () => {
  for (const cause of STOP_CAUSES) expect(stoppedBy(cause)).not.toBe(cause);
});

it('an attempt says how many failed in a row, from two on', () => {
  expect(attemptText(task({ attempt: 3, streak: 1 }))).toBe('3');
  expect(attemptText(task({ attempt: 3, streak: 2 }))).toBe('3 · 2 failed in a row');
});

it('the name of the slot stands above what explains it, and is not said twice', () => {
  expect(withoutName('Slot "a:\\"b": it is idle.')).toBe('It is idle.');
  expect(withoutName('Something else.')).toBe('Something else.');
});

it('an event says by whom a submission was turned away', () => {
  const text = 'was rejected, because of slotBusy (x-1)';
  expect(saidOf({ type: 'rejected', text, other: 'x-1' })).toBe('was rejected, because of slotBusy, by x-1');
  expect(saidOf({ type: 'rejected', text: 'was rejected, because of queueFull' })).toBe(
    'was rejected, because of queueFull',
  );
});

it('a word of the API is written in several', () => {
  expect(spaced('attemptTimedOut')).toBe('attempt timed out');
});
