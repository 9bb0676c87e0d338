// A clock that skips the time in which nothing happens, and that a machine's sleep stops. Unlike a
// virtual clock it goes on while code runs: what looks at the time to end its turn sees it pass.

import type { Clock } from 'slotvisor';

/** The wait for a timer that is set to go on in a later turn. */
const SHORT_MS = 5;

interface Timer {
  readonly due: number;
  readonly fire: () => void;
}

export class StagedClock implements Clock {
  #skippedMs = 0;
  #wallOffset: number;
  readonly #timers = new Set<Timer>();
  #timerIsSet = (): void => {};

  constructor(wallMs: number) {
    this.#wallOffset = wallMs - performance.now();
  }

  now(): number {
    return performance.now() + this.#skippedMs;
  }

  wallNow(): number {
    return this.#wallOffset + this.now();
  }

  setTimer(ms: number, fire: () => void): () => void {
    const timer = { due: this.now() + ms, fire };
    this.#timers.add(timer);
    this.#timerIsSet();
    return () => this.#timers.delete(timer);
  }

  /** Both clocks go on by `ms`. */
  skip(ms: number): void {
    this.#skippedMs += ms;
  }

  /** Only the wall clock goes on. */
  sleep(ms: number): void {
    this.#wallOffset += ms;
  }

  /**
   * Fires the timers that come due, until none is due and `done` holds. Resolves with the longest
   * time in ms between two turns of the event loop.
   */
  async runUntil(done: () => boolean): Promise<number> {
    let longestMs = 0;
    for (;;) {
      const nextDue = Math.min(...Array.from(this.#timers, ({ due }) => due));
      const waitMs = nextDue - this.now();
      if (waitMs > 0 && done()) return longestMs;
      if (waitMs > 0 && waitMs <= SHORT_MS) this.skip(waitMs);
      const began = performance.now();
      this.fireDue();
      await turn();
      longestMs = Math.max(longestMs, performance.now() - began);
    }
  }

  fireDue(): void {
    const now = this.now();
    for (const timer of [...this.#timers]) if (timer.due <= now && this.#timers.delete(timer)) timer.fire();
  }

  /** Resolves when the next timer is set. */
  nextTimer(): Promise<void> {
    return new Promise((resolve) => {
      this.#timerIsSet = resolve;
    });
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
