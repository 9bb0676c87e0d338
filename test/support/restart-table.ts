// The table of attempts and restarts in words, and every case that it has to answer.

import { FatalError, type StopCause } from '../../src/model/error.ts';
import { type Failure, stalledFailure, thrownFailure, timedOutFailure } from '../../src/model/failure.ts';
import { DEFAULT_SETTINGS, type RestartPolicy } from '../../src/model/settings.ts';
import type { AttemptEnd, afterAttempt, Decision, Progress } from '../../src/policy/restart.ts';

export type Decide = typeof afterAttempt;

export const POLICIES: readonly RestartPolicy[] = ['never', 'onFailure', 'always'];
const CAUSES: readonly StopCause[] = [
  'caller',
  'replace',
  'slot',
  'signal',
  'deadline',
  'shutdown',
  'leaseLost',
  'task',
];

const exited = (fatal: boolean): Failure => ({ kind: 'exited', exitCode: 1, signal: null, message: 'exit 1', fatal });
const failure = (what: Failure): AttemptEnd => ({ kind: 'failure', failure: what });

type Word =
  | 'completed'
  | 'again after the interval'
  | 'again after backoff'
  | 'failed'
  | 'fatal'
  | 'canceled by task'
  | 'again at once';

const same = (word: Word): readonly Word[] => [word, word, word];
const ORDINARY: readonly Word[] = ['failed', 'again after backoff', 'again after backoff'];

/** What an undisturbed attempt leads to: never, onFailure, always. */
export const ENDS: readonly (readonly [name: string, end: AttemptEnd, undisturbed: readonly Word[]])[] = [
  ['a value', { kind: 'value', value: 7 }, ['completed', 'completed', 'again after the interval']],
  ['a value of undefined', { kind: 'value', value: undefined }, ['completed', 'completed', 'again after the interval']],
  ['thrown', failure(thrownFailure(new Error('no'))), ORDINARY],
  ['undefined thrown', failure(thrownFailure(undefined)), ORDINARY],
  ['timed out', failure(timedOutFailure(5)), ORDINARY],
  ['stalled', failure(stalledFailure(5)), ORDINARY],
  ['exited', failure(exited(false)), ORDINARY],
  ['exited for good', failure(exited(true)), same('fatal')],
  ['a FatalError', failure(thrownFailure(new FatalError('never again'))), same('fatal')],
  ['a CanceledError of its own', { kind: 'gaveUp', reason: 'enough' }, same('canceled by task')],
  // Nobody but restart() stops an attempt without a stop of its task.
  ['stopped', { kind: 'stopped', failure: undefined }, same('again at once')],
  ['stopped, throwing', { kind: 'stopped', failure: thrownFailure(new Error('late')) }, same('again at once')],
];

interface Case {
  readonly title: string;
  readonly end: AttemptEnd;
  readonly task: Progress;
  readonly settings: Parameters<Decide>[2];
  readonly expected: Decision;
}

function* everyCase(): Generator<Case> {
  const stops = [undefined, ...CAUSES.map((by) => ({ by, reason: { by } }))];
  for (const [name, end, undisturbed] of ENDS)
    for (const [column, restart] of POLICIES.entries())
      for (const stop of stops)
        for (const restartAsked of [false, true])
          for (const streak of [0, 1, 2, 3])
            for (const maxRetries of [0, 1, 2, 3, Infinity]) {
              const title = `${name}, ${restart}, stop ${stop?.by ?? 'none'}, restart ${restartAsked}, streak ${streak} of ${maxRetries}`;
              const word = restartAsked ? 'again at once' : (undisturbed[column] as Word);
              const expected: Decision =
                stop === undefined
                  ? decisionOf(word, end, streak < maxRetries)
                  : { next: 'cancel', ...stop, failure: thrownBy(end) };
              yield {
                title,
                end,
                task: { stop, restartAsked, streak },
                settings: { ...DEFAULT_SETTINGS, restart, maxRetries },
                expected,
              };
            }
}

/** What a stopped body threw goes along with the cancelation. */
function thrownBy(end: AttemptEnd): Failure | undefined {
  return 'failure' in end ? end.failure : undefined;
}

function decisionOf(word: Word, end: AttemptEnd, retriesLeft: boolean): Decision {
  const failed = thrownBy(end) as Failure;
  switch (word) {
    case 'completed':
      return { next: 'complete', value: (end as { value: unknown }).value };
    case 'again after the interval':
      return { next: 'afterInterval' };
    case 'again after backoff':
      return retriesLeft
        ? { next: 'retry', failure: failed }
        : { next: 'fail', failure: failed, because: 'maxRetries' };
    case 'failed':
      return { next: 'fail', failure: failed, because: 'policy' };
    case 'fatal':
      return { next: 'fatal', failure: failed };
    case 'canceled by task':
      return { next: 'cancel', by: 'task', reason: (end as { reason: unknown }).reason, failure: undefined };
    case 'again at once':
      return { next: 'freshAttempt' };
  }
}

/** The cases that are answered otherwise. */
export function wrongAnswers(decide: Decide): { readonly cases: number; readonly wrong: readonly string[] } {
  let cases = 0;
  const wrong: string[] = [];
  for (const { title, end, task, settings, expected } of everyCase()) {
    cases += 1;
    const got = decide(Object.freeze({ ...end }), Object.freeze({ ...task }), Object.freeze({ ...settings }));
    if (!sameDecision(got, expected)) wrong.push(`${title}: ${got.next}, expected ${expected.next}`);
  }
  return { cases, wrong };
}

/** Field by field and by identity: what was thrown is the same object. */
function sameDecision(got: Decision, expected: Decision): boolean {
  const left = new Map(Object.entries(got));
  const right = Object.entries(expected);
  return left.size === right.length && right.every(([key, value]) => left.has(key) && Object.is(left.get(key), value));
}
