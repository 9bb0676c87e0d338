// The table of what follows an attempt, in words, and every case that the decision must answer.

import { FatalError, STOP_CAUSES } from '../../src/model/error.ts';
import { type Failure, stalledFailure, thrownFailure, timedOutFailure } from '../../src/model/failure.ts';
import { RESTART_POLICIES } from '../../src/model/settings.ts';
import type { AttemptEnd, afterAttempt, Decision, Progress, RestartSettings } from '../../src/policy/restart.ts';

export type Decide = typeof afterAttempt;

const exited = (fatal: boolean): Failure => ({ kind: 'exited', exitCode: 1, signal: null, message: 'exit 1', fatal });
const failed = (failure: Failure, returned: object = {}): AttemptEnd => ({
  kind: 'failure',
  failure,
  ranMs: 0,
  ...returned,
});

/** What a table cell says. */
type Word =
  | 'completed'
  | 'again after the interval'
  | 'again after backoff'
  | 'failed'
  | 'fatal'
  | 'failed by the shutdown'
  | 'canceled by task'
  | 'canceled by the shutdown'
  | 'again immediately'
  | 'suspended';

type WordPer<List extends readonly unknown[]> = { readonly [K in keyof List]: Word };

/**
 * A word for each policy, in the order of `RESTART_POLICIES`. A new policy fails the type check of
 * every row.
 */
type Words = WordPer<typeof RESTART_POLICIES>;

const same = (word: Word): Words => [word, word, word];
const ORDINARY: Words = ['failed', 'again after backoff', 'again after backoff'];

/** What follows each end of an attempt when neither a stop nor a restart was requested. */
export const ENDS: readonly (readonly [name: string, end: AttemptEnd, undisturbed: Words])[] = [
  ['a value', { kind: 'value', value: 7 }, ['completed', 'completed', 'again after the interval']],
  ['a value of undefined', { kind: 'value', value: undefined }, ['completed', 'completed', 'again after the interval']],
  ['thrown', failed(thrownFailure(new Error('no'))), ORDINARY],
  ['undefined thrown', failed(thrownFailure(undefined)), ORDINARY],
  ['timed out', failed(timedOutFailure(5)), ORDINARY],
  ['timed out, then a value', failed(timedOutFailure(5), { value: 7 }), ORDINARY],
  ['stalled', failed(stalledFailure(5)), ORDINARY],
  ['stalled, then a value of undefined', failed(stalledFailure(5), { value: undefined }), ORDINARY],
  ['exited', failed(exited(false)), ORDINARY],
  ['exited, fatal', failed(exited(true)), same('fatal')],
  ['a FatalError', failed(thrownFailure(new FatalError('never again'))), same('fatal')],
  ['a CanceledError of the body', { kind: 'gaveUp', reason: 'enough' }, same('canceled by task')],
  // Without a stop request of the task, only restart() stops an attempt.
  ['stopped', { kind: 'stopped', failure: undefined }, same('again immediately')],
  ['stopped, with an error', { kind: 'stopped', failure: thrownFailure(new Error('late')) }, same('again immediately')],
];

/** What follows an attempt in place of another one, where a shutdown lets it finish. */
const FINISHING: Partial<Record<Word, Word>> = {
  'again after the interval': 'completed',
  'again after backoff': 'failed by the shutdown',
  'again immediately': 'canceled by the shutdown',
};

/** How long an attempt ran, beside the `stableMs` of its task. */
export const RUNS: readonly (readonly [name: string, ranMs: number, stableMs: number, isStable: boolean])[] = [
  ['long', 1_000, Infinity, false],
  ['not called', -Infinity, 100, false],
  ['not stable', 99.9, 100, false],
  ['stable', 100, 100, true],
];

interface Case {
  readonly title: () => string;
  readonly end: AttemptEnd;
  readonly task: Progress;
  readonly settings: RestartSettings;
  readonly expected: Decision;
}

