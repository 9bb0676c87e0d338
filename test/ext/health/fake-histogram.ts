// The histogram of `monitorEventLoopDelay`, with delays that a test gives, in ms.

import { type DelayHistogram, RESOLUTION_MS } from '../../../src/ext/health/loop-delay.ts';

export class FakeHistogram implements DelayHistogram {
  #sorted: number[] = [];
  isDisabled = false;

  delays(...delaysMs: readonly number[]): void {
    this.#sorted = [...this.#sorted, ...delaysMs.map((ms) => (ms + RESOLUTION_MS) * 1e6)].sort((a, b) => a - b);
  }

  get count(): number {
    return this.#sorted.length;
  }

  get max(): number {
    return this.#sorted.at(-1) ?? 0;
  }

  /** Without a measurement the real one returns nonsense too. */
  percentile(percent: number): number {
    return this.#sorted[Math.ceil((this.count * percent) / 100) - 1] ?? 511;
  }

  reset(): void {
    this.#sorted = [];
  }

  disable(): void {
    this.isDisabled = true;
  }
}
