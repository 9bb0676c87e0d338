// From the path of a request to what it asks for. Only the tail of the path counts: so the page
// works under any mount path, whether or not the framework strips it.

import { ACTIONS, type ActionKind } from './wire.ts';

export const ASSETS = ['', 'app.js', 'app.css'] as const;
export type AssetName = (typeof ASSETS)[number];

export const ENDPOINTS = [
  'summary',
  'slots',
  'slot',
  'events',
  'problems',
  'schedules',
  'series',
  'fleet',
  'stream',
] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

export type Route =
  | { readonly kind: 'asset'; readonly name: AssetName }
  | { readonly kind: 'endpoint'; readonly name: Endpoint }
  | { readonly kind: 'action'; readonly name: ActionKind }
  /** The page, without the slash at its end: the relative URLs of the page would not work. */
  | { readonly kind: 'redirect'; readonly to: string }
  | { readonly kind: 'unknown' };

const UNKNOWN: Route = { kind: 'unknown' };

/**
 * Every path that ends with a slash is the page. A name without a slash at its end leads there, but
 * for a name with a dot, which is a file, and for a name below `api/`.
 */
export function routeOf(pathname: string): Route {
  const [last = '', parent, grandparent] = pathname.split('/').reverse();
  const asset = namedOf('asset', ASSETS, last);
  if (asset.kind === 'asset' || last.includes('.')) return asset;
  if (parent === 'actions' && grandparent === 'api') return namedOf('action', ACTIONS, last);
  if (parent === 'api') return namedOf('endpoint', ENDPOINTS, last);
  return { kind: 'redirect', to: `./${last}/` }; // without `./` a name such as `a:b` would be a scheme
}

/** As `routeOf`, of a server that serves nothing else: there the page has one path. */
export function routeAtRoot(pathname: string): Route {
  const route = routeOf(pathname);
  return pathAtRoot(route) === pathname ? route : UNKNOWN;
}

function pathAtRoot(route: Route): string | undefined {
  switch (route.kind) {
    case 'asset':
      return `/${route.name}`;
    case 'endpoint':
      return `/api/${route.name}`;
    case 'action':
      return `/api/actions/${route.name}`;
    default:
      return undefined;
  }
}

function namedOf<Kind extends 'asset' | 'endpoint' | 'action', Name extends string>(
  kind: Kind,
  names: readonly Name[],
  name: string,
): Route {
  return (names as readonly string[]).includes(name) ? ({ kind, name } as Route) : UNKNOWN;
}

/** The value of the header `allow`. */
export const allowedFor = (route: Route): string => (route.kind === 'action' ? 'POST' : 'GET, HEAD');
