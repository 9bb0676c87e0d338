// Who waits, by priority: a line for each, first in first out. Entering, leaving and being next cost the same however many wait,
// because the links are in those who wait. (A `Set` remembers whom it has lost: the first of one that is emptied from its head is
// found ever more slowly.)

/** Someone who waits, told apart by identity. The links belong to the lines. */
export class Waiter {
  readonly priority: number;
  /** Set while it waits. */
  start: (() => Promise<unknown>) | undefined = undefined;
  ahead: Waiter | undefined = undefined;
  behind: Waiter | undefined = undefined;

  constructor(priority: number) {
    this.priority = priority;
  }
}

interface Level {
  readonly priority: number;
  first: Waiter | undefined;
  last: Waiter | undefined;
}

export class PriorityQueue {
  size = 0;
  /** Those that are not empty, the highest priority last. */
  readonly #levels: Level[] = [];

  enqueue(start: () => Promise<unknown>, { waiter }: { readonly waiter: Waiter }): void {
    const line = this.#levelFor(waiter.priority);
    waiter.start = start;
    waiter.ahead = line.last;
    if (line.last === undefined) line.first = waiter;
    else line.last.behind = waiter;
    line.last = waiter;
    this.size += 1;
  }

  dequeue(): (() => Promise<unknown>) | undefined {
    const first = this.#levels.at(-1)?.first;
    const start = first?.start;
    if (first !== undefined) this.remove(first);
    return start;
  }

  /** False when it does not wait here. */
  remove(waiter: Waiter): boolean {
    if (waiter.start === undefined) return false;
    const { ahead, behind } = waiter;
    const place = this.#indexOf(waiter.priority);
    const line = this.#levels[place] as Level;
    if (ahead === undefined) line.first = behind;
    else ahead.behind = behind;
    if (behind === undefined) line.last = ahead;
    else behind.ahead = ahead;
    if (line.first === undefined) this.#levels.splice(place, 1);
    // One that is inside for long would keep alive whoever waited behind it.
    waiter.start = waiter.ahead = waiter.behind = undefined;
    this.size -= 1;
    return true;
  }

  #levelFor(priority: number): Level {
    const place = this.#indexOf(priority);
    const known = this.#levels[place];
    if (known?.priority === priority) return known;
    const line: Level = { priority, first: undefined, last: undefined };
    this.#levels.splice(place, 0, line);
    return line;
  }

  #indexOf(priority: number): number {
    let low = 0;
    let high = this.#levels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#levels[middle] as Level).priority < priority) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
