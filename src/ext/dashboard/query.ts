// Which slots a page of the table shows, and in which order. Pure: it sees views, and no
// supervisor.

import type { SlotView } from '../../index.ts';
import { oneOf, refuse, wholeFrom } from '../../kit.ts';
import { MAX_GROUP, type ShowMeta, slotRow } from './rows.ts';
import { Top } from './top.ts';
import {
  FAILING,
  MAX_DEPTH,
  MAX_PAGE,
  MAX_QUERY,
  SLOT_STATES,
  type SlotState,
  type SlotsPage,
  SORTS,
  type Sort,
} from './wire.ts';

export interface SlotQuery {
  /**
   * A part of the slot's name, of its owner's name or of the text of its owner's last failure, in
   * upper or lower case; or the whole id of a task of the slot. Empty: every slot matches.
   */
  readonly q: string;
  readonly group?: string;
  /** The slot is in any of them. Empty: every slot matches. */
  readonly states: readonly SlotState[];
  readonly sort: Sort;
  readonly offset: number;
  readonly limit: number;
}

/** How many rows a page has, unless the query says. */
const PAGE = 50;

/**
 * The query of an address: the parameters `q`, `group`, `status` (several: with commas), `sort`,
 * `offset` and `limit`.
 *
 * @throws OptionError for an invalid one.
 */
export function readSlotQuery(params: Pick<URLSearchParams, 'get'>): SlotQuery {
  const q = params.get('q') ?? '';
  if (q.length > MAX_QUERY) refuse('q', `must be at most ${MAX_QUERY} characters`, q);
  const group = params.get('group');
  if (group !== null && group.length > MAX_GROUP) refuse('group', `must be at most ${MAX_GROUP} characters`, group);
  const words = new Set((params.get('status') ?? '').split(',')); // each is looked for in every slot
  words.delete('');
  const states = Array.from(words, (word) => oneOf('status', word, SLOT_STATES));
  const sort = oneOf('sort', params.get('sort') ?? 'attention', SORTS);
  const offset = wholeParam('offset', params.get('offset') ?? '0', 0, MAX_DEPTH);
  const limit = wholeParam('limit', params.get('limit') ?? `${PAGE}`, 1, MAX_PAGE);
  if (offset + limit > MAX_DEPTH)
    refuse('offset', `and limit together must be at most ${MAX_DEPTH}: narrow the filter`, offset);
  return { q, ...(group !== null && { group }), states, sort, offset, limit };
}

function wholeParam(name: string, text: string, min: number, max: number): number {
  return wholeFrom(name, /^\d{1,15}$/.test(text) ? Number(text) : text, min, max);
}

/** The same text for queries that have the same answer. */
export function keyOf({ q, group, states, sort, offset, limit }: SlotQuery): string {
  return JSON.stringify([q, group ?? null, [...states].sort(), sort, offset, limit]);
}

/** One slot, as a sweep has seen it. */
export interface Seen {
  readonly view: SlotView;
  /** When it was seen, by the supervisor's clock. */
  readonly nowMs: number;
  readonly group: string;
  readonly states: readonly SlotState[];
  /** Its place in the order `attention`: the smaller, the sooner it needs a look. */
  readonly rank: number;
  /**
   * When its owner got its status, or without an owner: since when its first waits. In whole ms of
   * the supervisor's clock, so that two looks at the same slots find the same order.
   */
  readonly beganMs: number;
}

export function seen(view: SlotView, group: string, nowMs: number): Seen {
  const states = statesOf(view);
  const first = view.owner ?? view.queued[0];
  const beganMs = first === undefined ? Infinity : Math.round(nowMs - first.sinceMs);
  return { view, nowMs, group, states, rank: rankOf(view, states), beganMs };
}

