// Time comes in by this door alone.

/** Where time and timers come from. Replace it in tests (`slotvisor/testing` has a virtual one). Nothing of it may throw. */
export interface Clock {
  /** Monotonic ms; what every delay and duration is measured with. */
  now(): number;
  /** Epoch ms; for the stamps of events and for calendars. No delay of the core is measured with it. */
  wallNow(): number;
  /** Calls `fire` once after at least `ms`, never within this call. Returns its cancel, which may be called at any time. */
  setTimer(ms: number, fire: () => void): () => void;
}

/** The longest delay that a platform timer holds. A longer one would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

const keep = (): void => {};
const armable = (ms: number): number => Math.min(Math.ceil(ms), MAX_TIMER_MS);

/** The platform's clock. Longer delays than a timer can hold are waited for in several; timers that fire early are re-armed. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer(ms, fire) {
    const due = performance.now() + ms;
    const turn = (): void => {
      const leftMs = due - performance.now();
      if (leftMs <= 0) fire();
      else timer = setTimeout(turn, armable(leftMs));
    };
    let timer = setTimeout(turn, armable(ms));
    return () => clearTimeout(timer);
  },
};

/** A timer that `Infinity` never sets. It fires once, and never after its cancel, whatever the clock does. */
export function after(clock: Clock, ms: number, fire: () => void): () => void {
  if (ms === Infinity) return keep;
  if (clock === systemClock) return clock.setTimer(ms, fire); // ours keeps its word: the guard would cost a tenth of a backoff
  let due = true;
  const cancel = clock.setTimer(ms, () => {
    if (!due) return;
    due = false;
    fire();
  });
  return () => {
    due = false;
    cancel();
  };
}
