// The parameters of an address, checked as options are: an OptionError names the parameter, the
// rule and the value. An unknown parameter is ignored: it may be for `authorize`. The parameters of
// slots are in query.ts.

import { EVENT_TYPES, nameText, oneOf, refuse, wholeFrom } from '../../kit.ts';
import type { EventQuery } from './event-memory.ts';
import { EVENT_KINDS, type EventKind, MAX_EVENTS, MAX_QUERY, type SeriesStep, VIEWS, type View } from './wire.ts';

/** How many events an answer has, unless the request says. */
const EVENTS = 100;

export function readEventQuery(params: URLSearchParams): EventQuery {
  return {
    kind: readEventKind(params),
    before: wholeOf(params, 'before', 0, Number.MAX_SAFE_INTEGER),
    limit: wholeOf(params, 'limit', 1, MAX_EVENTS) ?? EVENTS,
    from: wholeOf(params, 'from', 0, Number.MAX_SAFE_INTEGER),
    to: wholeOf(params, 'to', 0, Number.MAX_SAFE_INTEGER),
    q: readText(params),
    slot: readSlotName(params, 'slot'),
    types: readTypes(params),
  };
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
export function readText(params: URLSearchParams): string {
  const q = params.get('q') ?? '';
  return q.length <= MAX_QUERY ? q : refuse('q', `must be at most ${MAX_QUERY} characters`, q);
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
