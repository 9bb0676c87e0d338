// The times of a session, all derived from its `ttlMs`, and how its age is measured.

import type { Clock } from '../../index.ts';
import { SystemClock } from '../../kit.ts';

/**
 * Three beats fit before a lease counts as lost. What is left of the ttl after the grace absorbs
 * clocks that run at different rates, and a step of the store's clock that goes unnoticed.
 */
export interface SessionTimes {
  readonly ttlMs: number;
  readonly beatMs: number;
  /** When no beat that was sent in this time was answered, the leases are lost. */
  readonly softMs: number;
  /** What the bodies have then to end, long before the store gives their slots away. */
  readonly graceMs: number;
}

export const timesOf = (ttlMs: number): SessionTimes => ({
  ttlMs,
  beatMs: ttlMs / 6,
  softMs: ttlMs / 2,
  graceMs: ttlMs / 6,
});

/** The clock whose timers keep the process alive, and the one whose timers do not. */
export interface Clocks {
  readonly busy: Clock;
  readonly idle: Clock;
}

/** The clocks of the platform, unless one is given: that one then serves for both. */
export const clocksOf = (given: Clock | undefined): Clocks => ({
  busy: given ?? new SystemClock(),
  idle: given ?? new SystemClock(false),
});

/** A moment, on both of its clocks. */
export interface Moment {
  readonly nowMs: number;
  readonly wallMs: number;
}

export const momentOf = (clock: Clock): Moment => ({ nowMs: clock.now(), wallMs: clock.wallNow() });

/**
 * The time since a moment. The monotonic clock may stand still while the machine sleeps, and the
 * wall clock can be set, so the longer of the two counts: it can only cost a lease.
 */
export const sinceMs = (clock: Clock, { nowMs, wallMs }: Moment): number =>
  Math.max(clock.now() - nowMs, clock.wallNow() - wallMs);
