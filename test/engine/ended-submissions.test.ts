import { expect, test } from 'vitest';
import { EndedSubmissions } from '../../src/engine/ended-submissions.ts';
import type { LiveSubmission } from '../../src/engine/submission.ts';
import type { Outcome } from '../../src/model/outcome.ts';

const outcome: Outcome = { kind: 'completed', value: 7, attempts: 1 };
const ended = (number: number) =>
  ({ number, id: `x-${number}`, slot: 's', name: 'n', admission: 'started', queueLimit: 9 }) as LiveSubmission;

test.each([1, 2, 5])('the last %i that were added are found', (max) => {
  const all = new EndedSubmissions(max);
  for (let n = 1; n <= 12; n += 1) {
    all.add(ended(n * 3), outcome);
    const found = Array.from({ length: 40 }, (_, number) => all.get(number)).filter((one) => one !== undefined);
    const last = Array.from({ length: Math.min(n, max) }, (_, i) => `x-${(n - i) * 3}`).reverse();
    expect(found.map(({ id }) => id)).toEqual(last);
  }
});

test('a kept submission shows its end, and cannot be changed', async () => {
  const all = new EndedSubmissions(1);
  all.add(ended(1), outcome);
  const one = all.get(1);
  expect(one).toMatchObject({ id: 'x-1', slot: 's', name: 'n', admission: 'started', status: 'ended' });
  expect(await one?.outcome).toBe(outcome);
  expect(await one?.value()).toBe(7);
  expect(await one?.cancel()).toBe(outcome);
  expect(one?.restart()).toBe(false);
  expect(JSON.parse(JSON.stringify(one))).toEqual({
    ...{ id: 'x-1', slot: 's', name: 'n' },
    ...{ admission: 'started', status: 'ended' },
  });
  expect(Object.isFrozen(one)).toBe(true);
});
