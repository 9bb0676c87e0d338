// What is looked at, and when. test/behaviour/events/warnings.test.ts has the promises.

import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import { EventPublisher } from '../../src/engine/events.ts';
import { LiveSubmission } from '../../src/engine/submission.ts';
import { SubmitCall } from '../../src/engine/submit-call.ts';
import { Unwatched } from '../../src/engine/unwatched.ts';
import { thrownFailure, timedOutFailure } from '../../src/model/failure.ts';
import { createTaskIds } from '../../src/model/id.ts';
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

let given: MockInstance<typeof process.emitWarning>;
beforeEach(() => {
  given = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

const failure = thrownFailure(new Error('boom'));

function setup(isWrapped = false) {
  const clock = new VirtualClock();
  const events = new EventPublisher(clock);
  const ids = createTaskIds('x');
  let number = 0;
  const submission = (slot?: string): LiveSubmission => {
    number += 1;
    const host = { ids, now: () => 0, queueLimit: () => 9, waitingFor: () => undefined, cancel: () => {} };
    const rest = { run: () => 1, name: undefined, admission: undefined, meta: undefined };
    const spec = { ...rest, slot, settings: DEFAULT_SETTINGS };
    return new LiveSubmission(host, new SubmitCall(ids, number, spec, slot, 'queue'));
  };
  return { clock, events, submission, unwatched: new Unwatched(events, { active: false }, isWrapped) };
}

const texts = (): string[] => given.mock.calls.map(([text]) => String(text));

test('a failure is looked at again a turn later, and only then warned of', async () => {
  const { unwatched, submission, clock } = setup();
  const [watched, other] = [submission('a'), submission('b')];
  unwatched.failed(watched, 1, failure)?.decided(5);
  unwatched.failed(other, 1, failure)?.decided(5);
  watched.askForOutcome();
  expect(texts()).toEqual([]);
  await clock.settle();
  expect(texts()).toEqual([expect.stringContaining('The task "b" failed')]);
});

test('a second failure of a group, and a failure that is watched, are not looked at again', async () => {
  const { unwatched, submission, clock } = setup();
  expect(unwatched.failed(submission('a:1'), 1, failure)).toBeDefined();
  await clock.settle();
  expect(unwatched.failed(submission('a:2'), 1, failure)).toBeUndefined();
  const watched = submission('b');
  watched.askForOutcome();
  expect(unwatched.failed(watched, 1, failure)).toBeUndefined();
  expect(setup(true).unwatched.failed(submission('c'), 1, failure)).toBeUndefined();
});

test('a subscriber watches the kinds of failure whose events it gets', async () => {
  const { unwatched, submission, events, clock } = setup();
  events.subscribe({ onEvent: () => {} }, 1, ['attemptTimedOut'], () => {});
  expect(unwatched.failed(submission('a'), 1, timedOutFailure(5))).toBeUndefined();
  expect(unwatched.failed(submission('a'), 1, failure)).toBeDefined();
  await clock.settle();
});

test('the text is short, whatever the names and the error are', async () => {
  const { unwatched, submission, clock } = setup();
  const long = 'x'.repeat(1_000);
  const error = Object.assign(new Error(long), { name: long });
  unwatched.failed(submission(long), 1, thrownFailure(error))?.decided(undefined);
  unwatched.overrunHeld(submission(long), 1, 1e9);
  await clock.settle();
  expect(texts().map((text) => text.length < 600)).toEqual([true, true]);
});

test('a failure names the outcome that it led to, not a later one', async () => {
  const { unwatched, submission, clock } = setup();
  const [ended, goesOn] = [submission('a'), submission('b')];
  const sightings = [ended, goesOn].map((one) => unwatched.failed(one, 2, failure));
  ended.settle({ kind: 'failed', failure, attempts: 2, because: 'maxRetries' });
  for (const sighting of sightings) sighting?.decided(undefined);
  goesOn.settle({ kind: 'completed', value: 1, attempts: 3 });
  await clock.settle();
  expect(texts()).toEqual([
    expect.stringContaining('(attempt 2, Error: boom). It ended failed, because of maxRetries.'),
    expect.stringContaining('(attempt 2, Error: boom). The next attempt follows at once.'),
  ]);
});
