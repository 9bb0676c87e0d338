// The level of each event. A type, a reason or an outcome that is added to the library does not
// compile without a level.

import type { EventOf, TaskEvent, TaskEventType } from './event.ts';
import type { Outcome, RejectReason } from './outcome.ts';

/** How much an event matters. The words are those of loggers. */
export type EventLevel = 'debug' | 'info' | 'warn' | 'error';

type Levels = { readonly [Type in TaskEventType]: EventLevel | ((event: EventOf<Type>) => EventLevel) };

/** What a policy or a caller asked for is `info`, and what lacked room or time is `warn`. */
const REJECTED: Readonly<Record<RejectReason, EventLevel>> = {
  slotBusy: 'info',
  superseded: 'info',
  canceled: 'info',
  shuttingDown: 'info',
  queueFull: 'warn',
  queueTimeout: 'warn',
  deadline: 'warn',
  resourceLimit: 'warn',
  batchRejected: 'warn',
  leaseUnavailable: 'warn',
};

const FINISHED: Readonly<Record<Exclude<Outcome['kind'], 'rejected'>, EventLevel>> = {
  completed: 'info',
  canceled: 'info',
  failed: 'error',
  fatal: 'error',
  killed: 'error',
  abandoned: 'error',
};

const BACKOFF: Readonly<Record<EventOf<'backoffScheduled'>['after'], EventLevel>> = {
  success: 'debug',
  failure: 'info',
};

const LEVELS: Levels = {
  submitted: 'debug',
  queued: 'debug',
  joined: 'debug',
  rejected: ({ reason }) => REJECTED[reason],
  started: 'debug',
  attemptStarted: 'debug',
  attemptSucceeded: 'debug',
  attemptCanceled: 'debug',
  attemptFailed: 'warn',
  attemptTimedOut: 'warn',
  attemptStalled: 'warn',
  backoffScheduled: ({ after }) => BACKOFF[after],
  stopRequested: 'info',
  overrun: 'error',
  finished: ({ outcome }) => FINISHED[outcome as Exclude<typeof outcome, 'rejected'>],
  slotPaused: 'info',
  slotResumed: 'info',
  leaseStalled: 'warn',
  shutdownStarted: 'info',
  shutdownFinished: ({ clean }) => (clean ? 'info' : 'error'),
  subscriberFailed: 'error',
  eventsDropped: 'warn',
};

export function levelOf(event: TaskEvent): EventLevel {
  const level = LEVELS[event.type] as EventLevel | ((event: TaskEvent) => EventLevel);
  return typeof level === 'string' ? level : level(event);
}
