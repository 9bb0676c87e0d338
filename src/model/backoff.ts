// How long to wait before a retry, as data. policy/backoff.ts has the arithmetic.

import { durationMs, finiteMs, oneOf, refuse } from './check.ts';
import { parseGiven, type Readers } from './options.ts';

/**
 * How the delay of a retry is drawn. Every draw is uniform. No delay is longer than `maxMs`.
 *
 * - `none`: the base delay.
 * - `full`: from 0 to the base delay.
 * - `equal`: from half the base delay to the base delay.
 * - `band`: from `firstMs` to three times the base delay.
 * - `decorrelated`: from `firstMs` to three times the previous delay.
 */
export type Jitter = 'none' | 'full' | 'equal' | 'band' | 'decorrelated';

export const JITTERS = ['none', 'full', 'equal', 'band', 'decorrelated'] as const satisfies readonly Jitter[];

/**
 * The delay before a retry. The base delay of retry n (0, 1, ...) is
 * `min(firstMs * factor^n, maxMs)`. `jitter` draws the delay from it. For a constant delay use
 * `factor: 1` and `jitter: 'none'`.
 */
export interface Backoff {
  /**
   * The base delay of the first retry, in ms. Finite, 0 or more. Default 200, or `maxMs` if that is
   * less.
   */
  readonly firstMs?: number | undefined;
  /** The growth of the base delay from one retry to the next. Finite, 1 or more. Default 2. */
  readonly factor?: number | undefined;
  /**
   * The longest delay, in ms. `firstMs` or more. Default 30,000, or `firstMs` if that is more.
   * `Infinity`: no longest delay. A delay that overflows the numbers is then `Infinity`: the task
   * waits until `restart()` or a stop request.
   */
  readonly maxMs?: number | undefined;
  /** The shortest delay, in ms. Finite, 0 or more. A smaller `maxMs` overrides it. Default 0. */
  readonly floorMs?: number | undefined;
  /** How the delay is drawn from the base delay. Default `equal`. */
  readonly jitter?: Jitter | undefined;
}

export type ResolvedBackoff = { readonly [K in keyof Backoff]-?: NonNullable<Backoff[K]> };

export const DEFAULT_BACKOFF: ResolvedBackoff = {
  firstMs: 200,
  factor: 2,
  maxMs: 30_000,
  floorMs: 0,
  jitter: 'equal',
};

const READERS: Readers<ResolvedBackoff> = {
  firstMs: finiteMs,
  factor: readFactor,
  maxMs: durationMs,
  floorMs: finiteMs,
  jitter: (field, value) => oneOf(field, value, JITTERS),
};

export function parseBackoff(field: string, value: unknown): ResolvedBackoff {
  const { firstMs, maxMs, factor, floorMs, jitter } = parseGiven(field, value, READERS);
  if (firstMs !== undefined && maxMs !== undefined && firstMs > maxMs)
    return refuse(`${field}.firstMs`, `must be at most maxMs (${maxMs})`, firstMs);
  return {
    // The option that was given adjusts the default of the other one.
    firstMs: firstMs ?? Math.min(DEFAULT_BACKOFF.firstMs, maxMs ?? Infinity),
    maxMs: maxMs ?? Math.max(DEFAULT_BACKOFF.maxMs, firstMs ?? 0),
    factor: factor ?? DEFAULT_BACKOFF.factor,
    floorMs: floorMs ?? DEFAULT_BACKOFF.floorMs,
    jitter: jitter ?? DEFAULT_BACKOFF.jitter,
  };
}

function readFactor(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 1) return value;
  return refuse(field, 'must be a finite number, 1 or more', value);
}
