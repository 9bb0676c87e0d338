import { expect, it } from 'vitest';
import { isSameAt } from '../../../../src/ext/dashboard/ui/same.ts';
import { slot, task } from './made-rows.ts';

const row = (sinceMs: number, nextAttemptInMs: number) =>
  slot({ owner: task({ status: 'backoff', sinceMs, ageMs: sinceMs, nextAttemptInMs }), firstWaitsMs: sinceMs });

it('a row whose times went on is the same', () => {
  expect(isSameAt(row(1_000, 9_000), 50_000, row(2_010, 7_995), 51_000)).toBe(true);
});

it('a row that has another state since is not', () => {
  expect(isSameAt(row(1_000, 9_000), 50_000, row(500, 7_995), 51_000)).toBe(false);
  expect(isSameAt(row(1_000, 9_000), 50_000, row(2_000, 9_000), 51_000), 'another next try').toBe(false);
});

it('a row with another word, another number, or a field more or less is not', () => {
  const others = [
    slot({ waiting: 1 }),
    slot({ paused: true }),
    slot({ owner: task({ status: 'stopping' }) }),
    slot({ owner: task({ failure: { kind: 'thrown', message: 'no' } }) }),
    slot({}, 'ownerless'),
  ];
  for (const other of others) {
    expect(isSameAt(slot(), 0, other, 0)).toBe(false);
    expect(isSameAt(other, 0, slot(), 0)).toBe(false);
  }
  expect(isSameAt(slot({ owner: task({ meta: [1, null] }) }), 0, slot({ owner: task({ meta: [1, 2] }) }), 0)).toBe(
    false,
  );
});
