// The metrics, and where their values come from. Each is documented in the README of this entry
// point, which has the same table.

import type { SlotView, Stats } from '../../index.ts';
import { OUTCOME_KINDS } from '../../kit.ts';

/** One metric. */
export interface Definition {
  /** Without the prefix. */
  readonly id: string;
  readonly help: string;
  /** The names of its labels, beside `supervisor`. */
  readonly labels: readonly string[];
}

export type Labels = Readonly<Record<string, string>>;

/** The label values of one series, without `supervisor`, and its value. */
export type Row = readonly [labels: Labels, value: number];

/** A metric whose values `stats()` has. All of its series are always there. */
export interface CountedMetric extends Definition {
  readonly type: 'counter' | 'gauge';
  rows(stats: Stats): Row[];
}

/** A metric with one value for each watched slot. */
export interface SlotMetric extends Definition {
  read(view: SlotView): number;
}

export const COUNTED: readonly CountedMetric[] = [
  one('counter', 'submissions_total', 'Submissions, rejected ones included.', ({ totals }) => totals.submitted),
  each('counter', 'outcomes_total', 'Ended submissions, by the kind of their outcome.', 'outcome', ({ totals }) =>
    OUTCOME_KINDS.map((kind) => [kind, totals[kind]]),
  ),
  each('counter', 'rejections_total', 'Rejected submissions, by reason.', 'reason', ({ rejections }) =>
    Object.entries(rejections),
  ),
  one('counter', 'attempts_total', 'Attempts begun.', ({ totals }) => totals.attempts),
  each('counter', 'attempt_failures_total', 'Failed attempts, by the kind of failure.', 'kind', ({ failures }) =>
    Object.entries(failures),
  ),
  one('counter', 'retries_total', 'Retries after failures.', ({ totals }) => totals.retries),
  one('counter', 'overruns_total', 'Attempts whose body overran its grace.', ({ totals }) => totals.overruns),
  one('counter', 'events_dropped_total', 'Events that subscribers did not get.', (stats) => stats.eventsDropped),
  each(
    'gauge',
    'tasks',
    'Live submissions, by status. Those that share a body or a place count once.',
    'state',
    ({ tasks }) => Object.entries(tasks),
  ),
  one('gauge', 'tasks_abandoned', 'Abandoned bodies that have not ended.', ({ abandonedAlive }) => abandonedAlive),
  one(
    'gauge',
    'slots',
    'Slots that have an owner, have waiting submissions, or are paused.',
    (stats) => stats.slotCount,
  ),
  one('gauge', 'open', '1 while submissions are accepted, 0 once a shutdown has begun.', ({ phase }) =>
    Number(phase === 'open'),
  ),
];

export const SLOT_METRICS: readonly SlotMetric[] = [
  {
    id: 'slot_owner_seconds',
    help: 'How long the owner of the slot has had its status. 0 without an owner.',
    labels: ['slot'],
    read: ({ owner }) => (owner?.sinceMs ?? 0) / 1_000,
  },
  {
    id: 'slot_waiting',
    help: 'Submissions that wait for the slot.',
    labels: ['slot'],
    read: ({ queuedCount }) => queuedCount,
  },
  {
    id: 'slot_retries',
    help: 'Retries of the owner of the slot. 0 without an owner.',
    labels: ['slot'],
    read: ({ owner }) => owner?.retries ?? 0,
  },
];

export const DURATION: Definition = {
  id: 'attempt_duration_seconds',
  help: 'How long attempts ran, by the group of their slot and by their end.',
  labels: ['group', 'outcome'],
};

export const WAIT: Definition = {
  id: 'attempt_wait_seconds',
  help: 'How long attempts were ready to run and did not, by the group of their slot.',
  labels: ['group'],
};

type Type = CountedMetric['type'];

function one(type: Type, id: string, help: string, read: (stats: Stats) => number): CountedMetric {
  return { type, id, help, labels: [], rows: (stats) => [[{}, read(stats)]] };
}

/** A label with a closed set of words: each word always has its series. */
function each(
  type: Type,
  id: string,
  help: string,
  label: string,
  counts: (stats: Stats) => readonly (readonly [word: string, count: number])[],
): CountedMetric {
  const rows = (stats: Stats): Row[] => counts(stats).map(([word, count]) => [{ [label]: word }, count]);
  return { type, id, help, labels: [label], rows };
}
