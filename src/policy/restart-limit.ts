// Restart intensity: how many restarts after failures may happen within a sliding window. A crash loop ends here.

import type { RestartLimit } from '../model/settings.ts';

export class RestartWindow {
  readonly #limit: RestartLimit;
  readonly #instants: number[] = []; // ascending, never more than `restarts` of them

  constructor(limit: RestartLimit) {
    this.#limit = limit;
  }

  /** Records a restart at `nowMs` if the window has room for it; false when it does not. */
  take(nowMs: number): boolean {
    const { restarts, withinMs } = this.#limit;
    while (nowMs - (this.#instants[0] ?? Infinity) >= withinMs) this.#instants.shift();
    if (this.#instants.length >= restarts) return false;
    this.#instants.push(nowMs);
    return true;
  }
}
