// An event as a sentence.

import type { AttemptFailureBase, EventOf, TaskEvent, TaskEventType } from './event.ts';
import { describe } from './foreign.ts';
import { attemptsText } from './outcome.ts';
import { cut, printable } from './printable.ts';

/** The longest name and the longest message that a sentence shows, in UTF-16 units. */
const MAX_NAME = 60;
const MAX_MESSAGE = 300;

type Texts = { readonly [Type in TaskEventType]: (event: EventOf<Type>) => string };

const attemptFailed = ({ attempt, durationMs, failure }: AttemptFailureBase): string =>
  `attempt ${attempt} failed after ${ms(durationMs)}: ${message(failure.message)}`;

const TEXTS: Texts = {
  submitted: ({ policy }) => `was submitted, with the policy ${policy}`,
  queued: ({ depth }) => `waits in its slot, where ${depth === 1 ? 'no other waits' : `${depth} wait`}`,
  joined: ({ leader }) => `joined ${leader}`,
  rejected: ({ reason, by }) => `was rejected, because of ${reason}${by === undefined ? '' : ` (${by})`}`,
  started: ({ waitedMs }) => `owns its slot after ${ms(waitedMs)}`,
  attemptStarted: ({ attempt }) => `attempt ${attempt} began`,
  attemptSucceeded: ({ attempt, durationMs }) => `attempt ${attempt} succeeded after ${ms(durationMs)}`,
  attemptCanceled: ({ attempt, durationMs }) => `attempt ${attempt} was canceled after ${ms(durationMs)}`,
  attemptFailed,
  attemptTimedOut: attemptFailed,
  attemptStalled: attemptFailed,
  backoffScheduled: ({ attempt, delayMs, after }) =>
    `attempt ${attempt + 1} follows in ${ms(delayMs)}, after a ${after}`,
  stopRequested: ({ by, successor }) =>
    `was asked to stop, by ${by}${successor === undefined ? '' : `: ${successor} takes its place`}`,
  overrun: ({ attempt, action, sinceMs }) =>
    `attempt ${attempt} has not ended ${ms(sinceMs)} after its stop request, so ${OVERRUN[action]}`,
  finished: (event) =>
    `ended ${event.outcome}${why(event)}, after ${attemptsText(event.attempts)} and ${ms(event.ranMs)}`,
  slotPaused: () => 'the slot was paused',
  slotResumed: () => 'the slot was resumed',
  leaseStalled: ({ what, sinceMs }) => `the lease store has not answered its ${what} for ${ms(sinceMs)}`,
  shutdownStarted: ({ cause, graceMs }) => `a shutdown began, by ${cause}, with a grace of ${ms(graceMs)}`,
  shutdownFinished: ({ clean, stuck }) => {
    if (stuck.length > 0) return `the shutdown ended, and ${stuck.length} may be alive: ${names(stuck)}`;
    return clean ? 'the shutdown ended' : 'the shutdown ended, and bodies had to be killed';
  },
  subscriberFailed: ({ subscriber, error }) => `the subscriber ${name(subscriber)} failed: ${message(describe(error))}`,
  eventsDropped: ({ subscriber, count }) =>
    `the subscriber ${name(subscriber)} lost ${count === 1 ? '1 event' : `${count} events`}`,
};

const OVERRUN = {
  hold: 'it keeps the slot',
  kill: 'it is killed',
  abandon: 'it was given up',
} as const;

/**
 * One sentence about an event, for people. Programs use the fields of the event. It is one line,
 * and short: names are cut to 60 characters, and messages to 300. Control characters, line breaks
 * and marks of text direction are written as `\uXXXX`. It shows no `meta`.
 */
export function eventText(event: TaskEvent): string {
  const subject = subjectOf(event);
  return `${subject}${subject === '' ? '' : ': '}${sentenceOf(event)}`;
}

/** The slot, and the task where that has another name. Empty for an event without a slot. */
export function subjectOf(event: TaskEvent): string {
  if (!('slot' in event)) return '';
  const label = 'name' in event && event.name !== event.slot ? ` (${name(event.name)})` : '';
  return `${name(event.slot)}${label}`;
}

/** What happened, without the subject. */
export function sentenceOf(event: TaskEvent): string {
  return (TEXTS[event.type] as (event: TaskEvent) => string)(event);
}

function why({ because, by, reason, failure }: EventOf<'finished'>): string {
  const cause = because === undefined ? by && `, by ${by}` : `, because of ${because}`;
  const said = failure === undefined ? reason !== undefined && describe(reason) : failure.message;
  return `${cause ?? ''}${said === false ? '' : ` (${message(said)})`}`;
}

const names = (all: readonly string[]): string =>
  `${all.slice(0, 5).map(name).join(', ')}${all.length > 5 ? ', …' : ''}`;
const name = (text: string): string => printable(cut(text, MAX_NAME));
const message = (text: string): string => printable(cut(text, MAX_MESSAGE));
const ms = (duration: number): string => `${Math.round(duration)} ms`;