export function statesOf({ owner, phase, paused, queuedCount, vital }: SlotView): readonly SlotState[] {
  const states: SlotState[] = [];
  if (owner !== undefined) states.push(owner.status as SlotState); // an owner is neither queued nor ended
  const asksForLease = owner === undefined && phase === 'waiting';
  if (asksForLease || owner?.status === 'suspended') states.push('lease');
  if (paused) states.push('paused');
  if (queuedCount > 0 && !asksForLease) states.push('waiting');
  if (owner !== undefined && owner.streak >= FAILING) states.push('failing');
  if (vital === 'dead') states.push('dead');
  return states;
}

/** A body that was asked to stop so long ago needs a look. */
const STOPS_LONG_MS = 10_000;

/** The order `attention`: the first of these that is true of a slot is its rank. */
const ATTENTION = [
  'dead',
  'overrun',
  'stopsLong',
  'failing',
  'backoff',
  'suspended',
  'pausedWithWork',
  'waiting',
  'starting',
  'lease',
  'stopping',
  'paused',
  'running',
  'interval',
] as const;
const RANKS = Object.fromEntries(ATTENTION.map((word, rank) => [word, rank])) as Record<
  (typeof ATTENTION)[number],
  number
>;

function rankOf({ owner, queuedCount, paused }: SlotView, states: readonly SlotState[]): number {
  let rank: number = ATTENTION.length;
  for (const state of states) rank = Math.min(rank, RANKS[state]);
  if (owner?.status === 'stopping' && owner.sinceMs >= STOPS_LONG_MS) rank = Math.min(rank, RANKS.stopsLong);
  if (paused && queuedCount > 0) rank = Math.min(rank, RANKS.pausedWithWork);
  return rank;
}

/**
 * Whether a slot matches. `slotOfId`: the slot of the live task whose id is `q`.
 */
export function matcher({ q, group, states }: SlotQuery, slotOfId: string | undefined): (slot: Seen) => boolean {
  const part = q.toLowerCase();
  const has = (text: string | undefined): boolean => text?.toLowerCase().includes(part) === true;
  const matches = ({ name, owner }: SlotView): boolean =>
    has(name) || name === slotOfId || has(owner?.name) || has(owner?.lastFailure?.message);
  return (slot) =>
    (group === undefined || slot.group === group) &&
    (states.length === 0 || states.some((state) => slot.states.includes(state))) &&
    (q === '' || matches(slot.view));
}

type Compare = (one: Seen, other: Seen) => number;

const byName: Compare = ({ view: one }, { view: other }) =>
  one.name < other.name ? -1 : one.name > other.name ? 1 : 0;
/** The largest first. Slots of which it is the same are in the order of their names. */
const by =
  (amount: (slot: Seen) => number): Compare =>
  (one, other) =>
    amount(other) - amount(one) || byName(one, other);

/** The longest first, what has no age last. */
const byAge: Compare = (one, other) =>
  one.beganMs === other.beganMs ? byName(one, other) : one.beganMs - other.beganMs;

/** Each is total: no two slots have the same name. */
export const ORDERS: Readonly<Record<Sort, Compare>> = {
  attention: (one, other) => one.rank - other.rank || byAge(one, other),
  since: byAge,
  waiting: by(({ view }) => view.queuedCount),
  retries: by(({ view }) => view.owner?.retries ?? 0),
  name: byName,
};

/** Makes one answer from all slots. */
export interface Collector {
  add(slot: Seen): void;
  answer(): unknown;
}

/**
 * Collects the page of a query. It keeps no more views than the page and those before it.
 *
 * @param at when the sweep begins.
 */
export function pageCollector(
  query: SlotQuery,
  slotOfId: string | undefined,
  meta: ShowMeta | undefined,
  at: number,
): Collector {
  const { offset, limit, sort } = query;
  const matches = matcher(query, slotOfId);
  const top = new Top(offset + limit, ORDERS[sort]);
  let of = 0;
  let total = 0;
  return {
    add(slot) {
      of += 1;
      if (!matches(slot)) return;
      total += 1;
      top.add(slot);
    },
    answer(): SlotsPage {
      const rows = top.sorted().slice(offset);
      return { total, of, offset, at, rows: rows.map(({ view }) => slotRow(view, meta)) };
    },
  };
}
