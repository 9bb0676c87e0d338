// What goes back to the store: slots, and places in line. Each call is repeated until the store has
// answered it.

import { Delays } from './delay.ts';
import type { FleetOperation } from './options.ts';
import type { Session } from './session.ts';
import type { HeldSlot, LeaseStore } from './store.ts';
import type { Clocks, SessionTimes } from './times.ts';
import type { Troubles } from './troubles.ts';

export class Returns {
  readonly #store: LeaseStore;
  readonly #clocks: Clocks;
  readonly #times: SessionTimes;
  readonly #troubles: Troubles;
  /** How many calls are giving a slot back. */
  readonly #slots = new Map<string, number>();
  readonly #delays = new Set<Delays>();
  #isClosed = false;

  constructor(store: LeaseStore, clocks: Clocks, times: SessionTimes, troubles: Troubles) {
    this.#store = store;
    this.#clocks = clocks;
    this.#times = times;
    this.#troubles = troubles;
  }

  /** How many slots are on their way back. */
  get size(): number {
    return this.#slots.size;
  }
  has(slot: string): boolean {
    return this.#slots.has(slot);
  }

  async giveBack(session: Session, held: HeldSlot): Promise<void> {
    const { slot } = held;
    this.#slots.set(slot, (this.#slots.get(slot) ?? 0) + 1);
    await this.#repeat('release', () => this.#store.release(session.id, held));
    const left = (this.#slots.get(slot) as number) - 1;
    if (left > 0) this.#slots.set(slot, left);
    else this.#slots.delete(slot);
  }

  withdraw(session: Session, slot: string): Promise<void> {
    return this.#repeat('withdraw', () => this.#store.withdraw(session.id, slot));
  }

  /** From now on a call is made once. What is not given back expires. */
  close(): void {
    this.#isClosed = true;
    for (const delays of this.#delays) delays.end();
  }

  async #repeat(operation: FleetOperation, call: () => Promise<void>): Promise<void> {
    const delays = new Delays(this.#clocks.busy, this.#times.beatMs);
    this.#delays.add(delays);
    for (;;) {
      try {
        await call();
        break;
      } catch (error) {
        this.#troubles.report(error, operation);
        if (this.#isClosed || this.#troubles.isPermanent(error)) break;
      }
      await delays.next();
    }
    this.#delays.delete(delays);
  }
}
