// The dates of a cron expression in a time zone: local dates, and what zone transitions do to them.

import type { Calendar } from './calendar.ts';
import { readExpression } from './expression.ts';
import { END_LOCAL_MS, FIRST_LOCAL_MS, LocalDates } from './local-dates.ts';
import { remembered } from './remembered.ts';
import { Shared } from './shared.ts';
import { DAY, SECOND, type Span, Zone } from './zone.ts';

const calendars = new Shared<Calendar>();

/**
 * The dates of a cron expression in a time zone. If `timezone` is `undefined`: in the local time of
 * `Date`. Equal expressions in one zone share one calendar, and so what it remembers.
 *
 * An expression with neither `*` nor a step in its seconds, minutes and hours names times of day.
 * If a zone transition skips such a time, its date is the end of the gap, if that is still the same
 * day. If a transition repeats it, only the first one is a date. Any other expression is an
 * interval: every moment that matches is a date. So a skipped time is no date, and a repeated time
 * is two dates.
 *
 * @throws an error that says what is wrong with the expression.
 */
export function cronCalendar(expression: string, timezone: string | undefined): Calendar {
  const make = () => remembered(new CronCalendar(new LocalDates(readExpression(expression)), Zone.of(timezone)));
  // The zone of the process can be set to another one.
  return timezone === undefined ? make() : calendars.get(`${timezone} ${expression}`, make);
}

/** Offsets of a zone differ by less than this. So a local time and its moments are as near. */
const NEAR_MS = 2 * DAY;
/** Moments beyond these years have no dates. The zone is not read there. */
const FIRST_MS = FIRST_LOCAL_MS - NEAR_MS;
const LAST_MS = END_LOCAL_MS + NEAR_MS;

class CronCalendar implements Calendar {
  readonly #dates: LocalDates;
  readonly #zone: Zone;

  constructor(dates: LocalDates, zone: Zone) {
    this.#dates = dates;
    this.#zone = zone;
  }

  after(ms: number): number | undefined {
    let from = secondAfter(Math.max(ms, FIRST_MS));
    while (from < LAST_MS) {
      const span = this.#zone.spanAt(from);
      const local = this.#dates.next(this.#localFrom(span, from) - SECOND) ?? Infinity;
      if (local - span.offset < span.end) return Math.max(local - span.offset, from);
      // A span that begins soon may show local times again that this one showed before `from`. One
      // that begins later shows nothing that matches before it shows times near `local`.
      const isFar = span.end - from >= NEAR_MS;
      from = isFar ? Math.max(span.end, local - span.offset - NEAR_MS) : span.end;
    }
    return undefined;
  }

  before(ms: number): number | undefined {
    let last = Math.ceil(Math.min(ms, LAST_MS) / SECOND) * SECOND - SECOND;
    while (last > FIRST_MS) {
      const span = this.#zone.spanAt(last);
      const local = this.#dates.previous(last + span.offset + SECOND) ?? -Infinity;
      if (local >= this.#localFrom(span, span.start)) return Math.max(local - span.offset, span.start);
      const isFar = last - span.start >= NEAR_MS;
      last = Math.min(span.start - SECOND, isFar ? local - span.offset + NEAR_MS : Infinity);
    }
    return undefined;
  }

  count(from: number, to: number): number {
    const end = Math.min(to, LAST_MS);
    let count = 0;
    for (let first = secondAfter(Math.max(from, FIRST_MS)); first <= end; ) {
      const span = this.#constantFrom(first, end);
      const low = this.#localFrom(span, first) - SECOND;
      const high = Math.min(end, span.end - SECOND) + span.offset;
      // All times that a gap skips have one date, which is also that of the gap's end.
      const gapEnd = Math.max(low, first + span.offset);
      const isGap = gapEnd - low > SECOND;
      if (isGap && (this.#dates.next(low) ?? Infinity) <= gapEnd) count += 1;
      count += this.#dates.count(isGap ? gapEnd : low, high);
      first = span.end;
    }
    return count;
  }

  /** The first local time at or after the moment `from` in `span` whose date is in `span`. */
  #localFrom({ start, before, offset }: Span, from: number): number {
    const local = from + offset;
    if (!this.#dates.isTimeOfDay) return local;
    // Times before this one were shown before the span. Those in a gap are dates at its start.
    const first = start + before;
    return Math.max(first, from === start ? Math.floor(local / DAY) * DAY : local);
  }

  /** The span at `from`, with those after it that have the same offset, at least up to `to`. */
  #constantFrom(from: number, to: number): Span {
    const span = this.#zone.spanAt(from);
    let { end } = span;
    while (end <= to) {
      const next = this.#zone.spanAt(end);
      if (next.offset !== span.offset) break;
      end = next.end;
    }
    return { ...span, end };
  }
}

/** The first whole second later than `ms`. */
function secondAfter(ms: number): number {
  return Math.floor(ms / SECOND) * SECOND + SECOND;
}
