// The delay of the event loop, in windows. Node measures it natively, without a timer of ours.

import { fail, type HealthCheck, PASS, warn } from './slot-check.ts';

/** How late the event loop is, beyond what it was asked for. */
export interface LoopDelay {
  /** The 99th percentile of the window, in ms. */
  readonly p99Ms: number;
  /** The longest delay of the window, in ms. */
  readonly maxMs: number;
  /** How many windows that have ended, the last ones in a row, had more than `maxDelayMs`. */
  readonly slowWindows: number;
}

/** What is needed of the histogram of `monitorEventLoopDelay`, in ns. */
export interface DelayHistogram {
  readonly count: number;
  readonly max: number;
  percentile(percent: number): number;
  reset(): void;
}

/** How often Node looks, in ms. Each measured delay includes it. */
export const RESOLUTION_MS = 20;

/** A process that is slow for so many windows is not slow by a single hard moment. */
const SLOW_WINDOWS = 3;

export class LoopWatch {
  readonly #histogram: DelayHistogram;
  readonly #maxDelayMs: number;
  #slowWindows = 0;

  constructor(histogram: DelayHistogram, maxDelayMs: number) {
    this.#histogram = histogram;
    this.#maxDelayMs = maxDelayMs;
  }

  /** The window so far. */
  get now(): LoopDelay {
    const { count, max } = this.#histogram;
    const p99 = count === 0 ? 0 : this.#histogram.percentile(99);
    return { p99Ms: delayMs(p99), maxMs: delayMs(count === 0 ? 0 : max), slowWindows: this.#slowWindows };
  }

  /** Ends the window, and begins the next. One without a measurement goes on. */
  endWindow(): LoopDelay {
    if (this.#histogram.count === 0) return this.now;
    this.#slowWindows = this.now.p99Ms > this.#maxDelayMs ? this.#slowWindows + 1 : 0;
    const ended = this.now;
    this.#histogram.reset();
    return ended;
  }

  /** The measurement has ended: what it found last must not be said of later moments. */
  forget(): void {
    this.#slowWindows = 0;
    this.#histogram.reset();
  }
}

export function checkLoop({ p99Ms, slowWindows }: LoopDelay): HealthCheck {
  if (slowWindows === 0) return PASS;
  const why = `the event loop was too slow in ${slowWindows} windows in a row, at last ${Math.round(p99Ms)} ms`;
  return slowWindows >= SLOW_WINDOWS ? fail(why) : warn(why);
}

const delayMs = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
