// What needs a look, in sentences. A warning is raised by the worst thing of its kind, and counts
// all that its link shows.

import type { RejectReason, Stats } from '../../index.ts';
import { cut, span } from '../../kit.ts';
import { MAX_NAMED, type Tally } from './tally.ts';
import {
  FAILING,
  type FleetPage,
  type Link,
  type ProcessRow,
  type ScheduleRow,
  type SlotState,
  WARNING_KINDS,
  type Warning,
  type WarningKind,
} from './wire.ts';

/** What happened lately. */
export interface LatelyMemory {
  /** How long ago a subscriber was found to have lost events. */
  readonly eventsDroppedMs: number;
  /** What lacked room or time. */
  turnedAwayLately(withinMs: number): Readonly<Record<RejectReason, number>>;
}

export interface Look {
  readonly stats: Pick<Stats, 'phase' | 'gate' | 'abandonedAlive' | 'eventsDropped'>;
  readonly tally: Tally;
  readonly recorder: LatelyMemory;
  readonly process: Pick<ProcessRow, 'loopDelayMs'>;
  readonly schedules: readonly Pick<ScheduleRow, 'name' | 'runs' | 'error'>[];
  /** Absent where the fleet is not known. */
  readonly fleet?: Pick<FleetPage, 'error'> | undefined;
}

/** From when on something needs a look. */
const LONG = {
  backoffMs: 60_000,
  waitingMs: 60_000,
  startingMs: 10_000,
  leaseMs: 10_000,
  loopDelayMs: 200,
} as const;
const LATELY_MS = 300_000;

const BAD: readonly WarningKind[] = ['dead', 'overrun', 'failing', 'abandoned', 'fleet'];

/** The longest text of the caller in a sentence. */
const MAX_TEXT = 100;

/** The worst first. */
export function warningsOf(look: Look): Warning[] {
  const found = FINDERS.flatMap((find) => find(look) ?? []);
  return found.sort((one, other) => orderOf(one) - orderOf(other));
}

const orderOf = ({ kind, level }: Warning): number =>
  WARNING_KINDS.indexOf(kind) + (level === 'bad' ? 0 : WARNING_KINDS.length);

type Find = (look: Look) => Warning | Warning[] | undefined;

const FINDERS: readonly Find[] = [
  dead,
  overrun,
  failing,
  longPause,
  waiting,
  pausedWithWork,
  turnedAway,
  gate,
  lease,
  abandoned,
  loopDelay,
  eventsDropped,
  schedule,
  fleet,
  closing,
];

function warning(kind: WarningKind, count: number, text: string, link: Link, since?: number): Warning {
  const level = BAD.includes(kind) ? 'bad' : 'warn';
  return { kind, level, text, count, ...(since !== undefined && { since: Math.round(since) }), link };
}

/** Of all slots of a state, with the age of the oldest. */
function ofState(
  kind: WarningKind,
  { at, states, oldestMs }: Tally,
  state: SlotState,
  text: string,
  link?: Link,
): Warning {
  return warning(kind, states[state], text, link ?? { view: 'slots', status: state }, at - oldestMs[state]);
}

const many = (count: number, one: string, more: string): string => (count === 1 ? `1 ${one}` : `${count} ${more}`);
const forLong = (count: number, ms: number): string => `${count === 1 ? '' : 'the longest '}for ${span(ms)}`;

/** `: a, b, c, 2 more`: some of them, and how many more there are. */
function named(count: number, names: readonly string[]): string {
  const some = names.slice(0, MAX_NAMED).map((name) => cut(name, MAX_TEXT));
  const more = count - some.length;
  return some.length === 0 ? '' : `: ${[...some, ...(more > 0 ? [`${more} more`] : [])].join(', ')}`;
}

function dead({ tally }: Look): Warning | undefined {
  const count = tally.states.dead;
  if (count === 0) return undefined;
  const what = many(count, 'vital slot is dead', 'vital slots are dead');
  return ofState('dead', tally, 'dead', `${what}${named(count, tally.named.dead)}`);
}

function overrun({ tally }: Look): Warning | undefined {
  const count = tally.states.overrun;
  if (count === 0) return undefined;
  const what = many(count, 'body has overrun its grace', 'bodies have overrun their grace');
  const by = tally.overrunBy === undefined ? '' : `, asked to stop by ${tally.overrunBy}`;
  return ofState(
    'overrun',
    tally,
    'overrun',
    `${what}, ${forLong(count, tally.oldestMs.overrun)}${by}${named(count, tally.named.overrun)}`,
  );
}

function failing({ tally }: Look): Warning[] {
  const { at, states, oldestMs, failingGroups } = tally;
  if (states.failing === 0) return [];
  const says = (count: number, where: string): string =>
    `${many(count, `task${where} has`, `tasks${where} have`)} failed ${FAILING} times or more in a row`;
  const link: Link = { view: 'slots', status: 'failing' };
  if (failingGroups.length === 0)
    return [warning('failing', states.failing, says(states.failing, ''), link, at - oldestMs.failing)];
  return failingGroups.map(({ group, slots, sinceMs }) =>
    warning('failing', slots, says(slots, ` in ${cut(group, MAX_TEXT)}`), { ...link, group }, at - sinceMs),
  );
}

