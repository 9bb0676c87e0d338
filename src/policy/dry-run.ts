// The dry run of a batch: every entry is submitted, in order, to a copy of its slot's machine. The
// slots do not change.

import type { RejectReason } from '../model/outcome.ts';
import type { AdmissionPolicy } from '../model/settings.ts';
import type { Limits } from './admission.ts';
import { type Place, type SlotEntry, SlotMachine } from './slot-machine.ts';

/** What is still free in the supervisor. */
export interface Capacity {
  /** How many slots may be opened. */
  slots: number;
  /** How many more submissions may wait. */
  pending: number;
}

class TrialEntry implements SlotEntry<TrialEntry> {
  readonly policy: AdmissionPolicy;
  readonly ofBatch: boolean;
  place: Place = 'new';
  ahead: TrialEntry | null = null;
  behind: TrialEntry | null = null;

  constructor(policy: AdmissionPolicy, ofBatch: boolean) {
    this.policy = policy;
    this.ofBatch = ofBatch;
  }
}

interface Copyable {
  copy(copyEntry: (entry: { readonly policy: AdmissionPolicy }) => TrialEntry): SlotMachine<TrialEntry>;
}

export class DryRun {
  readonly #copies = new Map<string, SlotMachine<TrialEntry>>();
  readonly #free: Capacity;
  readonly #grantsImmediately: boolean;

  /** `grantsImmediately`: leases are local, so every lease is granted within its request. */
  constructor(free: Capacity, grantsImmediately: boolean) {
    this.#free = { ...free };
    this.#grantsImmediately = grantsImmediately;
  }

  /**
   * Returns the rejection that this entry would cause, for itself or for an earlier entry of the
   * batch; `undefined` if none. `find` returns the slot's machine. It is called once for each slot.
   */
  add(
    slot: string,
    find: () => Copyable | undefined,
    policy: AdmissionPolicy,
    limits: Omit<Limits, 'mayWait'>,
  ): RejectReason | undefined {
    const machine = this.#copies.get(slot) ?? this.#open(slot, find());
    if (machine === undefined) return 'resourceLimit';
    const before = machine.pending;
    machine.submit(new TrialEntry(policy, true), { ...limits, mayWait: this.#free.pending > 0 });
    let rejected: RejectReason | undefined;
    for (const effect of machine.effects.splice(0)) {
      if (effect.do === 'acquire' && this.#grantsImmediately) machine.granted(effect.request);
      else if (effect.do === 'reject' && effect.entry.ofBatch) rejected = effect.reason;
    }
    machine.effects.length = 0;
    this.#free.pending -= machine.pending - before;
    return rejected;
  }

  #open(slot: string, real: Copyable | undefined): SlotMachine<TrialEntry> | undefined {
    if (real === undefined) {
      if (this.#free.slots <= 0) return undefined;
      this.#free.slots -= 1;
    }
    const machine = real?.copy(({ policy }) => new TrialEntry(policy, false)) ?? new SlotMachine<TrialEntry>();
    this.#copies.set(slot, machine);
    return machine;
  }
}
