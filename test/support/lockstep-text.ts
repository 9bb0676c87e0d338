// Outcomes and events as one line of text, in the words of the reference model.

import type { Outcome, TaskEvent } from 'slotvisor';

/** The error that a body throws by itself. Its identity distinguishes it from every other error. */
export const OWN_ERROR = new Error('own');

/** The number of a submission. The alphabet of the ids has '-' too. */
export const numberOf = (id: string): number => Number(id.slice(id.lastIndexOf('-') + 1));

const by = (id: string | undefined): string => (id === undefined ? '' : ` ${numberOf(id)}`);

export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'completed':
      return `completed ${outcome.attempts}`;
    case 'failed':
      return `failed ${outcome.failure.kind} ${outcome.because} ${outcome.attempts}`;
    case 'canceled': {
      const { failure } = outcome;
      const own = failure?.kind === 'thrown' && failure.error === OWN_ERROR ? 'its own error' : failure?.kind;
      const value = 'value' in outcome ? ' and a value' : '';
      return `canceled ${outcome.by} ${outcome.attempts}${own === undefined ? '' : ` with ${own}`}${value}`;
    }
    case 'rejected':
      return `rejected ${outcome.reason}${by(outcome.by)}`;
    case 'fatal':
      return `fatal ${outcome.attempts}`;
    case 'killed':
    case 'abandoned':
      return `${outcome.kind} ${outcome.by} ${outcome.attempts}`;
  }
}

/** Why it ended, from its outcome or from its `finished` event: both have the same fields. */
export function whyText({ because, by, reason, failure }: Partial<Extract<TaskEvent, { type: 'finished' }>>): string {
  return JSON.stringify([because, by, reason, failure?.kind]);
}

export function eventText(event: Extract<TaskEvent, { id: unknown }>): string {
  switch (event.type) {
    case 'submitted':
    case 'started':
      return event.type;
    case 'queued':
      return `queued ${event.depth}`;
    case 'joined':
      return `joined ${numberOf(event.leader)}`;
    case 'rejected':
      return `rejected ${event.reason}${by(event.by)}`;
    case 'attemptStarted':
      return `attemptStarted ${event.attempt}${event.waitedMs === undefined ? '' : ` after ${event.waitedMs}`}`;
    case 'backoffScheduled':
      return `backoffScheduled ${event.delayMs} ${event.after}`;
    case 'stopRequested':
      return `stopRequested ${event.by}${by(event.successor)}`;
    case 'overrun':
      return `overrun ${event.action} of ${event.attempt}`;
    case 'finished':
      return `finished ${event.outcome} ${event.attempts}`;
    default:
      return `${event.type} ${event.attempt}`;
  }
}
