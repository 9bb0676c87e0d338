// The reference model of the vital slots: which there are, which are dead, and when a shutdown
// begins because of them.

import type { Reference } from './reference.ts';
import { type Place, type Task, TIMES } from './reference-nouns.ts';

interface Vital {
  lastOutcome: string;
  hasDied: boolean;
}

export class Vitals {
  /** In the order in which they became vital. */
  readonly #slots = new Map<string, Vital>();
  /** What the report of the shutdown says of them. */
  dead: string | undefined;
  readonly #all: Reference;

  constructor(all: Reference) {
    this.#all = all;
  }

  /** A submission was admitted, also a joined one. */
  admitted({ plan: { slot, vital } }: Task): void {
    if (vital && !this.#slots.has(slot)) this.#slots.set(slot, { lastOutcome: '', hasDied: false });
  }

  ownerEnded({ slot }: Place, outcome: string): void {
    this.#lookSoon(); // all of its participants may have left
    const vital = this.#slots.get(slot);
    if (vital === undefined) return;
    const [kind = ''] = outcome.split(' ', 1);
    vital.lastOutcome = kind;
    vital.hasDied = kind === 'failed' || kind === 'abandoned';
  }

  /** A submission has its outcome. */
  settled({ plan }: Task, outcome: string): void {
    const vital = this.#slots.get(plan.slot);
    if (vital !== undefined && plan.vital && outcome === 'rejected leaseUnavailable') {
      vital.lastOutcome = 'rejected';
      vital.hasDied = true;
    }
    this.#lookSoon();
  }

  /** When the slot has moved on. */
  #lookSoon(): void {
    this.#all.time.soon(() => this.#look());
  }

  #isEmpty(slot: string): boolean {
    const { owner, waiting } = this.#all.place(slot);
    return owner === undefined && waiting.length === 0;
  }

  #look(): void {
    for (const [slot, { hasDied }] of this.#slots) if (!hasDied && this.#isEmpty(slot)) this.#slots.delete(slot);
    const dead = [...this.#slots.keys()].filter((slot) => this.#isEmpty(slot));
    if (dead.length === 0 || this.#all.closing.began) return;
    this.#all.see('a vital slot is dead');
    const { deadFraction } = this.#all.setting;
    if (dead.length / this.#slots.size < deadFraction) return;
    this.#all.see('too many vital slots are dead');
    this.dead = `${dead.sort()} of ${this.#slots.size}, ${deadFraction}`;
    this.#all.closing.call(TIMES.shutdown, TIMES.finish);
  }

  toString(): string {
    return Array.from(this.#slots, ([slot, { lastOutcome }]) =>
      `${slot} ${this.#isEmpty(slot) ? 'dead' : 'alive'} ${lastOutcome}`.trim(),
    ).join();
  }
}
