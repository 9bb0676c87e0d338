// "At most one body alive in a slot" is measured, not taken on trust: this counts them, around the bodies themselves.

import type { AroundAttempt } from 'slotvisor';

export class HeadCount {
  readonly #alive = new Map<string, number>();
  /** The most that were ever alive at once in one slot. */
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
