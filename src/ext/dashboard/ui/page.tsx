// What every part of the page needs: where it is, how it gets elsewhere, and what it may ask for.

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ActionKind } from '../wire.ts';
import type { Ask } from './asks.ts';
import { changed, hashOf, type Route } from './route.ts';

export interface Page {
  readonly route: Route;
  /** `isTyping`: no step that Back returns to. */
  go(change: Partial<Route>, isTyping?: boolean): void;
  ask(ask: Ask): void;
  readonly actions: readonly ActionKind[];
}

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === undefined) throw new Error('usePage() is called outside of PageContext');
  return page;
}

/** The address of the page with something changed. */
export const hashWith = (route: Route, change: Partial<Route>): string => hashOf(changed(route, change));