function longPause({ tally: { states, longestBackoffMs } }: Look): Warning | undefined {
  const count = states.backoff;
  if (longestBackoffMs < LONG.backoffMs) return undefined;
  const next = count === 1 ? 'its next try is' : 'the last of the next tries is';
  const text = `${many(count, 'task is', 'tasks are')} in backoff, and ${next} ${span(longestBackoffMs)} away`;
  return warning('longPause', count, text, { view: 'slots', status: 'backoff' });
}

function waiting({ tally }: Look): Warning | undefined {
  const count = tally.states.waiting;
  const longestMs = tally.oldestMs.waiting;
  if (longestMs <= LONG.waitingMs) return undefined;
  const text = `${many(count, 'slot has', 'slots have')} work that waits, ${forLong(count, longestMs)}`;
  return ofState('waiting', tally, 'waiting', text, { view: 'slots', status: 'waiting', sort: 'waiting' });
}

function pausedWithWork({ tally }: Look): Warning | undefined {
  const count = tally.states.paused;
  const work = tally.waitingInPaused;
  if (work === 0) return undefined;
  const what = `${many(count, 'slot is', 'slots are')} paused, and ${many(work, 'submission waits', 'submissions wait')} there`;
  return ofState(
    'pausedWithWork',
    tally,
    'paused',
    `${what}${named(tally.pausedWithWork, tally.named.pausedWithWork)}`,
  );
}

function turnedAway({ recorder }: Look): Warning[] {
  const reasons = Object.entries(recorder.turnedAwayLately(LATELY_MS)).filter(([, count]) => count > 0);
  return reasons.map(([reason, count]) => {
    const what = many(count, 'submission was', 'submissions were');
    const text = `${what} turned away in the last ${span(LATELY_MS)}, because of ${reason}`;
    return warning('turnedAway', count, text, { view: 'events', kind: 'rejected', q: reason });
  });
}

function gate({ stats, tally }: Look): Warning | undefined {
  const count = tally.states.starting;
  const longestMs = tally.oldestMs.starting;
  if (stats.gate.paused) {
    const behind = count === 0 ? '' : `: ${many(count, 'slot waits', 'slots wait')}`;
    return ofState(
      'gate',
      tally,
      'starting',
      `The supervisor is paused, and no attempt begins until resume()${behind}`,
    );
  }
  if (longestMs <= LONG.startingMs) return undefined;
  const { inside, concurrency } = stats.gate;
  const why = inside >= concurrency ? `: concurrency is ${concurrency}, and no place is free` : '';
  const what = many(count, 'slot waits at the gate', 'slots wait at the gate');
  return ofState('gate', tally, 'starting', `${what}, ${forLong(count, longestMs)}${why}`);
}

/**
 * In a fleet that is known, another process may have a slot for as long as it lives: to wait for it
 * is what a process that stands by does. To have lost it is not.
 */
function lease({ tally, fleet }: Look): Warning | undefined {
  const state = fleet === undefined ? 'lease' : 'suspended';
  const count = tally.states[state];
  const longestMs = tally.oldestMs[state];
  if (longestMs <= LONG.leaseMs) return undefined;
  const what =
    state === 'lease'
      ? many(count, 'slot waits for its lease', 'slots wait for their leases')
      : many(
          count,
          'slot has lost its lease, and waits for another one',
          'slots have lost their leases, and wait for others',
        );
  return ofState('lease', tally, state, `${what}, ${forLong(count, longestMs)}`);
}

function abandoned({ stats: { abandonedAlive: count } }: Look): Warning | undefined {
  if (count === 0) return undefined;
  const text = many(count, 'abandoned body has not ended', 'abandoned bodies have not ended');
  return warning('abandoned', count, text, { view: 'events', kind: 'notable', types: 'overrun' });
}

function loopDelay({ process: { loopDelayMs } }: Look): Warning | undefined {
  if (loopDelayMs <= LONG.loopDelayMs) return undefined;
  return warning('loopDelay', 1, `The event loop was held up for ${span(loopDelayMs)} in the last second`, {});
}

function eventsDropped({ stats: { eventsDropped: count }, recorder }: Look): Warning | undefined {
  if (recorder.eventsDroppedMs > LATELY_MS) return undefined;
  const text = `A subscriber was too slow, and ${many(count, 'event was', 'events were')} lost since the start`;
  return warning('eventsDropped', count, text, {});
}

function schedule({ schedules }: Look): Warning | undefined {
  const troubled = schedules.filter(({ error, runs }) => error !== undefined || isMiss(runs.at(-1)));
  const count = troubled.length;
  if (count === 0) return undefined;
  const names = troubled.map(({ name }) => name);
  const what = many(count, 'schedule did not run its last date', 'schedules did not run their last date');
  return warning('schedule', count, `${what}${named(count, names)}`, { view: 'schedules' });
}

const isMiss = (run: ScheduleRow['runs'][number] | undefined): boolean =>
  run?.kind === 'missed' || run?.kind === 'error';

function fleet({ fleet: page }: Look): Warning | undefined {
  if (page?.error === undefined) return undefined;
  return warning('fleet', 1, `The store of the fleet cannot be read: ${cut(page.error, MAX_TEXT)}`, { view: 'fleet' });
}

function closing({ stats: { phase }, tally: { slots } }: Look): Warning | undefined {
  if (phase === 'open') return undefined;
  const left = slots === 0 ? '' : `, and ${many(slots, 'slot is', 'slots are')} left`;
  const text = phase === 'closing' ? 'A shutdown has begun' : 'The supervisor is closed';
  return warning('closing', slots, `${text}${left}`, { view: 'slots' });
}
