// What the author of a store gives to the conformance suite.

import type { LeaseStore } from '../ext/fleet/index.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** An empty store for one case, as several processes see it. */
export interface LeaseWorld {
  /**
   * The store as one more process sees it, with connections of its own. All stores of a world share
   * their slots. A case makes at most 10 of them, and closes each one.
   */
  store(): LeaseStore;
  /** True if the engine keeps no session, no held slot and no place in line for this world. */
  isEmpty(): Promise<boolean>;
  /** Frees what the world has, such as its tables. Called once, at the end of the case. */
  close(): Promise<void>;
  /** The clock of the engine, where a test can move it. Default: the engine follows real time. */
  readonly clock?: VirtualClock | undefined;
}

/** What a case is about. */
export type ConformanceRule =
  | 'grant'
  | 'line'
  | 'replace'
  | 'release'
  | 'withdraw'
  | 'session'
  | 'look'
  | 'fence'
  | 'names'
  | 'news'
  | 'client'
  | 'faults';
