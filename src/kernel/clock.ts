// The only use of the platform's clocks and timers. `setImmediate` apart, all time comes from a
// `Clock`.

/**
 * Where time and timers come from: the supervisor's `clock` option. Replace it in tests;
 * `slotvisor/testing` has a virtual clock. Its methods must not throw.
 */
export interface Clock {
  /** A monotonic time, in ms. Every delay and duration is measured with it. */
  now(): number;
  /**
   * The wall clock, in epoch ms. For the `at` of events and for calendars. No delay of a task is
   * measured with it.
   */
  wallNow(): number;
  /**
   * Calls `fire` once after at least `ms`, and never within this call. Returns a function that
   * cancels the timer. It may be called at any time, also after the timer has fired.
   */
  setTimer(ms: number, fire: () => void): () => void;
}

/**
 * The longest delay of a platform timer, in ms. A platform timer with a longer delay fires at once.
 */
export const MAX_TIMER_MS = 2 ** 31 - 1;

const noop = (): void => {};
const timerDelay = (ms: number): number => Math.min(Math.ceil(ms), MAX_TIMER_MS);

/**
 * The platform's clock. It waits for a delay that is longer than `MAX_TIMER_MS` with several
 * timers, and sets a timer again that fired too early.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer(ms, fire) {
    const due = performance.now() + ms;
    const check = (): void => {
      const leftMs = due - performance.now();
      if (leftMs <= 0) fire();
      else timer = setTimeout(check, timerDelay(leftMs));
    };
    let timer = setTimeout(check, timerDelay(ms));
    return () => clearTimeout(timer);
  },
};

/**
 * Sets a timer. With `Infinity` it sets none. It fires once, and never after it was canceled, also
 * with a clock that breaks its promises.
 */
export function after(clock: Clock, ms: number, fire: () => void): () => void {
  if (ms === Infinity) return noop;
  // `systemClock` needs no guard against late or repeated fires. The guard would cost a tenth of a
  // backoff.
  if (clock === systemClock) return clock.setTimer(ms, fire);
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