function* everyCase(): Generator<Case> {
  const stops = [undefined, ...STOP_CAUSES.map((by) => ({ by, reason: { by } }))];
  for (const [name, end, undisturbed] of ENDS)
    for (const [column, restart] of RESTART_POLICIES.entries())
      for (const stop of stops)
        for (const { suspending, finishing, restartAsked } of DISTURBANCES)
          for (const { ran, streak, settings } of end.kind === 'failure' ? FAILURES : OTHERS) {
            const [length, ranMs, , isStable] = ran;
            const { maxRetries } = settings;
            const is = () =>
              [suspending && 'suspending', finishing && 'finishing'].filter(Boolean).join(' ') || 'undisturbed';
            const title = () =>
              `${name}, ${length}, ${restart}, ${is()}, stop ${stop?.by ?? 'none'}, restart ${restartAsked}, streak ${streak} of ${maxRetries}`;
            const alone = restartAsked ? 'again immediately' : (undisturbed[column] as Word);
            const word = suspending ? 'suspended' : (finishing && FINISHING[alone]) || alone;
            const newStreak = isStable && !name.startsWith('timed out');
            const retriesLeft = newStreak ? maxRetries > 0 : streak < maxRetries;
            const returned = 'value' in end && !suspending ? { value: end.value } : {};
            const expected: Decision =
              stop === undefined
                ? decisionOf(word, end, { newStreak, retriesLeft })
                : { next: 'cancel', ...stop, failure: thrownBy(end), ...returned };
            yield {
              title,
              end: end.kind === 'failure' ? { ...end, ranMs } : end,
              task: { stop, restartAsked, suspending, finishing, streak },
              settings: { ...settings, restart },
              expected,
            };
          }
}

/** How long the attempt ran counts for a failure only. */
const FAILURES = situations(RUNS);
const OTHERS = situations(RUNS.slice(0, 1));

/** Each length with each streak and each `maxRetries`. */
function situations(runs: typeof RUNS) {
  return runs.flatMap((ran) =>
    [0, 1, 2].flatMap((streak) =>
      [0, 1, 2, Infinity].map((maxRetries) => ({ ran, streak, settings: { maxRetries, stableMs: ran[2] } })),
    ),
  );
}

const DISTURBANCES = [false, true].flatMap((suspending) =>
  [false, true].flatMap((finishing) => [false, true].map((restartAsked) => ({ suspending, finishing, restartAsked }))),
);

/** A canceled outcome carries what the stopped body threw. */
function thrownBy(end: AttemptEnd): Failure | undefined {
  return 'failure' in end ? end.failure : undefined;
}

function decisionOf(
  word: Word,
  end: AttemptEnd,
  { newStreak, retriesLeft }: { readonly newStreak: boolean; readonly retriesLeft: boolean },
): Decision {
  const failure = thrownBy(end) as Failure;
  switch (word) {
    case 'completed':
      return { next: 'complete', value: (end as { value: unknown }).value };
    case 'again after the interval':
      return { next: 'afterInterval' };
    case 'again after backoff':
      return retriesLeft ? { next: 'retry', failure, newStreak } : { next: 'fail', failure, because: 'maxRetries' };
    case 'failed by the shutdown':
      return { next: 'fail', failure, because: retriesLeft ? 'shuttingDown' : 'maxRetries' };
    case 'failed':
      return { next: 'fail', failure, because: 'policy' };
    case 'fatal':
      return { next: 'fatal', failure };
    case 'canceled by task':
      return { next: 'cancel', by: 'task', reason: (end as { reason: unknown }).reason, failure: undefined };
    case 'canceled by the shutdown':
      return {
        next: 'cancel',
        by: 'shutdown',
        reason: undefined,
        failure: undefined,
        ...('value' in end && { value: end.value }),
      };
    case 'again immediately':
      return { next: 'freshAttempt' };
    case 'suspended':
      return { next: 'suspend' };
  }
}

/** The cases whose answer differs from the table. */
export function wrongAnswers(decide: Decide): { readonly cases: number; readonly wrong: readonly string[] } {
  let cases = 0;
  const wrong: string[] = [];
  for (const { title, end, task, settings, expected } of everyCase()) {
    cases += 1;
    const got = decide(Object.freeze(end), Object.freeze(task), Object.freeze(settings));
    if (!sameDecision(got, expected)) wrong.push(`${title()}: ${got.next}, expected ${expected.next}`);
  }
  return { cases, wrong };
}

/** Compares field by field and by identity, so a thrown object must be passed on as itself. */
function sameDecision(got: Decision, expected: Decision): boolean {
  const left = got as unknown as Record<string, unknown>;
  const right = expected as unknown as Record<string, unknown>;
  const keys = Object.keys(right);
  if (Object.keys(left).length !== keys.length) return false;
  return keys.every((key) => Object.hasOwn(left, key) && Object.is(left[key], right[key]));
}
