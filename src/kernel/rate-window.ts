// The sliding window of a rate: when the next start is allowed, after the latest ones. It keeps at
// most `limit` start times, in a ring.

export interface Rate {
  readonly limit: number;
  readonly intervalMs: number;
}

export class RateWindow {
  readonly #rate: Rate;
  readonly #starts: number[];
  #oldest = 0;

  /** @param previous the window of the rate before: its latest starts count. */
  constructor(rate: Rate, previous?: RateWindow) {
    this.#rate = rate;
    this.#starts = previous?.latest(rate.limit) ?? [];
  }

  started(nowMs: number): void {
    if (this.#starts.length < this.#rate.limit) this.#starts.push(nowMs);
    else {
      this.#starts[this.#oldest] = nowMs;
      this.#oldest = (this.#oldest + 1) % this.#starts.length;
    }
  }

  /**
   * When one more may start, if `coming` others start before it. `Infinity` while these alone fill
   * the window.
   */
  opensAtMs(coming: number): number {
    const { limit, intervalMs } = this.#rate;
    if (coming >= limit) return Infinity;
    const index = this.#starts.length - limit + coming; // the start that must have left the window
    return index < 0 ? -Infinity : (this.#starts[(this.#oldest + index) % this.#starts.length] as number) + intervalMs;
  }

  /** How many may start now, if `coming` others start before them. */
  room(nowMs: number, coming: number): number {
    const { limit, intervalMs } = this.#rate;
    const inWindow = this.#starts.filter((startMs) => startMs + intervalMs > nowMs).length;
    return Math.max(0, limit - inWindow - coming);
  }

  /** The latest starts, at most `count`, oldest first. */
  latest(count: number): number[] {
    return [...this.#starts.slice(this.#oldest), ...this.#starts.slice(0, this.#oldest)].slice(-count);
  }
}
