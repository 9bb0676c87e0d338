// The waits between calls that fail.

import type { Clock } from '../../index.ts';
import { after, systemRandom } from '../../kit.ts';

const FIRST_MS = 50;

/** The waits of one series of calls: longer each time, up to a limit, and spread. */
export class Delays {
  readonly #clock: Clock;
  readonly #maxMs: number;
  #nextMs = FIRST_MS;
  #end: (() => void) | undefined;

  constructor(clock: Clock, maxMs: number) {
    this.#clock = clock;
    this.#maxMs = maxMs;
  }

  async next(): Promise<void> {
    const ms = Math.min(this.#nextMs, this.#maxMs) * (0.5 + systemRandom() / 2);
    this.#nextMs = Math.min(2 * this.#nextMs, this.#maxMs);
    await new Promise<void>((resolve) => {
      const stop = after(this.#clock, ms, () => this.end());
      this.#end = () => {
        stop();
        this.#end = undefined;
        resolve();
      };
    });
  }

  /** Ends the present wait. */
  end(): void {
    this.#end?.();
  }
}
