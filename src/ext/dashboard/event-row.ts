// An event as it is remembered and shown. It holds no object of the user.

import type { TaskEvent, TaskEventType } from '../../index.ts';
import { levelOf, sentenceOf } from '../../kit.ts';
import { type OwnNames, ownText } from './own-text.ts';
import type { EventKind, EventRow, Level } from './wire.ts';

/**
 * Where an event is remembered, beside the ring of all. `rejected` has a ring of its own: a busy
 * slot that is asked for often would push out what matters.
 */
const KINDS: Readonly<Record<TaskEventType, EventKind>> = {
  submitted: 'all',
  queued: 'all',
  joined: 'all',
  rejected: 'rejected',
  started: 'all',
  attemptStarted: 'all',
  attemptSucceeded: 'all',
  attemptCanceled: 'all',
  attemptFailed: 'notable',
  attemptTimedOut: 'notable',
  attemptStalled: 'notable',
  backoffScheduled: 'all',
  stopRequested: 'notable',
  overrun: 'notable',
  finished: 'notable',
  slotPaused: 'notable',
  slotResumed: 'notable',
  leaseStalled: 'notable',
  shutdownStarted: 'notable',
  shutdownFinished: 'notable',
  subscriberFailed: 'notable',
  eventsDropped: 'notable',
};

export function kindOf(event: TaskEvent): EventKind {
  return event.type === 'finished' && event.outcome === 'completed' ? 'all' : KINDS[event.type];
}

const LEVELS = { debug: 'info', info: 'info', warn: 'warn', error: 'bad' } as const;

const levelShown = (event: TaskEvent): Level => LEVELS[levelOf(event)];

/**
 * The sentence is built at once: to keep what it needs costs half as much (measured: 20 ns and 40),
 * and a table of the fields of each type.
 */
export function eventRow(event: TaskEvent, names: OwnNames): EventRow {
  const { seq, at, type } = event;
  const level = levelShown(event);
  const text = textOf(event);
  if (!('slot' in event)) return { seq, at, type, level, text };
  const slot = names.of(event.slot);
  if (!('id' in event)) return { seq, at, type, level, slot, text };
  const { id } = event;
  const name = event.name === event.slot ? slot : names.of(event.name);
  const other = otherOf(event);
  if (other === undefined) return { seq, at, type, level, slot, id, name, text };
  return { seq, at, type, level, slot, id, name, other, text };
}

/** The sentences of the others have only words of the library in them. */
function textOf(event: TaskEvent): string {
  return kindOf(event) === 'notable' ? ownText(sentenceOf(event)) : sentenceOf(event);
}

function otherOf(event: TaskEvent): string | undefined {
  switch (event.type) {
    case 'rejected':
      return event.by;
    case 'stopRequested':
      return event.successor;
    case 'joined':
      return event.leader;
    default:
      return undefined;
  }
}
