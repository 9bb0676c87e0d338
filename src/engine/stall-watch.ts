// The stall watch of one attempt: it fires when no heartbeat came for `stallMs`. Time during which
// the event loop was blocked does not count. The watch checks 8 times per `stallMs`. When a check
// is late, the delay is subtracted. Accuracy: one check interval. The last heartbeat is exact.

import { after, type Clock } from '../kernel/clock.ts';

export interface StallWatch {
  readonly heartbeat: () => void;
  readonly stop: () => void;
}

const CHECKS = 8;

/**
 * Sums of fractions are rounded. A rest shorter than any timer can measure counts as none. (A rest
 * of exactly this length may count either way.)
 */
const ROUNDING_MS = 0.01;

/** `stalled` gets the time of the last heartbeat: `-Infinity` where none came. */
export function watchForStall(clock: Clock, stallMs: number, stalled: (lastHeartbeatMs: number) => void): StallWatch {
  let lastHeartbeatMs = -Infinity;
  let quietSince = clock.now();
  let dueMs = 0;
  let stopTimer = check();

  function check(): () => void {
    const leftMs = quietSince + stallMs - clock.now();
    const waitMs = Math.min(leftMs, stallMs / CHECKS);
    dueMs = clock.now() + waitMs;
    return after(clock, waitMs, () => {
      const now = clock.now();
      quietSince = Math.min(now, quietSince + Math.max(0, now - dueMs));
      if (quietSince + stallMs - now < ROUNDING_MS) stalled(lastHeartbeatMs);
      else stopTimer = check();
    });
  }

  return {
    heartbeat: () => {
      quietSince = lastHeartbeatMs = clock.now();
    },
    stop: () => stopTimer(),
  };
}
