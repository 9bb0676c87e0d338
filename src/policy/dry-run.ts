// The dry run of a batch: every entry is submitted, in order, to a copy of its slot's machine. The
// slots do not change. An entry of the real line is copied when the trial first reaches it, so a
// dry run costs the same, however many entries wait.

import type { RejectReason } from '../model/outcome.ts';
import type { AdmissionPolicy } from '../model/settings.ts';
import { isRefusal, type Limits } from './admission.ts';
import type { Departure } from './departure.ts';
import type { Flight } from './flight.ts';
import { type Place, type SlotEntry, SlotMachine } from './slot-machine.ts';

/** What is still free in the supervisor. */
export interface Capacity {
  /** How many slots may be opened. */
  slots: number;
  /** How many more submissions may wait. */
  pending: number;
  /** How many starts would have to wait neither for a lease nor at the concurrency gate. */
  starts: number;
}

/** What a copy needs of a real entry. */
interface Real {
  readonly policy: AdmissionPolicy;
  readonly ahead: Real | null;
  readonly behind: Real | null;
}

type CopyOf = (entry: Real) => TrialEntry;

class TrialEntry implements SlotEntry<TrialEntry> {
  readonly policy: AdmissionPolicy;
  readonly ofBatch: boolean = true;
  readonly finishes = false;
  readonly resumes = false;
  readonly isCalledOff = false;
  place: Place = 'new';
  ahead: TrialEntry | null = null;
  behind: TrialEntry | null = null;
  flight: Flight<TrialEntry> | null = null;

  constructor(policy: AdmissionPolicy) {
    this.policy = policy;
  }
}

/**
 * A copy of a real entry. Its links are copied when they are first read. It has neither the place
 * nor the flight of the real one: no rule of a submission depends on them.
 */
class CopiedEntry extends TrialEntry {
  override readonly ofBatch = false;

  constructor(real: Real, copyOf: CopyOf) {
    super(real.policy);
    copyWhenRead(this, 'ahead', () => real.ahead && copyOf(real.ahead));
    copyWhenRead(this, 'behind', () => real.behind && copyOf(real.behind));
  }
}

function copyWhenRead(entry: TrialEntry, link: 'ahead' | 'behind', read: () => TrialEntry | null): void {
  const set = (value: TrialEntry | null) => Object.defineProperty(entry, link, { value, writable: true });
  Object.defineProperty(entry, link, {
    configurable: true,
    get: () => {
      const value = read();
      set(value);
      return value;
    },
    set,
  });
}

interface Copyable {
  copy(copyOf: CopyOf): SlotMachine<TrialEntry>;
}

export class DryRun {
  readonly #copies = new Map<string, SlotMachine<TrialEntry>>();
  readonly #free: Capacity;
  readonly #isLocal: boolean;

  /** `isLocal`: leases are local. */
  constructor(free: Capacity, isLocal: boolean) {
    this.#free = { ...free };
    this.#isLocal = isLocal;
  }

  /**
   * Returns the rejection that this entry would cause, for itself or for an earlier entry of the
   * batch; `undefined` if none. `find` returns the slot's machine. It is called once for each slot.
   */
  add(
    slot: string,
    find: () => Copyable | undefined,
    policy: AdmissionPolicy,
    limits: Pick<Limits, 'queueLimit' | 'onFull'>,
  ): RejectReason | undefined {
    const machine = this.#copies.get(slot) ?? this.#open(slot, find());
    if (machine === undefined) return 'resourceLimit';
    const free = this.#free;
    const before = machine.pending;
    const { queueLimit, onFull } = limits;
    const all = { queueLimit, onFull, mayWait: free.pending > 0, mayStart: free.starts > 0 };
    const verdict = machine.decide(policy, all);
    if (isRefusal(verdict)) return verdict;
    machine.enter(new TrialEntry(policy), verdict, all);
    const rejected = this.#carryOut(machine);
    free.pending -= machine.pending - before;
    return rejected;
  }

  #carryOut(machine: SlotMachine<TrialEntry>): RejectReason | undefined {
    const free = this.#free;
    let rejected: RejectReason | undefined;
    for (const effect of machine.effects) {
      if (effect.do === 'start' && free.starts > 0) free.starts -= 1;
      else if (effect.do === 'start') free.pending -= 1;
      else if (effect.do === 'reject' && effect.entry.ofBatch) rejected = effect.reason;
      else if (effect.do === 'rejectAll' && isOfBatch(effect.departure)) rejected = effect.reason;
    }
    machine.effects.length = 0;
    return rejected;
  }

  #open(slot: string, real: Copyable | undefined): SlotMachine<TrialEntry> | undefined {
    if (real === undefined) {
      if (this.#free.slots <= 0) return undefined;
      this.#free.slots -= 1;
    }
    const machine = real?.copy(copier()) ?? new SlotMachine<TrialEntry>(this.#isLocal);
    this.#copies.set(slot, machine);
    return machine;
  }
}

/** An entry of the batch is among them. */
function isOfBatch(departure: Departure<TrialEntry>): boolean {
  let found = false;
  while (!departure.isEmpty) found = departure.take().ofBatch || found;
  return found;
}

/** Answers for the same entry with the same copy. */
function copier(): CopyOf {
  const copies = new Map<Real, TrialEntry>();
  const copyOf: CopyOf = (entry) => {
    let copy = copies.get(entry);
    if (copy === undefined) {
      copy = new CopiedEntry(entry, copyOf);
      copies.set(entry, copy);
    }
    return copy;
  };
  return copyOf;
}
