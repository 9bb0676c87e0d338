// Counts the restarts after failures within a sliding window. It is what ends a crash loop.

import type { RestartLimit } from '../model/settings.ts';

export class RestartWindow {
  readonly #limit: RestartLimit;
  readonly #instants: number[] = []; // ascending, at most `restarts` of them

  constructor(limit: RestartLimit) {
    this.#limit = limit;
  }

  /** Records a restart at `nowMs`. Returns false, and records nothing, if the window is full. */
  take(nowMs: number): boolean {
    const { restarts, withinMs } = this.#limit;
    while (nowMs - (this.#instants[0] ?? Infinity) >= withinMs) this.#instants.shift();
    if (this.#instants.length >= restarts) return false;
    this.#instants.push(nowMs);
    return true;
  }
}
