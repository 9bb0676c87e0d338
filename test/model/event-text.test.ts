import { describe, expect, test } from 'vitest';
import { EVENT_TYPES, type TaskEvent, type TaskEventType } from '../../src/model/event.ts';
import { eventText } from '../../src/model/event-text.ts';
import { thrownFailure } from '../../src/model/failure.ts';
import type { TaskId } from '../../src/model/id.ts';

const id = 'abc-1' as TaskId;
const other = 'abc-2' as TaskId;
const failure = thrownFailure(new Error('boom'));
const attempt = { attempt: 3, durationMs: 217.4 };

/** The fields of one event a type, beside those of every event, and its text. */
const ROWS: { readonly [Type in TaskEventType]: readonly [object, string] } = {
  submitted: [{ policy: 'queue' }, 's (n): was submitted, with the policy queue'],
  queued: [{ depth: 2 }, 's (n): waits in its slot, where 2 wait'],
  joined: [{ leader: other }, 's (n): joined abc-2'],
  rejected: [{ reason: 'slotBusy', by: other }, 's (n): was rejected, because of slotBusy (abc-2)'],
  started: [{ waitedMs: 12.3, fence: 0n }, 's (n): owns its slot after 12 ms'],
  attemptStarted: [{ attempt: 3 }, 's (n): attempt 3 began'],
  attemptSucceeded: [attempt, 's (n): attempt 3 succeeded after 217 ms'],
  attemptCanceled: [attempt, 's (n): attempt 3 was canceled after 217 ms'],
  attemptFailed: [{ ...attempt, failure }, 's (n): attempt 3 failed after 217 ms: boom'],
  attemptTimedOut: [{ ...attempt, failure }, 's (n): attempt 3 failed after 217 ms: boom'],
  attemptStalled: [{ ...attempt, failure }, 's (n): attempt 3 failed after 217 ms: boom'],
  backoffScheduled: [
    { attempt: 3, delayMs: 400, after: 'failure' },
    's (n): attempt 4 follows in 400 ms, after a failure',
  ],
  stopRequested: [{ by: 'replace', successor: other }, 's (n): was asked to stop, by replace: abc-2 takes its place'],
  overrun: [
    { attempt: 3, action: 'hold', sinceMs: 60_000 },
    's (n): attempt 3 has not ended 60000 ms after its stop request, so it keeps the slot',
  ],
  finished: [
    { outcome: 'failed', because: 'policy', failure, attempts: 1, ranMs: 5 },
    's (n): ended failed, because of policy (boom), after 1 attempt and 5 ms',
  ],
  slotPaused: [{}, 's: the slot was paused'],
  slotResumed: [{}, 's: the slot was resumed'],
  leaseStalled: [{ what: 'release', sinceMs: 30_000 }, 's: the lease store has not answered its release for 30000 ms'],
  shutdownStarted: [
    { cause: 'signal', graceMs: 25_000, finishMs: 1 },
    'a shutdown began, by signal, with a grace of 25000 ms',
  ],
  shutdownFinished: [{ stuck: ['a', 'b'] }, 'the shutdown ended, and 2 may be alive: a, b'],
  subscriberFailed: [{ subscriber: 'log', error: new Error('boom') }, 'the subscriber log failed: boom'],
  eventsDropped: [{ subscriber: 'log', count: 3 }, 'the subscriber log lost 3 events'],
};

const WITHOUT_SLOT: readonly TaskEventType[] = [
  'shutdownStarted',
  'shutdownFinished',
  'subscriberFailed',
  'eventsDropped',
];

function make(type: TaskEventType, fields: object): TaskEvent {
  const base = { seq: 1, at: 2, type };
  if (WITHOUT_SLOT.includes(type)) return { ...base, ...fields } as TaskEvent;
  if (['slotPaused', 'slotResumed', 'leaseStalled'].includes(type))
    return { ...base, slot: 's', ...fields } as TaskEvent;
  return { ...base, id, slot: 's', name: 'n', meta: { secret: 1 }, ...fields } as TaskEvent;
}

describe('the text of an event is one sentence', () => {
  test.each(EVENT_TYPES)('%s', (type) => {
    const [fields, text] = ROWS[type];
    expect(eventText(make(type, fields))).toBe(text);
  });

  const ends: readonly [object, string][] = [
    [{ outcome: 'completed' }, 'ended completed'],
    [{ outcome: 'fatal', failure }, 'ended fatal (boom)'],
    [{ outcome: 'canceled', by: 'caller' }, 'ended canceled, by caller'],
    [{ outcome: 'canceled', by: 'caller', reason: 'enough' }, 'ended canceled, by caller (enough)'],
    [{ outcome: 'canceled', by: 'shutdown', reason: 'enough', failure }, 'ended canceled, by shutdown (boom)'],
    [{ outcome: 'killed', by: 'deadline' }, 'ended killed, by deadline'],
  ];
  test.each(ends)('that says why it ended: %j', (fields, text) => {
    expect(eventText(make('finished', { attempts: 2, ranMs: 5, ...fields }))).toBe(
      `s (n): ${text}, after 2 attempts and 5 ms`,
    );
  });

  test('with the name of its task only where that differs from the slot', () => {
    expect(eventText(make('attemptStarted', { attempt: 1, name: 's' }))).toBe('s: attempt 1 began');
  });

  test('without parts that are absent', () => {
    expect(eventText(make('rejected', { reason: 'canceled' }))).toBe('s (n): was rejected, because of canceled');
    expect(eventText(make('stopRequested', { by: 'caller' }))).toBe('s (n): was asked to stop, by caller');
    expect(eventText(make('queued', { depth: 1 }))).toBe('s (n): waits in its slot, where no other waits');
    expect(eventText(make('shutdownFinished', { clean: true, stuck: [] }))).toBe('the shutdown ended');
  });

  test('that says of a shutdown that was not clean what it had to do', () => {
    expect(eventText(make('shutdownFinished', { clean: false, stuck: [] }))).toBe(
      'the shutdown ended, and bodies had to be killed',
    );
  });

  test('with one of a thing in the singular', () => {
    expect(eventText(make('eventsDropped', { subscriber: 'log', count: 1 }))).toBe('the subscriber log lost 1 event');
  });
});

describe('texts from user code', () => {
  test('are cut', () => {
    const long = 'x'.repeat(1_000);
    const text = eventText(
      make('attemptFailed', { ...attempt, slot: long, name: `${long}y`, failure: thrownFailure(long) }),
    );
    expect(text).toBe(`${'x'.repeat(59)}… (${'x'.repeat(59)}…): attempt 3 failed after 217 ms: ${'x'.repeat(299)}…`);
    const stuck = Array.from({ length: 1_000 }, () => long);
    expect(eventText(make('shutdownFinished', { stuck })).length).toBeLessThan(400);
  });

  test('cannot break the line, change the direction of text or hide', () => {
    const text = eventText(make('attemptStarted', { attempt: 1, slot: 'a\n\u001b[31m\u2028\u202eb\u0085\ud800é' }));
    expect(text).toBe('a\\u000a\\u001b[31m\\u2028\\u202eb\\u0085\\ud800é (n): attempt 1 began');
  });

  test('may be of any kind', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(eventText(make('subscriberFailed', { subscriber: 'log', error: proxy }))).toBe(
      'the subscriber log failed: [a value that cannot be described]',
    );
    const canceled = { outcome: 'canceled', by: 'caller', reason: proxy, attempts: 1, ranMs: 1 };
    expect(eventText(make('finished', canceled))).toContain('([a value that cannot be described])');
  });
});
