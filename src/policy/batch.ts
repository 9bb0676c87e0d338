// A batch, tried out before anything happens: every entry is submitted, in order, to a copy of its slot's machine. All or none is decided here.

import type { RejectReason } from '../model/outcome.ts';
import type { AdmissionPolicy } from '../model/settings.ts';
import type { Room } from './admission.ts';
import { type Place, type SlotEntry, SlotMachine } from './slot.ts';

interface Bounds {
  /** How many slots may still be opened. */
  slots: number;
  /** How many more submissions may wait. */
  pending: number;
}

class Trial implements SlotEntry<Trial> {
  readonly policy: AdmissionPolicy;
  readonly ofBatch: boolean;
  place: Place = 'new';
  ahead: Trial | null = null;
  behind: Trial | null = null;

  constructor(policy: AdmissionPolicy, ofBatch: boolean) {
    this.policy = policy;
    this.ofBatch = ofBatch;
  }
}

type Real = { copy(copyEntry: (entry: { readonly policy: AdmissionPolicy }) => Trial): SlotMachine<Trial> };

export class DryRun {
  readonly #copies = new Map<string, SlotMachine<Trial>>();
  readonly #bounds: Bounds;
  readonly #grantsAtOnce: boolean;

  constructor(bounds: Bounds, grantsAtOnce: boolean) {
    this.#bounds = { ...bounds };
    this.#grantsAtOnce = grantsAtOnce;
  }

  /** `find` is asked once for each slot. Why this entry, or an earlier one of the batch because of it, would be turned away; `undefined` when nobody would. */
  add(
    slot: string,
    find: () => Real | undefined,
    policy: AdmissionPolicy,
    room: Omit<Room, 'mayWait'>,
  ): RejectReason | undefined {
    const machine = this.#copies.get(slot) ?? this.#open(slot, find());
    if (machine === undefined) return 'resourceLimit';
    const before = machine.pending;
    machine.submit(new Trial(policy, true), { ...room, mayWait: this.#bounds.pending > 0 });
    let rejected: RejectReason | undefined;
    for (const effect of machine.effects.splice(0)) {
      if (effect.do === 'acquire' && this.#grantsAtOnce) machine.granted(effect.request);
      else if (effect.do === 'reject' && effect.entry.ofBatch) rejected = effect.reason;
    }
    machine.effects.length = 0;
    this.#bounds.pending -= machine.pending - before;
    return rejected;
  }

  #open(slot: string, real: Real | undefined): SlotMachine<Trial> | undefined {
    if (real === undefined) {
      if (this.#bounds.slots <= 0) return undefined;
      this.#bounds.slots -= 1;
    }
    const machine = real?.copy(({ policy }) => new Trial(policy, false)) ?? new SlotMachine<Trial>();
    this.#copies.set(slot, machine);
    return machine;
  }
}
