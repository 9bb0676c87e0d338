// The vital slots of one supervisor: slots that are meant to have an owner for as long as the
// process lives. This file knows which there are, and which of them are dead. The slots report what
// happens in them.

import { NameMap } from '../kernel/name-map.ts';
import type { Outcome } from '../model/outcome.ts';
import type { ShutdownReport, VitalSlot } from '../model/view.ts';

/** What one vital slot has reported. */
export class Vital {
  readonly slot: string;
  lastOutcome: Outcome['kind'] | undefined;
  /** What ended there last makes the slot dead, if nothing else is there. */
  hasDied = false;
  /** When it died last, if it is dead. */
  diedMs = 0;

  constructor(slot: string) {
    this.slot = slot;
  }

  ownerEnded(outcome: Outcome): void {
    this.lastOutcome = outcome.kind;
    this.hasDied = DEATHS.includes(outcome.kind);
  }

  /** A vital submission was rejected, because there was no lease for it. */
  leaseRefused(): void {
    this.lastOutcome = 'rejected';
    this.hasDied = true;
  }
}

export class VitalSlots {
  readonly #slots = new NameMap<Vital>();
  readonly #dead = new NameMap<Vital>();
  readonly #deadFraction: number;
  readonly #now: () => number;
  readonly #tooManyDied: () => void;
  #keepsDead: boolean;

  /**
   * `tooManyDied` is called when the share of the dead has reached `deadFraction`. With `Infinity`
   * it never does.
   */
  constructor(deadFraction: number, now: () => number, tooManyDied: () => void) {
    this.#deadFraction = deadFraction;
    this.#now = now;
    this.#tooManyDied = tooManyDied;
    this.#keepsDead = deadFraction !== Infinity;
  }

  /** Undefined for a slot that is not vital. */
  find(slot: string): Vital | undefined {
    return this.#slots.get(slot);
  }

  /** From here on the slot is vital: a vital submission was admitted. */
  add(slot: string): Vital {
    const vital = new Vital(slot);
    this.#slots.add(slot, vital);
    return vital;
  }

  /**
   * Called when something has changed in a vital slot. `isEmpty`: it has no owner, and nothing
   * waits. Returns undefined if it is not vital any more.
   */
  changed(vital: Vital, isEmpty: boolean): Vital | undefined {
    const { slot } = vital;
    const isDead = this.#dead.get(slot) !== undefined;
    if (!isEmpty) {
      if (isDead) this.#dead.delete(slot);
      return vital;
    }
    const stays = vital.hasDied && this.#keepsDead;
    if (stays && !isDead) {
      this.#dead.add(slot, vital);
      vital.diedMs = this.#now();
    }
    if (!stays) this.#remove(slot);
    if (this.#areTooMany) this.#tooManyDied();
    return stays ? vital : undefined;
  }

  #remove(slot: string): void {
    this.#slots.delete(slot);
    if (this.#dead.get(slot) !== undefined) this.#dead.delete(slot);
  }

  get #areTooMany(): boolean {
    return this.#dead.size > 0 && this.#dead.size / this.#slots.size >= this.#deadFraction;
  }

  /** The dead slots, while they are too many. */
  get tooMany(): ShutdownReport['dead'] {
    if (!this.#areTooMany) return undefined;
    const slots = Array.from(this.#dead.values(), ({ slot }) => slot);
    return { slots, of: this.#slots.size, threshold: this.#deadFraction };
  }

  /** From the first call on, the dead are kept. */
  views(): VitalSlot[] {
    this.#keepsDead = true;
    const areAllAlive = this.#dead.size === 0;
    return Array.from(this.#slots.values(), ({ slot, lastOutcome }) => {
      const alive = areAllAlive || this.#dead.get(slot) === undefined;
      return lastOutcome === undefined ? { slot, alive } : { slot, alive, lastOutcome };
    });
  }
}

const DEATHS: readonly Outcome['kind'][] = ['failed', 'fatal', 'killed', 'abandoned'];
