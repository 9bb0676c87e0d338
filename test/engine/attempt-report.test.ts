import { expect, test } from 'vitest';
import type { Proof } from '../../src/engine/attempt.ts';
import { attemptReport } from '../../src/engine/attempt-report.ts';
import { attemptEndEvent } from '../../src/engine/events.ts';
import { ExitError } from '../../src/model/error.ts';
import { stalledFailure, thrownFailure, timedOutFailure } from '../../src/model/failure.ts';
import type { AttemptEnd } from '../../src/policy/restart.ts';

const thrown = thrownFailure(new Error('boom'));
const exited = thrownFailure(new ExitError('it exited', { exitCode: 1, signal: null }));
const ENDS: readonly AttemptEnd[] = [
  { kind: 'value', value: 1 },
  ...[thrown, exited, timedOutFailure(5), stalledFailure(5)].map(
    (failure) => ({ kind: 'failure', failure, ranMs: 5 }) as const,
  ),
  { kind: 'gaveUp', reason: undefined },
  { kind: 'stopped', failure: undefined },
  { kind: 'stopped', failure: thrown },
];

test.each(ENDS)('a body that ended by itself is reported in the word of its event: %o', (end) => {
  const { end: word, failure, durationMs } = attemptReport(end, 'settled', 7);
  const type = end.kind === 'value' ? 'attemptSucceeded' : attemptEndEvent(1, end, 7).type;
  expect(`attempt${word}`.toLowerCase()).toBe(type.toLowerCase());
  expect([failure, durationMs]).toEqual([end.failure, 7]);
});

test.each<Proof>(['killed', 'abandoned'])(
  'a body that was %s is reported so, with what had gone wrong before',
  (proof) => {
    for (const end of ENDS.slice(1)) expect(attemptReport(end, proof, 7)).toMatchObject({ end: proof });
    expect(attemptReport(ENDS[3] as AttemptEnd, proof, 7).failure).toMatchObject({ kind: 'timedOut' });
  },
);
