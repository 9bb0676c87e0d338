// The watch for a body's silence. Time in which the event loop itself did not turn is not the body's: the watch looks several times within
// the bound, and by as much as a look comes late, the silence is taken to be shorter. A block is told apart to within one look.

import { after, type Clock } from '../kernel/clock.ts';

export interface SilenceWatch {
  readonly beat: () => void;
  readonly stop: () => void;
}

const LOOKS = 8;

/** Sums of fractions are rounded: a rest below what any timer can tell is none. (A rest of just as much may count either way.) */
const ROUNDING_MS = 0.01;

export function watchSilence(clock: Clock, longestMs: number, stalled: () => void): SilenceWatch {
  let quietSince = clock.now();
  let due = 0;
  let stopTimer = look();

  function look(): () => void {
    const left = quietSince + longestMs - clock.now();
    const wait = Math.min(left, longestMs / LOOKS);
    due = clock.now() + wait;
    return after(clock, wait, () => {
      const now = clock.now();
      quietSince = Math.min(now, quietSince + Math.max(0, now - due));
      if (quietSince + longestMs - now < ROUNDING_MS) stalled();
      else stopTimer = look();
    });
  }

  return {
    beat: () => {
      quietSince = clock.now();
    },
    stop: () => stopTimer(),
  };
}
