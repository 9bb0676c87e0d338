import { describe, expect, test } from 'vitest';
import { explain, type SlotFacts } from '../../src/model/explain.ts';
import { thrownFailure } from '../../src/model/failure.ts';
import type { TaskId } from '../../src/model/id.ts';
import type { SlotView, TaskStatus, TaskView } from '../../src/model/view.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const task = (given: Partial<TaskView> = {}): TaskView => ({
  id: 'x-1' as TaskId,
  name: 'sync',
  slot: 's',
  policy: 'queue',
  status: 'running',
  attempt: 2,
  retries: 0,
  streak: 0,
  sinceMs: 3_000,
  ageMs: 9_000,
  meta: undefined,
  ...given,
});

const NEXT = task({ id: 'x-2' as TaskId, name: 'next', status: 'queued', attempt: 0, sinceMs: 4_000 });

interface Given extends Partial<Omit<SlotFacts, 'slot'>> {
  readonly owner?: Partial<TaskView>;
  readonly queuedCount?: number;
  readonly name?: string;
  readonly paused?: boolean;
  readonly first?: TaskView;
}

/** The sentence about slot `s`, where one waits if `queuedCount` says so. */
function sentence({ owner, queuedCount = 0, name = 's', paused = false, first = NEXT, ...facts }: Given = {}): string {
  const slot: SlotView = {
    name,
    phase: owner === undefined ? 'idle' : 'running',
    paused,
    ...(owner && { owner: task(owner) }),
    queuedCount,
    queued: queuedCount > 0 ? [first] : [],
  };
  return explain({
    slot,
    isClosed: false,
    gate: { concurrency: 4, queued: 7 },
    request: undefined,
    stall: undefined,
    ...facts,
  });
}

const gateWait = (waitingFor: TaskView['waitingFor']): Partial<TaskView> => ({
  status: 'starting',
  attempt: 0,
  ...(waitingFor && { waitingFor }),
});
const stop = { by: 'replace', sinceMs: 65_000 } as const;
const lastFailure = thrownFailure(new Error('no upstream\nsecond line'));

describe('the sentence about a slot', () => {
  test.for<readonly [what: string, given: Given, facts: readonly string[], absent?: readonly string[]]>([
    ['that is idle', {}, ['"s"', 'is idle', 'nothing waits'], ['paused', 'shutdown']],
    ['that is idle after a shutdown began', { isClosed: true }, ['is idle', 'a shutdown has begun']],
    ['that is paused and empty', { paused: true }, ['is paused', 'resume()', 'nothing waits']],
    ['that is paused, with work', { paused: true, queuedCount: 2 }, ['is paused', '2 wait', '"next" (x-2)', '4 s']],
    ['with a running owner', { owner: {} }, ['"sync" (x-1)', 'has run attempt 2 for 3 s'], ['wait']],
    ['with a running owner that is paused', { owner: {}, paused: true }, ['has run attempt 2', 'is paused']],
    ['where one waits behind the owner', { owner: {}, queuedCount: 1 }, ['1 waits behind it', '"next" (x-2), for 4 s']],
    ['where many wait behind it', { owner: {}, queuedCount: 900 }, ['900 wait behind it', 'the first is "next" (x-2)']],
    [
      'with an owner that stops',
      { owner: { status: 'stopping', stop } },
      ['asked to stop 1 min 5 s ago by replace', 'has not ended'],
    ],
    [
      'with an owner that overran',
      { owner: { status: 'overrun', stop, sinceMs: 5_000 } },
      ['asked to stop 1 min 5 s ago by replace', 'overran its grace 5 s ago', 'has not ended'],
    ],
    [
      'with an owner in backoff',
      { owner: { status: 'backoff', nextAttemptInMs: 250, lastFailure } },
      ['failed 3 s ago', 'attempt 3 in 250 ms', '"no upstream"'],
      ['second line'],
    ],
    [
      'with an owner in its interval',
      { owner: { status: 'interval', nextAttemptInMs: HOUR } },
      ['succeeded 3 s ago', 'attempt 3 in 1 h'],
    ],
    ['with a suspended owner', { owner: { status: 'suspended' } }, ['lost its lease', 'another one for 3 s']],
    ['with an owner that is about to begin', { owner: gateWait(undefined) }, ['is about to begin attempt 1']],
    [
      'with an owner at the full gate',
      { owner: gateWait('gate') },
      ['at the gate for 3 s', 'attempt 1', 'concurrency is 4', '7 wait there'],
    ],
    [
      'with an owner that the rate holds back',
      { owner: gateWait('rate') },
      ['at the gate for 3 s', 'the rate', '7 wait'],
    ],
    [
      'with an owner under a pause of the supervisor',
      { owner: gateWait('supervisorPaused') },
      ['at the gate for 3 s', 'the supervisor is paused', 'resume()'],
    ],
    [
      'that waits for its lease',
      { request: { sinceMs: 90 * MINUTE, calledOff: false }, queuedCount: 1 },
      ['waited for its lease for 1 h 30 min', 'another process has the slot', '1 waits', '"next" (x-2)'],
      ['behind it', 'called off'],
    ],
    [
      'whose request was called off',
      { request: { sinceMs: 26 * HOUR, calledOff: true } },
      ['was called off', 'not answered for 1 d 2 h'],
    ],
    [
      'whose release has stalled',
      { stall: { what: 'release', sinceMs: 31_500 } },
      ['the lease store has not answered a release for 31.5 s'],
    ],
    [
      'whose called-off request has stalled',
      { stall: { what: 'acquire', sinceMs: 3 * HOUR } },
      ['the lease store has not answered the request that was called off for 3 h'],
    ],
  ])('%s', ([, given, facts, absent = []]) => {
    const text = sentence(given);
    for (const fact of facts) expect(text).toContain(fact);
    for (const fact of absent) expect(text).not.toContain(fact);
    expect(text).toMatch(/^Slot "s": .*\.$/);
  });

  test.for<readonly [status: TaskStatus, given: Partial<TaskView>]>([
    ['stopping', {}],
    ['backoff', {}],
    ['interval', { nextAttemptInMs: Infinity }],
  ])('an owner that is %s makes a sentence without the facts that its view lacks', ([status, given]) => {
    expect(sentence({ owner: { status, ...given } })).not.toMatch(/undefined|NaN|Infinity/);
  });

  test('is short, in one line and without control characters, whatever the names and the failure are', () => {
    const name = `\u009b\u202e${'n'.repeat(500)}\n\u001b[31m`;
    const failure = thrownFailure(new Error(`\u0007\u2028${'e'.repeat(5_000)}`));
    const owner = { name: `\u0000${name}`, status: 'backoff', nextAttemptInMs: 5, lastFailure: failure } as const;
    const text = sentence({ name, owner, queuedCount: 3, first: task({ name }) });
    expect(text.length).toBeLessThan(600);
    expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Bidi_Control}]/u);
  });
});
