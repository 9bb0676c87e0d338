import { expect, test } from 'vitest';
import { EVENT_TYPES, type TaskEventType } from '../../src/model/event.ts';

test('EVENT_TYPES lists every type of event once', () => {
  // The type check fails here when a type of event is missing or unknown.
  const every: Record<TaskEventType, true> = {
    submitted: true,
    queued: true,
    joined: true,
    rejected: true,
    started: true,
    attemptStarted: true,
    attemptSucceeded: true,
    attemptCanceled: true,
    attemptFailed: true,
    attemptTimedOut: true,
    attemptStalled: true,
    backoffScheduled: true,
    stopRequested: true,
    overrun: true,
    finished: true,
    slotPaused: true,
    slotResumed: true,
    leaseStalled: true,
    shutdownStarted: true,
    shutdownFinished: true,
    subscriberFailed: true,
    eventsDropped: true,
  };
  expect([...EVENT_TYPES].sort()).toEqual(Object.keys(every).sort());
});
