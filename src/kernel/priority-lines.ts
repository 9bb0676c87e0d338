// Who waits, by priority: a line for each, first in first out. Leaving costs the same wherever one stands.

/** Something that waits. It is told apart by its identity. */
export interface Waiter {
  /** Set when it enters the line. */
  start?: () => Promise<unknown>;
  readonly priority: number;
}

export class PriorityLines {
  size = 0;
  readonly #lines = new Map<number, Set<Waiter>>();
  readonly #priorities: number[] = []; // of the lines that are not empty, the highest last

  enqueue(start: () => Promise<unknown>, { waiter }: { readonly waiter: Waiter }): void {
    let line = this.#lines.get(waiter.priority);
    if (line === undefined) {
      line = new Set();
      this.#lines.set(waiter.priority, line);
      this.#priorities.splice(this.#placeOf(waiter.priority), 0, waiter.priority);
    }
    waiter.start = start;
    line.add(waiter);
    this.size += 1;
  }

  dequeue(): (() => Promise<unknown>) | undefined {
    const highest = this.#priorities.at(-1);
    if (highest === undefined) return undefined;
    const [first] = this.#lines.get(highest) ?? [];
    if (first === undefined || !this.remove(first)) return undefined;
    return first.start;
  }

  /** False when it does not wait here. */
  remove(waiter: Waiter): boolean {
    const line = this.#lines.get(waiter.priority);
    if (line === undefined || !line.delete(waiter)) return false;
    this.size -= 1;
    if (line.size === 0) {
      this.#lines.delete(waiter.priority);
      this.#priorities.splice(this.#placeOf(waiter.priority), 1);
    }
    return true;
  }

  #placeOf(priority: number): number {
    let low = 0;
    let high = this.#priorities.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#priorities[middle] as number) < priority) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
