// The last fence of each slot that has left the table, for the slots that left last: 10,000 of them
// at least, and 20,000 at most. No key is deleted: see kernel/name-map.ts for what that would cost.

const CAPACITY = 10_000;

export class RecentFences {
  #recent = new Map<string, bigint>();
  #older: ReadonlyMap<string, bigint> = new Map();

  /** Undefined for a slot that is not known. */
  get(slot: string): bigint | undefined {
    return this.#recent.get(slot) ?? this.#older.get(slot);
  }

  keep(slot: string, fence: bigint): void {
    if (this.#recent.size === CAPACITY && !this.#recent.has(slot)) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(slot, fence);
  }
}
