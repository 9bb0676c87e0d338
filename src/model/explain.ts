// Why a slot does not run what it should: its view as one sentence for people. Programs use the
// fields of the view. Texts of the user are cut, and their control characters are escaped.

import { firstLine, show } from './error.ts';
import type { Failure } from './failure.ts';
import { printable } from './printable.ts';
import type { SlotView, Stats, TaskView } from './view.ts';

/** The request for a slot's lease that the lease store has not answered. */
export interface LeaseWait {
  readonly sinceMs: number;
  /** No submission wants it any more. */
  readonly calledOff: boolean;
}

/** A call of the lease store that has stayed unanswered for longer than its `ttlMs`. */
export interface Stall {
  readonly what: 'acquire' | 'release';
  readonly sinceMs: number;
}

export interface SlotFacts {
  /** `queued` must show the first that waits. */
  readonly slot: SlotView;
  /** A shutdown has begun. */
  readonly isClosed: boolean;
  readonly gate: Pick<Stats['gate'], 'concurrency' | 'queued'>;
  readonly request: LeaseWait | undefined;
  readonly stall: Stall | undefined;
}

export function explain(facts: SlotFacts): string {
  const { slot, isClosed, stall } = facts;
  const parts = [slot.owner === undefined ? withoutOwner(facts) : withOwner(slot.owner, facts), behind(slot)];
  if (slot.paused) parts.push('the slot is paused, and nothing starts in it until resume()');
  if (stall !== undefined) parts.push(stalled(stall));
  if (isClosed) parts.push('a shutdown has begun, and nothing is admitted');
  return printable(`Slot ${show(slot.name)}: ${parts.filter((part) => part !== '').join('; ')}.`);
}

function withoutOwner({ slot, request }: SlotFacts): string {
  if (request !== undefined) {
    const since = span(request.sinceMs);
    // A process that stands by waits like this for days: the store answers when the slot is free.
    return request.calledOff
      ? `its lease was requested, and the request was called off: the lease store has not answered for ${since}`
      : `it has waited for its lease for ${since}: another process has the slot, or the lease store does not answer`;
  }
  if (slot.queuedCount > 0) return 'it has no owner';
  const state = slot.deadMs === undefined ? 'idle' : `vital, and has been dead for ${span(slot.deadMs)}`;
  return `it is ${state}: nothing runs in it, and nothing waits`;
}

function withOwner(owner: TaskView, { gate }: SlotFacts): string {
  return `${nameOf(owner)} ${doing(owner, gate)}`;
}

function doing(owner: TaskView, gate: SlotFacts['gate']): string {
  const since = span(owner.sinceMs);
  const next = `attempt ${owner.attempt + 1}`;
  const inMs = span(owner.nextAttemptInMs ?? 0);
  switch (owner.status) {
    case 'running':
      return `has run attempt ${owner.attempt} for ${since}`;
    case 'stopping':
      return `${askedToStop(owner)}, and its body has not ended`;
    case 'overrun':
      return `${askedToStop(owner)}, overran its grace ${since} ago, and its body has not ended`;
    case 'backoff':
      return `failed ${since} ago, and begins ${next} in ${inMs}${because(owner.lastFailure)}`;
    case 'interval':
      return `succeeded ${since} ago, and begins ${next} in ${inMs}`;
    case 'suspended':
      return `lost its lease, and has waited for another one for ${since}`;
    default:
      return atGate(owner, next, gate);
  }
}

function atGate({ waitingFor, sinceMs }: TaskView, next: string, { concurrency, queued }: SlotFacts['gate']): string {
  const waits = `has waited at the gate for ${span(sinceMs)} to begin ${next}`;
  switch (waitingFor) {
    case 'supervisorPaused':
      return `${waits}: the supervisor is paused, until resume()`;
    case 'gate':
      return `${waits}: concurrency is ${concurrency}, no place is free, and ${queued} wait there`;
    case 'rate':
      return `${waits}: the rate lets no attempt begin yet, and ${queued} wait there`;
    default:
      return `is about to begin ${next}`;
  }
}

function askedToStop({ stop }: TaskView): string {
  return stop === undefined ? 'was asked to stop' : `was asked to stop ${span(stop.sinceMs)} ago by ${stop.by}`;
}

/** The first line of the failure. */
function because(failure: Failure | undefined): string {
  return failure === undefined ? '' : `, after ${show(firstLine(failure.message))}`;
}

function behind({ owner, queuedCount, queued: [first] }: SlotView): string {
  if (first === undefined) return '';
  const who = owner === undefined ? '' : ' behind it';
  const count = queuedCount === 1 ? '1 waits' : `${queuedCount} wait`;
  return `${count}${who}, and the first is ${nameOf(first)}, for ${span(first.sinceMs)}`;
}

function stalled({ what, sinceMs }: Stall): string {
  const call = what === 'acquire' ? 'the request that was called off' : 'a release';
  return `the lease store has not answered ${call} for ${span(sinceMs)}`;
}

const nameOf = ({ name, id }: TaskView): string => `${show(name)} (${id})`;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration in its two largest units. */
export function span(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${Math.floor(ms / 100) / 10} s`;
  if (ms < HOUR) return two(ms, MINUTE, 'min', SECOND, 's');
  if (ms < DAY) return two(ms, HOUR, 'h', MINUTE, 'min');
  return ms === Infinity ? 'an endless time' : two(ms, DAY, 'd', HOUR, 'h');
}

function two(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${largeName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
}
