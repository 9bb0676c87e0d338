// The events that the page holds: from the stream and from what is remembered, each once, the
// newest first.

import type { EventRow, Tail } from '../wire.ts';

export interface EventList {
  readonly rows: readonly EventRow[];
  /** Between each of these and the next older row, events are missing. */
  readonly gapsAfter: ReadonlySet<number>;
}

export const NO_EVENTS: EventList = { rows: [], gapsAfter: new Set() };

/** Adds what a frame brought. Of more than `max` rows the oldest go. */
export function withTail(list: EventList, { gap, events }: Tail, max: number): EventList {
  const oldest = events[0]?.seq;
  const gapsAfter = gap && oldest !== undefined ? new Set([...list.gapsAfter, oldest]) : list.gapsAfter;
  return merged(list.rows, events, gapsAfter, max);
}

/** Adds events that were remembered. */
export const withRemembered = (list: EventList, events: readonly EventRow[], max: number): EventList =>
  merged(list.rows, events, list.gapsAfter, max);

function merged(
  rows: readonly EventRow[],
  more: readonly EventRow[],
  gapsAfter: ReadonlySet<number>,
  max: number,
): EventList {
  const bySeq = new Map([...rows, ...more].map((row) => [row.seq, row]));
  const kept = [...bySeq.values()].sort((a, b) => b.seq - a.seq).slice(0, max);
  return { rows: kept, gapsAfter: new Set([...gapsAfter].filter((seq) => kept.some((row) => row.seq === seq))) };
}

/** Whether an event holds the text, as the server finds it among the remembered ones. */
export function holds({ slot = '', id = '', name = '', type, text }: EventRow, q: string): boolean {
  const wanted = q.toLowerCase();
  return [slot, id, name, type, text].some((part) => part.toLowerCase().includes(wanted));
}
