// From settings to dates: which calendar, on which clock, from which moment on. It reads no clock: the moment is handed in.

import { refuse } from '../../kit.ts';
import { atCalendar, bounded, type Calendar, cronCalendar, everyCalendar, localInstantMs } from './calendar.ts';
import { MAX_DATE_MS, textOf } from './check.ts';
import { MOVING, type ReadInstant, type Settings } from './settings.ts';
import type { Moment } from './timeline.ts';

interface Reach {
  readonly calendar: Calendar;
  /** Dates up to here are past. */
  readonly cursor: number;
}

/** `hand`: the clock that its dates are moments of. A fixed rate counts from its anchor. */
type Endless = Reach & ({ readonly clock: 'wall' } | { readonly clock: 'steady'; readonly anchor: number });

export type Dates = Endless & {
  /** The first date after the cursor; absent when the calendar failed, which is no fault of the options. */
  readonly first?: number;
  /** What `startAt` said, on the wall clock. */
  readonly startMs: number;
};

/**
 * Throws a OptionError for what cannot be read, and for a schedule without a date ahead. It blames one of the fields that were `given`: in
 * an update the others stand as they stood.
 *
 * @param old a fixed rate counts on from where it did, if its start is the same.
 */
export function datesOf(settings: Settings, given: ReadonlySet<string>, now: Moment, old: Dates | undefined): Dates {
  const startMs = instantMs('startAt', settings.startAt, settings.timezone);
  const endMs = instantMs('endAt', settings.endAt, settings.timezone);
  if (endMs <= startMs) {
    if (given.has('startAt') && !given.has('endAt')) refuse('startAt', 'must be earlier than endAt', settings.startAt);
    refuse('endAt', 'must be later than startAt', settings.endAt);
  }
  const endless = endlessDates(settings, startMs, now, old);
  const calendar = bounded(endless.calendar, -Infinity, endless.clock === 'wall' ? endMs : endMs - now.shift);
  const dates = { ...endless, calendar, startMs };
  let first: number | undefined;
  let endIsNear = false;
  try {
    first = calendar.after(dates.cursor);
    endIsNear = first === undefined && endless.calendar.after(dates.cursor) !== undefined;
  } catch {
    return dates;
  }
  return first === undefined ? refuseNone(settings, given, endIsNear) : { ...dates, first };
}

function endlessDates(
  { when, timezone, toleranceMs }: Settings,
  startMs: number,
  now: Moment,
  old: Dates | undefined,
): Endless {
  if (when.kind === 'everyMs') {
    const begin = startMs === -Infinity ? now.steady : startMs - now.shift;
    const anchor = old?.clock === 'steady' && old.startMs === startMs ? old.anchor : begin;
    const start = startMs === -Infinity ? anchor + when.value : anchor;
    const calendar = bounded(everyCalendar(when.value, anchor), start, Infinity);
    return { calendar, clock: 'steady', cursor: cursorAt(now.steady, startMs - now.shift, toleranceMs), anchor };
  }
  if (when.kind === 'at') {
    const calendar = bounded(atCalendar(instantMs('at', when.value, timezone)), startMs, Infinity);
    return { calendar, clock: 'wall', cursor: now.wall - toleranceMs - 1 };
  }
  const calendar = bounded(parsed(when.value, timezone), startMs, Infinity);
  return { calendar, clock: 'wall', cursor: cursorAt(now.wall, startMs, toleranceMs) };
}

/** Whoever says "start now" says so a moment before it is read here: the start itself must not be lost. */
function cursorAt(now: number, start: number, toleranceMs: number): number {
  return start !== -Infinity && start <= now && start >= now - toleranceMs ? start - 1 : now;
}

function refuseNone(settings: Settings, given: ReadonlySet<string>, endIsNear: boolean): never {
  const { kind, value } = settings.when;
  if (endIsNear && given.has('endAt')) refuse('endAt', 'must leave a date ahead', settings.endAt);
  const moved = given.has(kind) ? undefined : MOVING.find((field) => given.has(field));
  if (moved !== undefined) refuse(moved, 'must leave a date ahead', settings[moved]);
  return refuse(kind, 'must have a date ahead', value);
}

/**
 * Named, so that the calculator takes the same way for every zone. Some that a process can have (`TZ=`, `TZ=UTC+3`) have no name that can
 * be read in: `undefined` makes the calculator read local time as Date does.
 */
function zoneOf(timezone: string | undefined): string | undefined {
  const zone = timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  return zone === 'Etc/Unknown' ? undefined : zone;
}

function parsed(cron: string, timezone: string | undefined): Calendar {
  try {
    return cronCalendar(cron, zoneOf(timezone));
  } catch (error) {
    return refuse('cron', `must be a cron expression (${textOf(error)})`, cron);
  }
}

const ISO = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$/;

function instantMs(field: string, got: ReadInstant, timezone: string | undefined): number {
  if (typeof got === 'number') return got;
  const [, day, offset] = ISO.exec(got) ?? refuse(field, 'must be ISO 8601 text like 2030-01-23T04:00:00', got);
  // Parsers move the 30th of February into March; nobody who writes it means that.
  const real = isoDay(Date.parse(`${day}T00:00:00Z`)) === day;
  try {
    const ms = offset === undefined ? localInstantMs(got, zoneOf(timezone)) : Date.parse(got);
    if (real && Math.abs(ms) <= MAX_DATE_MS) return ms;
  } catch {
    // as below
  }
  return refuse(field, 'must be a date that exists', got);
}

function isoDay(ms: number): string | undefined {
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString().slice(0, 10);
}
