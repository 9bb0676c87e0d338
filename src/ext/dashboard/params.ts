// The parameters of an address, checked as options are: an OptionError names the parameter, the
// rule and the value. A parameter that is not known is ignored: it may be for `authorize`.

import { EVENT_TYPES, nameText, oneOf, refuse, wholeFrom } from '../../kit.ts';
import type { EventQuery, SlotQuery } from './stand-in.ts';
import {
  EVENT_KINDS,
  type EventKind,
  MAX_DEPTH,
  MAX_EVENTS,
  MAX_PAGE,
  MAX_QUERY,
  type SeriesStep,
  SLOT_STATES,
  SORTS,
  VIEWS,
  type View,
} from './wire.ts';

/** How many rows there are, unless the request says. */
const PAGE = 50;
const EVENTS = 100;

export function readSlotQuery(params: URLSearchParams): SlotQuery {
  const group = params.get('group');
  const offset = wholeOf(params, 'offset', 0, MAX_DEPTH) ?? 0;
  const limit = wholeOf(params, 'limit', 1, MAX_PAGE) ?? PAGE;
  if (offset + limit > MAX_DEPTH)
    refuse('offset', `must be at most ${MAX_DEPTH - limit} with this limit (narrow the filter)`, offset);
  return {
    q: queryOf(params),
    ...(group !== null && { group: shortText('group', group) }),
    states: wordsOf(params, 'status', SLOT_STATES),
    sort: wordOf(params, 'sort', SORTS) ?? 'attention',
    offset,
    limit,
  };
}

export function readEventQuery(params: URLSearchParams): EventQuery {
  return definedOf({
    kind: readEventKind(params),
    before: wholeOf(params, 'before', 0, Number.MAX_SAFE_INTEGER),
    limit: wholeOf(params, 'limit', 1, MAX_EVENTS) ?? EVENTS,
    from: wholeOf(params, 'from', 0, Number.MAX_SAFE_INTEGER),
    to: wholeOf(params, 'to', 0, Number.MAX_SAFE_INTEGER),
    q: queryOf(params),
    slot: readSlotName(params, 'slot'),
    types: readTypes(params),
  });
}

export const readEventKind = (params: URLSearchParams): EventKind => wordOf(params, 'kind', EVENT_KINDS) ?? 'notable';

/** Undefined: all types. */
export function readTypes(params: URLSearchParams): ReadonlySet<string> | undefined {
  const types = wordsOf(params, 'types', EVENT_TYPES);
  return types.length === 0 ? undefined : new Set(types);
}

export const readStep = (params: URLSearchParams): SeriesStep =>
  wordOf(params, 'step', ['second', 'minute']) ?? 'second';

export const readView = (params: URLSearchParams): View => wordOf(params, 'view', VIEWS) ?? 'slots';

/** The name of a slot. An empty one counts as absent. */
export function readSlotName(params: URLSearchParams, name: string): string | undefined {
  const slot = params.get(name) ?? '';
  return slot === '' ? undefined : nameText(name, slot);
}

/** What names, ids and texts must contain. */
export const queryOf = (params: URLSearchParams): string => shortText('q', params.get('q') ?? '', MAX_QUERY);

function shortText(name: string, text: string, max = 1_024): string {
  return text.length <= max ? text : refuse(name, `must be at most ${max} characters`, text);
}

function wholeOf(params: URLSearchParams, name: string, min: number, max: number): number | undefined {
  const text = params.get(name);
  if (text === null) return undefined;
  return wholeFrom(name, /^\d{1,16}$/.test(text) ? Number(text) : text, min, max);
}

function wordOf<T extends string>(params: URLSearchParams, name: string, words: readonly T[]): T | undefined {
  const word = params.get(name);
  return word === null ? undefined : oneOf(name, word, words);
}

/** Words with commas between them. */
function wordsOf<T extends string>(params: URLSearchParams, name: string, words: readonly T[]): readonly T[] {
  const text = params.get(name) ?? '';
  return text === '' ? [] : Array.from(new Set(text.split(',')), (word) => oneOf(name, word, words));
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function definedOf<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
