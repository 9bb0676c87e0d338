// The only use of the platform's clocks and timers. `setImmediate` apart, all time comes from a
// `Clock`. A supervisor takes what it uses of the platform once, when it is made. Fake timers that
// are put in or out later would mix with real ones: a fake `clearTimeout` cancels no real timer.

import { SharedTimer } from './shared-timer.ts';

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
const timerDelay = (ms: number): number => Math.min(Math.max(0, Math.ceil(ms)), MAX_TIMER_MS);

/** A real timer is one of the active resources of the process. A fake one is not. */
function areFake({ setTimeout, clearTimeout }: Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'>): boolean {
  const active = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = active();
  const probe = setTimeout(noop, 1_000);
  const isFake = active() === before;
  clearTimeout(probe);
  return isFake;
}

/**
 * The platform's clock. It takes the platform's functions when it is made. It waits for a delay
 * that is longer than `MAX_TIMER_MS` with several timers. The platform rounds times: a timer that
 * fired a little too early is set again. Where fake timers leave `performance.now` alone, its time
 * follows its timers: when a timer has fired, its delay has passed.
 */
export class SystemClock implements Clock {
  // `now` and `wallNow` are methods, and call no bound function. Time is read three times for each
  // submission: functions of each clock's own would cost a tenth of it (measured: 3.75 us against
  // 3.30).
  readonly #performance = performance;
  readonly #platformNow = performance.now;
  readonly #date = Date;
  readonly #dateNow = Date.now;
  #aheadMs = 0;
  readonly setTimer: Clock['setTimer'];
  readonly areTimersFake: () => boolean;
  /**
   * As `setTimer`, and cheaper for waits that all have another length. Fake timers get a timer for
   * each: their time follows each of them.
   */
  readonly setWait: Clock['setTimer'];

  /** @param holdsProcess whether the process stays alive while a timer is set. */
  constructor(holdsProcess = true) {
    const { setTimeout: setPlatformTimer, clearTimeout } = globalThis;
    const setTimeout = holdsProcess ? setPlatformTimer : unreferenced(setPlatformTimer);
    let isFake: boolean | undefined; // looked at when it is asked for the first time
    const areTimersFake = (): boolean => {
      isFake ??= areFake({ setTimeout: setPlatformTimer, clearTimeout });
      return isFake;
    };
    this.areTimersFake = areTimersFake;
    this.setTimer = (ms, fire) => {
      const startMs = this.now();
      const dueMs = startMs + ms;
      let expectedMs = ms <= MAX_TIMER_MS ? dueMs : startMs + MAX_TIMER_MS;
      const check = (): void => {
        const earlyMs = expectedMs - this.now();
        if (earlyMs > 0 && areTimersFake()) this.#aheadMs += earlyMs;
        const leftMs = dueMs - this.now();
        if (leftMs <= 0) {
          fire();
          return;
        }
        expectedMs = Math.min(dueMs, this.now() + MAX_TIMER_MS);
        timer = setTimeout(check, timerDelay(leftMs));
      };
      let timer = setTimeout(check, timerDelay(ms));
      return () => clearTimeout(timer);
    };
    const shared = new SharedTimer(this);
    this.setWait = (ms, fire) => (areTimersFake() ? this.setTimer(ms, fire) : shared.set(ms, fire));
  }

  now(): number {
    return this.#platformNow.call(this.#performance) + this.#aheadMs;
  }

  wallNow(): number {
    return this.#dateNow.call(this.#date);
  }
}

/** A fake timer may have no `unref`: then nothing of it holds the process. */
function unreferenced(setPlatformTimer: typeof setTimeout): typeof setTimeout {
  const set = (fire: () => void, ms: number): NodeJS.Timeout => {
    const timer = setPlatformTimer(fire, ms);
    (timer as Partial<NodeJS.Timeout>).unref?.();
    return timer;
  };
  return set as typeof setTimeout;
}

/**
 * Sets a timer. With `Infinity` it sets none; a delay below 0 is 0. It fires once, and never after
 * it was canceled, also with a clock that breaks its promises.
 */
export function after(clock: Clock, ms: number, fire: () => void): () => void {
  if (ms === Infinity) return noop;
  // `SystemClock` takes any delay, and needs no guard against late or repeated fires. The guard
  // would cost a tenth of a backoff.
  if (clock instanceof SystemClock) return clock.setTimer(ms, fire);
  let due = true;
  const cancel = clock.setTimer(Math.max(0, ms), () => {
    if (!due) return;
    due = false;
    fire();
  });
  return () => {
    due = false;
    cancel();
  };
}

/**
 * False for fake timers and for foreign clocks: what moves them may not give the event loop a turn
 * first, so every timer has to be set by then.
 */
export const hasRealTimers = (clock: Clock): boolean => clock instanceof SystemClock && !clock.areTimersFake();

/** As `after`, for a wait whose length is unlike that of most others. */
export function afterWait(clock: Clock, ms: number, fire: () => void): () => void {
  return clock instanceof SystemClock && ms !== Infinity ? clock.setWait(ms, fire) : after(clock, ms, fire);
}
