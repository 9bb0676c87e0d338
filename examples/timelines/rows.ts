// What the events say about each submission: its states, with their times, and its end.

import type { TaskEvent } from 'slotvisor';

export type State = 'waiting' | 'running' | 'stopping' | 'joined';

export interface Bar {
  readonly state: State;
  readonly fromMs: number;
  toMs: number;
}

export interface Row {
  readonly name: string;
  readonly submittedMs: number;
  readonly bars: Bar[];
  endedMs: number;
  /** The kind of the outcome. For a rejection: its reason. */
  end: string;
  rejected: boolean;
  /** The name of the owner whose run this submission joined. */
  leader?: string;
}

/** `stop`: the arrival of one submission stops another. `next`: one ends, and another starts. */
export interface Link {
  readonly kind: 'stop' | 'next';
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
}

/** In the order of arrival. */
export function rowsOf(events: readonly TaskEvent[]): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const event of events) {
    if (!('id' in event)) continue;
    const { at, name } = event;
    const row = rows.get(event.id) ?? { name, submittedMs: at, bars: [], endedMs: at, end: '', rejected: false };
    rows.set(event.id, row);
    const enter = (state: State): void => {
      leave();
      row.bars.push({ state, fromMs: at, toMs: at });
    };
    const leave = (): void => {
      const last = row.bars.at(-1);
      if (last !== undefined) last.toMs = at;
    };
    switch (event.type) {
      case 'queued':
        enter('waiting');
        break;
      case 'started':
        enter('running');
        break;
      case 'stopRequested':
        enter('stopping');
        break;
      case 'joined':
        row.leader = rows.get(event.leader)?.name ?? '';
        enter('joined');
        break;
      case 'rejected':
      case 'finished':
        leave();
        row.endedMs = at;
        row.rejected = event.type === 'rejected';
        row.end = event.type === 'rejected' ? event.reason : event.outcome;
    }
  }
  return [...rows.values()];
}

export function linksOf(rows: readonly Row[]): readonly Link[] {
  return rows.flatMap((row) =>
    row.bars.flatMap(({ state, fromMs }): Link[] => {
      const { name } = row;
      const cause = rows.find(({ submittedMs }) => state === 'stopping' && submittedMs === fromMs);
      if (cause !== undefined) return [{ kind: 'stop', atMs: fromMs, from: cause.name, to: name }];
      const before = rows.find(
        ({ endedMs, rejected }) => state === 'running' && fromMs > row.submittedMs && endedMs === fromMs && !rejected,
      );
      return before === undefined ? [] : [{ kind: 'next', atMs: fromMs, from: before.name, to: name }];
    }),
  );
}
