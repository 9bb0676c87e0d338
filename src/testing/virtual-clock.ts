// A clock that a test moves. Timers fire only while the test moves it, in the order of their due
// times.

import type { Clock } from '../index.ts';
import { aFunction, finiteMs, finiteNumber, fromCaller, parse } from '../kit.ts';
import { settle } from './settle.ts';

interface Timer {
  readonly due: number;
  fire: (() => void) | undefined; // undefined: canceled
}

/** The options of a {@link VirtualClock}. */
export interface VirtualClockOptions {
  /** The wall clock at the start, in epoch ms. Default: 2020-01-01T00:00:00Z. */
  readonly wallMs?: number | undefined;
}

const READERS = { wallMs: finiteNumber };
const DEFAULTS = { wallMs: Date.UTC(2020, 0, 1) };

/**
 * A {@link Clock} for tests: the supervisor's `clock` option. `now()` starts at 0 and moves only by
 * `advance`, `next` and `block`. The wall clock moves with it, and can be set.
 *
 * `advance` and `next` also give the event loop its turns, so what the library does between two
 * timers is done before the next timer fires.
 */
export class VirtualClock implements Clock {
  #now = 0;
  #wallOffset: number;
  readonly #pending: Timer[] = []; // the last timer fires first
  #timers = 0;
  /** Taken once, so that fake timers that are put in later do not hold it up. */
  readonly #setImmediate: (job: () => void) => unknown = setImmediate;

  /**
   * Sets no timer.
   *
   * @throws OptionError for an invalid option.
   */
  constructor(options: VirtualClockOptions = {}) {
    const { wallMs } = fromCaller(VirtualClock, () => parse('options', options, READERS, DEFAULTS));
    this.#wallOffset = wallMs;
  }

  /** The time since the start, in ms. */
  now(): number {
    return this.#now;
  }

  /** The wall clock, in epoch ms. */
  wallNow(): number {
    return this.#wallOffset + this.#now;
  }

  /**
   * As {@link Clock.setTimer}.
   *
   * @throws OptionError if `ms` is negative, infinite or not a number: a platform timer would
   *   accept it and fire at the wrong time. Also if `fire` is not a function.
   */
  setTimer(ms: number, fire: () => void): () => void {
    const timer = fromCaller(
      this.setTimer,
      (): Timer => ({
        due: this.#now + finiteMs('ms', ms),
        fire: aFunction('fire', fire),
      }),
    );
    this.#pending.splice(this.#indexFor(timer.due), 0, timer);
    this.#timers += 1;
    return () => this.#remove(timer);
  }

  /**
   * How many timers have neither fired nor been canceled. 0 proves that no timer was left behind.
   */
  get timers(): number {
    return this.#timers;
  }

  /**
   * Moves the time forward by `ms`. Every timer that becomes due fires at its own due time.
   *
   * @throws OptionError if `ms` is negative, infinite or not a number.
   */
  async advance(ms: number): Promise<void> {
    await this.#moveTo(this.#now + fromCaller(this.advance, () => finiteMs('ms', ms)));
  }

  /** Moves the time to the next timer and fires it. Resolves with false if there is no timer. */
  async next(): Promise<boolean> {
    await this.settle();
    const timer = this.#first();
    if (timer === undefined) return false;
    await this.#moveTo(timer.due);
    return true;
  }

  /**
   * Lets all work run that is ready, without moving the time. Resolves once no code in the process
   * waits for another turn of the event loop (`setImmediate`), or after 10,000 turns.
   */
  async settle(): Promise<void> {
    await settle(() => new Promise<void>((resolve) => this.#setImmediate(resolve)));
  }

  /**
   * Simulates code that blocks the event loop for `ms`: the time moves, and no timer fires. Timers
   * that have become due fire late, with the next `advance` or `next`.
   *
   * @throws OptionError if `ms` is negative, infinite or not a number.
   */
  block(ms: number): void {
    this.#now += fromCaller(this.block, () => finiteMs('ms', ms));
  }

  /**
   * Sets the wall clock, forward or back, to `epochMs`. The `at` of events and calendars use it.
   * `now()` and timers do not change.
   *
   * @throws OptionError if `epochMs` is not a finite number.
   */
  setWall(epochMs: number): void {
    this.#wallOffset = fromCaller(this.setWall, () => finiteNumber('epochMs', epochMs)) - this.#now;
  }

  async #moveTo(end: number): Promise<void> {
    await this.settle();
    for (let timer = this.#first(); timer !== undefined && timer.due <= end; timer = this.#first()) {
      this.#now = Math.max(this.#now, timer.due);
      const { fire } = timer;
      this.#remove(timer);
      fire?.();
      await this.settle();
    }
    this.#now = Math.max(this.#now, end); // a timer may have called `block` and moved the time further
  }

  #remove(timer: Timer): void {
    if (timer.fire === undefined) return;
    timer.fire = undefined;
    this.#timers -= 1;
  }

  #first(): Timer | undefined {
    while (this.#pending.at(-1)?.fire === undefined) if (this.#pending.pop() === undefined) return undefined;
    return this.#pending.at(-1);
  }

  /**
   * The index for a new timer. It comes before timers with the same due time: they were set
   * earlier, and the last timer of the list fires first.
   */
  #indexFor(due: number): number {
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
