// Time under the test's control: nothing happens until it is told to, and then in the order of the due times.

import type { Clock } from '../index.ts';

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly fire: () => void;
}

export interface VirtualClockOptions {
  /** Epoch ms at the start. Default: 2020-01-01T00:00:00Z. */
  readonly wallMs?: number;
}

/**
 * A {@link Clock} for tests. `now()` starts at 0 and moves only by `advance` and `block`; the wall clock moves along and can be set apart.
 * `advance` also gives the event loop its turns, so that what the library does between two timers is done before the next one fires.
 */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  #wallOffset: number;
  readonly #timers = new Set<Timer>();

  constructor({ wallMs = Date.UTC(2020, 0, 1) }: VirtualClockOptions = {}) {
    this.#wallOffset = wallMs;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#wallOffset + this.#now;
  }

  setTimer(ms: number, fire: () => void): () => void {
    // What a platform timer would do silently wrong is an error here.
    if (!(ms >= 0) || ms === Infinity) throw new RangeError(`a timer needs a finite delay of 0 ms or more, got ${ms}`);
    this.#order += 1;
    const timer: Timer = { due: this.#now + ms, order: this.#order, fire };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Timers that have neither fired nor been canceled. 0 proves that nothing was left behind. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Moves time on, firing every timer on its way at its own moment. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0) || ms === Infinity) throw new RangeError(`advance needs a finite time of 0 ms or more, got ${ms}`);
    const end = this.#now + ms;
    await this.settle();
    for (let timer = this.#nextUntil(end); timer !== undefined; timer = this.#nextUntil(end)) {
      this.#now = Math.max(this.#now, timer.due);
      this.#timers.delete(timer);
      timer.fire();
      await this.settle();
    }
    this.#now = end;
  }

  /** Moves to the next timer and fires it; false when there is none. */
  async next(): Promise<boolean> {
    await this.settle();
    const timer = this.#nextUntil(Infinity);
    if (timer === undefined) return false;
    await this.advance(Math.max(0, timer.due - this.#now));
    return true;
  }

  /** Lets everything that is ready run, without time passing. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 2; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** Time passes while the event loop is blocked: no timer fires on its way, all of them are late afterwards. */
  block(ms: number): void {
    this.#now += ms;
  }

  /** The wall clock is set, forward or back. Nothing of the library may notice but the stamps of events. */
  setWall(epochMs: number): void {
    this.#wallOffset = epochMs - this.#now;
  }

  #nextUntil(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (
        timer.due <= end &&
        (first === undefined || timer.due < first.due || (timer.due === first.due && timer.order < first.order))
      )
        first = timer;
    return first;
  }
}
