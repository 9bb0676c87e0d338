// The last fence of each slot that has left the table, for the slots that left last.

const CAPACITY = 10_000;

export class RecentFences {
  readonly #fences = new Map<string, bigint>(); // the slot that left first is first

  /** Takes the last fence out. Undefined for a slot that is not known. */
  take(slot: string): bigint | undefined {
    const fence = this.#fences.get(slot);
    this.#fences.delete(slot);
    return fence;
  }

  keep(slot: string, fence: bigint): void {
    this.#fences.set(slot, fence);
    if (this.#fences.size > CAPACITY) this.#fences.delete(this.#fences.keys().next().value as string);
  }
}
