// From settings to dates: which calendar, on which clock, from which moment on. It reads no clock: the moment is handed in.

import { SpecError } from '../../index.ts';
import { atCalendar, bounded, type Calendar, cronCalendar, everyCalendar, localInstantMs } from './calendar.ts';
import { FURTHEST_MS, refuse, textOf } from './check.ts';
import type { ReadInstant, Settings } from './settings.ts';
import type { Hand, Moment } from './timeline.ts';

export interface Dates {
  readonly calendar: Calendar;
  /** The clock that its dates are moments of. */
  readonly hand: Hand;
  /** Dates up to here are past. */
  readonly cursor: number;
  /** The first date after the cursor; absent when the calendar failed, which is no fault of the options. */
  readonly first?: number;
  /** Where a fixed rate counts from. */
  readonly anchor?: number;
}

/** Throws a SpecError for what cannot be read, and for a schedule without a date ahead. */
export function datesOf(settings: Settings, now: Moment, anchor: number | undefined): Dates {
  const startMs = instantMs('startAt', settings.startAt, settings.timezone);
  const endMs = instantMs('endAt', settings.endAt, settings.timezone);
  if (endMs <= startMs) refuse('endAt', 'must be later than startAt', settings.endAt);
  const { cron, everyMs, at, toleranceMs, timezone } = settings;
  if (everyMs !== undefined) {
    const from = startMs === -Infinity ? (anchor ?? now.steady) : startMs - now.shift;
    const start = startMs === -Infinity ? from + everyMs : from;
    const calendar = bounded(everyCalendar(everyMs, from), start, endMs - now.shift);
    const cursor = cursorAt(now.steady, startMs - now.shift, toleranceMs);
    return { ...withFirst('everyMs', everyMs, calendar, cursor), hand: 'steady', anchor: from };
  }
  if (at !== undefined) {
    const calendar = bounded(atCalendar(instantMs('at', at, timezone)), startMs, endMs);
    return { ...withFirst('at', at, calendar, now.wall - toleranceMs - 1), hand: 'wall' };
  }
  const calendar = bounded(parsed(cron ?? '', timezone), startMs, endMs);
  return { ...withFirst('cron', cron, calendar, cursorAt(now.wall, startMs, toleranceMs)), hand: 'wall' };
}

/** Whoever says "start now" says so a moment before it is read here: the start itself must not be lost. */
function cursorAt(now: number, start: number, toleranceMs: number): number {
  return start <= now && start >= now - toleranceMs ? start - 1 : now;
}

function withFirst(field: string, got: unknown, calendar: Calendar, cursor: number) {
  try {
    const first = calendar.after(cursor);
    return first === undefined ? refuse(field, 'must have a date ahead', got) : { calendar, cursor, first };
  } catch (error) {
    if (error instanceof SpecError) throw error;
    return { calendar, cursor };
  }
}

/** Named, so that the calculator takes the same way for every zone. */
function zoneOf(timezone: string | undefined): string {
  return timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
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
    if (real && Math.abs(ms) <= FURTHEST_MS) return ms;
  } catch {
    // as below
  }
  return refuse(field, 'must be a date that exists', got);
}

function isoDay(ms: number): string | undefined {
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString().slice(0, 10);
}
