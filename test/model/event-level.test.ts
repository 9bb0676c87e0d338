import type { TaskEventType } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { type EventLevel, levelOf } from '../../src/model/event-level.ts';
import { made } from '../support/made-events.ts';

/** The compiler wants a row of each type, as it does of the table itself. */
const ROWS: { readonly [Type in TaskEventType]: EventLevel | Readonly<Record<string, EventLevel>> } = {
  submitted: 'debug',
  queued: 'debug',
  joined: 'debug',
  rejected: {
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
  },
  started: 'debug',
  attemptStarted: 'debug',
  attemptSucceeded: 'debug',
  attemptCanceled: 'debug',
  attemptFailed: 'warn',
  attemptTimedOut: 'warn',
  attemptStalled: 'warn',
  backoffScheduled: { success: 'debug', failure: 'info' },
  stopRequested: 'info',
  overrun: 'error',
  finished: {
    completed: 'info',
    canceled: 'info',
    failed: 'error',
    fatal: 'error',
    killed: 'error',
    abandoned: 'error',
  },
  slotPaused: 'info',
  slotResumed: 'info',
  leaseStalled: 'warn',
  shutdownStarted: 'info',
  shutdownFinished: { true: 'info', false: 'error' },
  subscriberFailed: 'error',
  eventsDropped: 'warn',
};

/** The field on which the level depends. */
const DECIDES: { readonly [Type in TaskEventType]?: string } = {
  rejected: 'reason',
  backoffScheduled: 'after',
  finished: 'outcome',
  shutdownFinished: 'clean',
};

const CASES = Object.entries(ROWS).flatMap(([type, levels]) =>
  typeof levels === 'string'
    ? [{ type, value: '', level: levels }]
    : Object.entries(levels).map(([value, level]) => ({ type, value, level })),
);

describe('the level of an event', () => {
  test.each(CASES)('$type $value is $level', ({ type, value, level }) => {
    const field = DECIDES[type as TaskEventType];
    const fields = field === undefined ? {} : { [field]: field === 'clean' ? value === 'true' : value };
    expect(levelOf(made(type as TaskEventType, fields))).toBe(level);
  });
});
