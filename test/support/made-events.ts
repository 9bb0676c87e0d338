// Events made by hand: one of each type, and those whose level or text depends on a field.

import type { Failure, TaskEvent, TaskEventType, TaskId } from 'slotvisor';

const NO_SLOT: readonly TaskEventType[] = ['shutdownStarted', 'shutdownFinished', 'subscriberFailed', 'eventsDropped'];
const NO_TASK: readonly TaskEventType[] = ['slotPaused', 'slotResumed', 'leaseStalled'];

/** 2026-11-27, 12:30:45.678 in the local time of the process. */
export const AT = new Date(2026, 10, 27, 12, 30, 45, 678).getTime();

export const thrown = (error: unknown): Failure => ({
  kind: 'thrown',
  error,
  message: error instanceof Error ? error.message : String(error),
  fatal: false,
});

/** The fields that an event of its type must have, beside those that all events have. */
const FIELDS: { readonly [Type in TaskEventType]: object } = {
  submitted: { policy: 'queue' },
  queued: { depth: 1 },
  joined: { leader: 'abc-2' },
  rejected: { reason: 'slotBusy' },
  started: { waitedMs: 0, fence: 0n },
  attemptStarted: { attempt: 1 },
  attemptSucceeded: { attempt: 1, durationMs: 5 },
  attemptCanceled: { attempt: 1, durationMs: 5 },
  attemptFailed: { attempt: 1, durationMs: 5, failure: thrown(new Error('boom')) },
  attemptTimedOut: {
    attempt: 1,
    durationMs: 5,
    failure: { kind: 'timedOut', afterMs: 5, message: 'timed out after 5 ms', fatal: false },
  },
  attemptStalled: {
    attempt: 1,
    durationMs: 5,
    failure: { kind: 'stalled', silentMs: 5, message: 'no heartbeat for 5 ms', fatal: false },
  },
  backoffScheduled: { attempt: 1, delayMs: 100, after: 'failure' },
  stopRequested: { by: 'caller' },
  overrun: { attempt: 1, action: 'hold', sinceMs: 10 },
  finished: { outcome: 'completed', attempts: 1, ranMs: 5 },
  slotPaused: {},
  slotResumed: {},
  leaseStalled: { what: 'release', sinceMs: 30_000 },
  shutdownStarted: { cause: 'caller', graceMs: 10, finishMs: 5 },
  shutdownFinished: { clean: true, stuck: [] },
  subscriberFailed: { subscriber: 'metrics', error: new Error('boom') },
  eventsDropped: { subscriber: 'metrics', count: 3 },
};

/** An event of this type about the slot `s`, whose task is named `n`. */
export function made(type: TaskEventType, fields: object = {}): TaskEvent {
  const subject = NO_SLOT.includes(type)
    ? {}
    : NO_TASK.includes(type)
      ? { slot: 's' }
      : { id: 'abc-1' as TaskId, slot: 's', name: 'n', meta: undefined };
  return { seq: 1, at: AT, type, ...subject, ...FIELDS[type], ...fields } as TaskEvent;
}
