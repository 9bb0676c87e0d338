// The options of the leases of a fleet, and how they are read.

import { hostname } from 'node:os';
import type { Clock } from '../../index.ts';
import { aFunction, nameText, numberFrom, readClock } from '../../kit.ts';

/** The operation of a store that failed. */
export type FleetOperation = 'open' | 'beat' | 'acquire' | 'release' | 'withdraw' | 'holdings' | 'end' | 'listen';

/** The options that all stores have. */
export interface FleetOptions {
  /**
   * For how long the store keeps the slots of a process that does not beat, in ms. A process beats
   * every `ttlMs / 6`. It stops its bodies when no beat was answered for `ttlMs / 2`, and has
   * `ttlMs / 6` to end them. Choose at least twice the longest time for which the event loop is
   * blocked. From 1,000 to 3,600,000. Default 15,000.
   */
  readonly ttlMs?: number | undefined;
  /** The name of this process, for operators. Default: `<host>:<pid>`. */
  readonly name?: string | undefined;
  /**
   * How long `dropIfRunning` waits for the answer of the store, in ms. The submission is then
   * rejected as `leaseUnavailable`. From 1 to 3,600,000. Default: `ttlMs / 3`.
   */
  readonly patienceMs?: number | undefined;
  /**
   * Called with each error of the store, before the call is repeated. An error that ends several
   * calls comes once. What it throws is ignored. Default: none.
   */
  readonly onTrouble?: ((error: unknown, operation: FleetOperation) => void) | undefined;
  /**
   * Where time and timers come from. Give the supervisor's, if that has one. Default: the
   * platform's, as they are when the lease store is made.
   */
  readonly clock?: Clock | undefined;
}

/** The options that all stores have, completed. */
export interface FleetSettings {
  /** In ms. */
  readonly ttlMs: number;
  /** The name of this process. */
  readonly name: string;
  /** In ms. `undefined`: a third of `ttlMs`. */
  readonly patienceMs: number | undefined;
  /** Called with each error of the store. */
  readonly onTrouble: (error: unknown, operation: FleetOperation) => void;
  /** `undefined`: the platform's. */
  readonly clock: Clock | undefined;
}

const MAX_MS = 3_600_000;

/**
 * How each option that all stores have is checked, for a store that has more. A reader returns the
 * value to use.
 *
 * @throws OptionError for an invalid value.
 */
export const FLEET_READERS: {
  readonly [K in keyof FleetSettings]: (field: string, value: unknown) => FleetSettings[K];
} = {
  ttlMs: (field, value) => numberFrom(field, value, 1_000, MAX_MS),
  name: nameText,
  patienceMs: (field, value) => numberFrom(field, value, 1, MAX_MS),
  onTrouble: aFunction,
  clock: readClock,
};

/** The options that all stores have, as they are if none is given. */
export const FLEET_DEFAULTS: FleetSettings = {
  ttlMs: 15_000,
  name: `${hostname()}:${process.pid}`,
  patienceMs: undefined,
  onTrouble: () => {},
  clock: undefined,
};
