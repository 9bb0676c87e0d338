// The events that are remembered: in three rings, so that no kind pushes out another.

import type { TaskEventType } from '../../index.ts';
import { Ring } from './ring.ts';
import { EVENT_KINDS, type EventKind, type EventRow, type EventsPage, type Tail } from './wire.ts';

/** What an event must be to be shown. */
export interface EventFilter {
  readonly slot?: string | undefined;
  readonly types?: ReadonlySet<string> | undefined;
}

/** A page of events. */
export interface EventQuery extends EventFilter {
  readonly kind: EventKind;
  /** Only those with a smaller `seq`. */
  readonly before?: number | undefined;
  readonly limit: number;
  /** Epoch ms: `from <= at < to`. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** A part of the slot, the task, an id, the type or the sentence, in any case. */
  readonly q?: string | undefined;
}

/** What follows a `seq`. */
export interface TailFilter extends EventFilter {
  readonly kind: EventKind;
}

export class EventMemory {
  readonly #rings: Readonly<Record<EventKind, Ring<EventRow>>>;
  /** The `seq` of the last event that says that events were lost on their way here. */
  #lossSeq = 0;

  constructor({ events, notable }: { readonly events: number; readonly notable: number }) {
    this.#rings = { notable: new Ring(notable), rejected: new Ring(notable), all: new Ring(events) };
  }

  add(row: EventRow, kind: EventKind): void {
    this.#rings.all.push(row);
    if (kind !== 'all') this.#rings[kind].push(row);
    if (row.type === ('eventsDropped' satisfies TaskEventType)) this.#lossSeq = row.seq; // it comes for its own subscriber alone
  }

  page(query: EventQuery): EventsPage {
    const { kind, limit } = query;
    const events: EventRow[] = [];
    const keptSince = this.#rings[kind].oldest?.at;
    const known = keptSince === undefined ? {} : { keptSince };
    const matches = matcherOf(query);
    for (const row of this.#rings[kind].newestFirst()) {
      if (!matches(row)) continue;
      if (events.length >= limit) return { events, ...known, more: true };
      events.push(row);
    }
    return { events, ...known, more: false };
  }

  /**
   * The newest `limit` after `seq`, the oldest first. `gap`: some were lost on their way, are no
   * longer remembered, or did not fit. What was forgotten may not have passed the filter.
   */
  after(seq: number, { kind, slot, types }: TailFilter, limit: number): Tail {
    const ring = this.#rings[kind];
    const events: EventRow[] = [];
    let gap = this.#lossSeq > seq || (ring.lastOut !== undefined && ring.lastOut.seq > seq);
    for (const row of ring.newestFirst()) {
      if (row.seq <= seq) break;
      if (!passes(row, slot, types)) continue;
      if (events.length >= limit) {
        gap = true;
        break;
      }
      events.push(row);
    }
    return { gap, events: events.reverse() };
  }

  /** Notable and rejected ones of one slot, the newest first. */
  of(slot: string, limit: number): EventRow[] {
    const kinds = EVENT_KINDS.filter((kind) => kind !== 'all');
    const events = kinds.flatMap((kind) => this.page({ kind, slot, limit }).events);
    return events.sort((a, b) => b.seq - a.seq).slice(0, limit);
  }
}

function matcherOf(query: EventQuery): (row: EventRow) => boolean {
  const { before = Infinity, from = -Infinity, to = Infinity, slot, types } = query;
  const q = query.q?.toLowerCase() ?? '';
  return (row) =>
    row.seq < before && row.at >= from && row.at < to && passes(row, slot, types) && (q === '' || holds(row, q));
}

function passes(row: EventRow, slot: string | undefined, types: ReadonlySet<string> | undefined): boolean {
  return (slot === undefined || row.slot === slot) && (types === undefined || types.has(row.type));
}

function holds({ slot, name, id, other, type, text }: EventRow, q: string): boolean {
  return [slot, name, id, other, type, text].some((part) => part?.toLowerCase().includes(q));
}
