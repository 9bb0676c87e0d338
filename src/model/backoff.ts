// How long to wait before a retry, as data. The arithmetic is policy/backoff.ts.

import { durationMs, fieldsOf, finiteMs, oneOf, refuse, refuseUnknown } from './check.ts';

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

export function parseBackoff(field: string, value: unknown): ResolvedBackoff {
  const given: { -readonly [K in keyof ResolvedBackoff]?: ResolvedBackoff[K] } = {};
  for (const [key, got] of fieldsOf(field, value)) {
    const name = `${field}.${key}`;
    if (got === undefined && Object.hasOwn(DEFAULT_BACKOFF, key)) continue;
    switch (key) {
      case 'firstMs':
      case 'floorMs':
        given[key] = finiteMs(name, got);
        break;
      case 'maxMs':
        given.maxMs = durationMs(name, got);
        break;
      case 'factor':
        if (typeof got !== 'number' || !Number.isFinite(got) || got < 1)
          refuse(name, 'must be a finite number, 1 or more', got);
        given.factor = got as number;
        break;
      case 'jitter':
        given.jitter = oneOf(name, got, JITTERS);
        break;
      default:
        refuseUnknown(`${field}.`, key, got, Object.keys(DEFAULT_BACKOFF));
    }
  }
  const firstMs = given.firstMs ?? Math.min(DEFAULT_BACKOFF.firstMs, given.maxMs ?? Infinity);
  const maxMs = given.maxMs ?? Math.max(DEFAULT_BACKOFF.maxMs, firstMs);
  if (firstMs > maxMs) refuse(`${field}.firstMs`, `must be at most maxMs (${maxMs})`, firstMs);
  return Object.freeze({ ...DEFAULT_BACKOFF, ...given, firstMs, maxMs });
}
