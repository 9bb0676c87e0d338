// From settings to dates: which calendar, on which clock, from which moment on. It reads no clock:
// the caller passes the moment.

import { refuse } from '../../kit.ts';
import { atCalendar, bounded, type Calendar, everyCalendar, MAX_DATE_MS } from './calendar.ts';
import { cronCalendar } from './cron-calendar.ts';
import { textOf } from './error-text.ts';
import { DATE_OPTIONS, type ReadInstant, type Settings } from './settings.ts';
import type { Moment } from './timeline.ts';
import { localInstantMs } from './zone.ts';

interface CalendarAndCursor {
  readonly calendar: Calendar;
  /** Only dates after this moment still come. */
  readonly cursor: number;
}

/**
 * Dates before `endAt` is applied. `clock` is the clock whose moments the dates are; `anchor` is
 * the moment that a fixed rate counts from.
 */
type UnendedDates = CalendarAndCursor &
  ({ readonly clock: 'wall' } | { readonly clock: 'monotonic'; readonly anchor: number });

export type Dates = UnendedDates & {
  /** The moment of `startAt` on the wall clock. */
  readonly startMs: number;
};

/**
 * The dates that the settings describe.
 *
 * @param given the names of the options that were given. An error names one of them: the others did
 * not change in an update.
 * @param old the dates before an update. A fixed rate keeps its anchor if its start is the same.
 * @param mayBePast a start that is at most `toleranceMs` in the past counts. Else dates before now
 * are none.
 * @throws OptionError for text that is no date or no expression, and if there is no future run.
 */
export function datesOf(
  settings: Settings,
  given: ReadonlySet<string>,
  now: Moment,
  old: Dates | undefined,
  mayBePast = true,
): Dates {
  const startMs = instantMs('startAt', settings.startAt, settings.timezone);
  const endMs = instantMs('endAt', settings.endAt, settings.timezone);
  if (endMs <= startMs) {
    if (given.has('startAt') && !given.has('endAt')) refuse('startAt', 'must be earlier than endAt', settings.startAt);
    refuse('endAt', 'must be later than startAt', settings.endAt);
  }
  const unended = unendedDates(settings, startMs, now, old, mayBePast ? settings.toleranceMs : -1);
  const calendar = bounded(unended.calendar, -Infinity, unended.clock === 'wall' ? endMs : endMs - now.shift);
  const { cursor } = unended;
  let isEmpty = false;
  let isEndTooEarly = false;
  try {
    isEmpty = calendar.after(cursor) === undefined;
    isEndTooEarly = isEmpty && unended.calendar.after(cursor) !== undefined;
  } catch {
    // A calendar that fails is no fault of the options.
  }
  return isEmpty ? refuseNoFutureRun(settings, given, isEndTooEarly) : { ...unended, calendar, startMs };
}

function unendedDates(
  { when, timezone, claims }: Settings,
  startMs: number,
  now: Moment,
  old: Dates | undefined,
  pastMs: number,
): UnendedDates {
  // With claims, dates are on the wall clock: processes have no other clock in common.
  if (when.kind === 'everyMs' && claims === undefined) {
    const begin = startMs === -Infinity ? now.monotonic : startMs - now.shift;
    const anchor = old?.clock === 'monotonic' && old.startMs === startMs ? old.anchor : begin;
    const start = startMs === -Infinity ? anchor + when.value : anchor;
    const calendar = bounded(everyCalendar(when.value, anchor), start, Infinity);
    return { calendar, clock: 'monotonic', cursor: cursorAt(now.monotonic, startMs - now.shift, pastMs), anchor };
  }
  if (when.kind === 'at') {
    const calendar = bounded(atCalendar(instantMs('at', when.value, timezone)), startMs, Infinity);
    return { calendar, clock: 'wall', cursor: now.wall - pastMs - 1 };
  }
  const unbounded = when.kind === 'cron' ? parseCron(when.value, timezone) : everyCalendar(when.value, startMs);
  const calendar = bounded(unbounded, startMs, Infinity);
  return { calendar, clock: 'wall', cursor: cursorAt(now.wall, startMs, pastMs) };
}

/**
 * `startAt: Date.now()` is already past when it is read here; a date at that moment must still run.
 */
function cursorAt(now: number, start: number, pastMs: number): number {
  return start !== -Infinity && start <= now && start >= now - pastMs ? start - 1 : now;
}

function refuseNoFutureRun(settings: Settings, given: ReadonlySet<string>, isEndTooEarly: boolean): never {
  const { kind, value } = settings.when;
  if (isEndTooEarly && given.has('endAt')) refuse('endAt', 'must leave a future run', settings.endAt);
  const changed = given.has(kind) ? undefined : DATE_OPTIONS.find((field) => given.has(field));
  if (changed !== undefined) refuse(changed, 'must leave a future run', settings[changed]);
  return refuse(kind, 'must have a future run', value);
}

/**
 * The zone as a name, so that croner takes the same code path for every zone. Some zones that a
 * process can have (`TZ=`, `TZ=UTC+3`) have no name that croner accepts. `undefined` then makes
 * croner read local time as `Date` does.
 */
function zoneOf(timezone: string | undefined): string | undefined {
  const zone = timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  return zone === 'Etc/Unknown' ? undefined : zone;
}

function parseCron(cron: string, timezone: string | undefined): Calendar {
  try {
    return cronCalendar(cron, zoneOf(timezone));
  } catch (error) {
    return refuse('cron', `must be a cron expression (${textOf(error)})`, cron);
  }
}

const ISO = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$/;

function instantMs(field: string, got: ReadInstant, timezone: string | undefined): number {
  if (typeof got === 'number') return got;
  const [, day, offset] = ISO.exec(got) ?? refuse(field, 'must have a date and a time, like 2030-01-23T04:00:00', got);
  // Parsers read February 30 as a day in March. It is refused instead.
  const exists = isoDay(Date.parse(`${day}T00:00:00Z`)) === day;
  try {
    const ms = offset === undefined ? localInstantMs(got, zoneOf(timezone)) : Date.parse(got);
    if (exists && Math.abs(ms) <= MAX_DATE_MS) return ms;
  } catch {
    // refused below
  }
  return refuse(field, 'must be a date that exists', got);
}

function isoDay(ms: number): string | undefined {
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString().slice(0, 10);
}
