// How long to wait before a retry, as data. The arithmetic is policy/backoff.ts.

import { durationMs, finiteMs, oneOf, readOptions, refuse } from './check.ts';

/**
 * `none`: the base delay; `full`: 0 to base; `equal`: half the base to the base; `band`: `firstMs` to three times the base;
 * `decorrelated`: `firstMs` to three times the previous delay. All uniform, all capped at `maxMs`.
 */
export type Jitter = 'none' | 'full' | 'equal' | 'band' | 'decorrelated';

/** The base delay of retry n (0, 1, ...) is `min(firstMs * factor^n, maxMs)`. A constant delay is `factor: 1`. */
export interface Backoff {
  /** Default 200, or `maxMs` where that is less. */
  readonly firstMs?: number | undefined;
  /** Finite, 1 or more. Default 2. */
  readonly factor?: number | undefined;
  /** At least `firstMs`. Default 30,000, or `firstMs` where that is more. */
  readonly maxMs?: number | undefined;
  /** No jitter goes below it. At most `maxMs` counts. Default 0. */
  readonly floorMs?: number | undefined;
  /** Default `equal`. */
  readonly jitter?: Jitter | undefined;
}

export type ResolvedBackoff = { readonly [K in keyof Backoff]-?: NonNullable<Backoff[K]> };

const JITTERS: readonly Jitter[] = ['none', 'full', 'equal', 'band', 'decorrelated'];

export const DEFAULT_BACKOFF: ResolvedBackoff = Object.freeze({
  firstMs: 200,
  factor: 2,
  maxMs: 30_000,
  floorMs: 0,
  jitter: 'equal',
});

const NAMES = Object.keys(DEFAULT_BACKOFF) as (keyof Backoff)[];

export function parseBackoff(field: string, value: unknown): ResolvedBackoff {
  const given = readOptions(field, value, NAMES);
  const {
    firstMs = DEFAULT_BACKOFF.firstMs,
    factor = DEFAULT_BACKOFF.factor,
    maxMs = DEFAULT_BACKOFF.maxMs,
    floorMs = DEFAULT_BACKOFF.floorMs,
    jitter = DEFAULT_BACKOFF.jitter,
  } = given;
  const first = finiteMs(`${field}.firstMs`, firstMs);
  const most = durationMs(`${field}.maxMs`, maxMs);
  if (typeof factor !== 'number' || !Number.isFinite(factor) || factor < 1)
    return refuse(`${field}.factor`, 'must be a finite number, 1 or more', factor);
  // Of the two, a default gives way to what was given.
  if (given.firstMs !== undefined && given.maxMs !== undefined && first > most)
    return refuse(`${field}.firstMs`, `must be at most maxMs (${most})`, first);
  return Object.freeze({
    firstMs: given.firstMs === undefined ? Math.min(first, most) : first,
    factor,
    maxMs: given.maxMs === undefined ? Math.max(first, most) : most,
    floorMs: finiteMs(`${field}.floorMs`, floorMs),
    jitter: oneOf(`${field}.jitter`, jitter, JITTERS),
  });
}
