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

interface Line {
  readonly priority: number;
  first: Waiter | undefined;
  last: Waiter | undefined;
}

export class PriorityLines {
  size = 0;
  /** Those that are not empty, the highest priority last. */
  readonly #lines: Line[] = [];

  enqueue(start: () => Promise<unknown>, { waiter }: { readonly waiter: Waiter }): void {
    const line = this.#lineFor(waiter.priority);
    waiter.start = start;
    waiter.ahead = line.last;
    if (line.last === undefined) line.first = waiter;
    else line.last.behind = waiter;
    line.last = waiter;
    this.size += 1;
  }

  dequeue(): (() => Promise<unknown>) | undefined {
    const first = this.#lines.at(-1)?.first;
    const start = first?.start;
    if (first !== undefined) this.remove(first);
    return start;
  }

  /** False when it does not wait here. */
  remove(waiter: Waiter): boolean {
    if (waiter.start === undefined) return false;
    const { ahead, behind } = waiter;
    const place = this.#placeOf(waiter.priority);
    const line = this.#lines[place] as Line;
    if (ahead === undefined) line.first = behind;
    else ahead.behind = behind;
    if (behind === undefined) line.last = ahead;
    else behind.ahead = ahead;
    if (line.first === undefined) this.#lines.splice(place, 1);
    // One that is inside for long would keep alive whoever waited behind it.
    waiter.start = waiter.ahead = waiter.behind = undefined;
    this.size -= 1;
    return true;
  }

  #lineFor(priority: number): Line {
    const place = this.#placeOf(priority);
    const known = this.#lines[place];
    if (known?.priority === priority) return known;
    const line: Line = { priority, first: undefined, last: undefined };
    this.#lines.splice(place, 0, line);
    return line;
  }

  #placeOf(priority: number): number {
    let low = 0;
    let high = this.#lines.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#lines[middle] as Line).priority < priority) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
