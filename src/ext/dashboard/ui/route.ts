// Where the page is: all of it is in the hash of its address, so that Back works, and an address
// that is passed on shows the same.

import {
  EVENT_KINDS,
  type EventKind,
  type Link,
  MAX_QUERY,
  type SeriesStep,
  SORTS,
  type Sort,
  VIEWS,
  type View,
} from '../wire.ts';

/** How many slots a page of the table has. */
export const PAGE_SIZES = [50, 200] as const;

/** `''` and 0: not given. */
export interface Route {
  readonly view: View;
  /** The supervisor. */
  readonly of: string;
  readonly q: string;
  readonly group: string;
  readonly status: string;
  readonly sort: Sort | '';
  readonly offset: number;
  readonly limit: number;
  /** The slot whose panel is open. */
  readonly slot: string;
  readonly step: SeriesStep | '';
  readonly kind: EventKind | '';
  readonly types: string;
  /** Epoch ms. */
  readonly from: number;
  readonly to: number;
}

const NOWHERE: Omit<Route, 'view'> = {
  of: '',
  q: '',
  group: '',
  status: '',
  sort: '',
  offset: 0,
  limit: 0,
  slot: '',
  step: '',
  kind: '',
  types: '',
  from: 0,
  to: 0,
};

/** What leads to other slots than before: the page of the table begins at its start then. */
const NARROWING: readonly (keyof Route)[] = ['view', 'of', 'q', 'group', 'status', 'sort', 'limit'];

const oneOf = <Word extends string>(words: readonly Word[], word: string | null): Word | undefined =>
  words.find((each) => each === word);

const wholeNumber = (text: string | null): number => (/^\d{1,15}$/.test(text ?? '') ? Number(text) : 0);

export function parseRoute(hash: string): Route {
  const [view = '', query = ''] = hash.replace(/^#/, '').split(/\?(.*)/s);
  const params = new URLSearchParams(query);
  const text = (name: string): string => params.get(name) ?? '';
  const limit = wholeNumber(params.get('limit'));
  return {
    view: oneOf(VIEWS, view) ?? 'slots',
    of: text('of'),
    q: text('q').slice(0, MAX_QUERY),
    group: text('group'),
    status: text('status'),
    sort: oneOf(SORTS, params.get('sort')) ?? '',
    offset: wholeNumber(params.get('offset')),
    limit: PAGE_SIZES.find((size) => size === limit) ?? 0,
    slot: text('slot'),
    step: params.get('step') === 'minute' ? 'minute' : '',
    kind: oneOf(EVENT_KINDS, params.get('kind')) ?? '',
    types: text('types'),
    from: wholeNumber(params.get('from')),
    to: wholeNumber(params.get('to')),
  };
}

export function hashOf({ view, ...rest }: Route): string {
  const query = queryOf(rest);
  return `#${view}${query === '' ? '' : `?${query}`}`;
}

/** The route with some of it changed. */
export function changed(route: Route, change: Partial<Route>): Route {
  const isNarrower = NARROWING.some((name) => name in change && change[name] !== route[name]);
  return { ...route, ...(isNarrower && { offset: 0 }), ...change };
}

/** Another view of the same supervisor, or what a link of the server leads to: without filters. */
export const elsewhere = ({ of, step }: Route, link: Link): Route => ({
  view: 'slots',
  ...NOWHERE,
  of,
  step,
  ...link,
});

/** What narrows what is shown: `[name, value]`. */
export function filtersOf(route: Route): [name: 'q' | 'group' | 'status' | 'types', value: string][] {
  const names = route.view === 'events' ? (['q', 'types'] as const) : (['q', 'group', 'status'] as const);
  return names.filter((name) => route[name] !== '').map((name) => [name, route[name]]);
}

/** The parameters of the stream. The events of a time that has passed are not streamed. */
export function streamQuery(route: Route): string {
  const { view, of, slot, step, kind, types } = route;
  if (view === 'events') return queryOf({ of, view, slot, step, kind: kind || 'notable', types });
  if (view === 'fleet') return queryOf({ of, view, slot, step, q: route.q });
  if (view !== 'slots') return queryOf({ of, view, slot, step });
  const { q, group, status, sort, offset, limit } = route;
  return queryOf({ of, view, slot, step, q, group, status, sort, offset, limit: limit || PAGE_SIZES[0] });
}

/** The parameters of the remembered events, which are older than `before` (0: the newest). */
export function eventsQuery(route: Route, before: number, limit: number): string {
  const { of, q, slot, kind, types, from, to } = route;
  return queryOf({ of, kind: kind || 'notable', q, slot, types, from, to, before, limit });
}

function queryOf(values: Readonly<Record<string, string | number>>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== '' && value !== 0) params.set(name, String(value));
  return params.toString();
}
