// Counts the live bodies of each slot, to measure the promise "at most one body alive in a slot".

import type { AroundAttempt } from 'slotvisor';

export class HeadCount {
  readonly #alive = new Map<string, number>();
  /** The largest number of bodies that were alive in one slot at once. */
  most = 0;

  readonly around: AroundAttempt = async ({ slot }, next) => {
    const count = this.#add(slot, 1);
    this.most = Math.max(this.most, count);
    await next().finally(() => this.#add(slot, -1));
  };

  #add(slot: string, change: 1 | -1): number {
    const count = (this.#alive.get(slot) ?? 0) + change;
    this.#alive.set(slot, count);
    return count;
  }
}
