// Time under the test's control: nothing happens until it is told to, and then in the order of the due times.

import type { Clock } from '../index.ts';

interface Timer {
  readonly due: number;
  fire: (() => void) | undefined; // undefined: canceled
}

/** Turns of the event loop that `settle` gives at most, should somebody ask for one after another for ever. */
const MAX_TURNS = 10_000;

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
  #wallOffset: number;
  readonly #pending: Timer[] = []; // the last is the first to fire
  #timers = 0;

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
    const timer: Timer = { due: this.#now + ms, fire };
    this.#pending.splice(this.#placeFor(timer.due), 0, timer);
    this.#timers += 1;
    return () => this.#take(timer);
  }

  /** Timers that have neither fired nor been canceled. 0 proves that nothing was left behind. */
  get timers(): number {
    return this.#timers;
  }

  /** Moves time on, firing every timer on its way at its own moment. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0) || ms === Infinity) throw new RangeError(`advance needs a finite time of 0 ms or more, got ${ms}`);
    await this.#moveTo(this.#now + ms);
  }

  /** Moves to the next timer and fires it; false when there is none. */
  async next(): Promise<boolean> {
    await this.settle();
    const timer = this.#first();
    if (timer === undefined) return false;
    await this.#moveTo(timer.due);
    return true;
  }

  /** Lets everything that is ready run, without time passing: until nobody in the process asks for another turn of the event loop. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (turn > 0 && !process.getActiveResourcesInfo().includes('Immediate')) return;
    }
  }

  /** Time passes while the event loop is blocked: no timer fires on its way, all of them are late afterwards. */
  block(ms: number): void {
    this.#now += ms;
  }

  /** The wall clock is set, forward or back. Stamps of events and calendars follow it; no delay does. */
  setWall(epochMs: number): void {
    this.#wallOffset = epochMs - this.#now;
  }

  async #moveTo(end: number): Promise<void> {
    await this.settle();
    for (let timer = this.#first(); timer !== undefined && timer.due <= end; timer = this.#first()) {
      this.#now = Math.max(this.#now, timer.due);
      const { fire } = timer;
      this.#take(timer);
      fire?.();
      await this.settle();
    }
    this.#now = Math.max(this.#now, end); // a block on the way may have gone further
  }

  #take(timer: Timer): void {
    if (timer.fire === undefined) return;
    timer.fire = undefined;
    this.#timers -= 1;
  }

  #first(): Timer | undefined {
    while (this.#pending.at(-1)?.fire === undefined) if (this.#pending.pop() === undefined) return undefined;
    return this.#pending.at(-1);
  }

  /** Before those that are due at the same moment: they were set earlier, and the last one fires first. */
  #placeFor(due: number): number {
    let low = 0;
    let high = this.#pending.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#pending[middle] as Timer).due > due) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
