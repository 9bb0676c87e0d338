// A queue by priority: one level for each priority, and first in first out within a level. Enqueue,
// remove and dequeue do not depend on how many wait, because the links are stored in the waiters.
// (Not a `Set`: deleting from its front makes finding the first element ever slower.)

/** An entry of the queue. The queue sets its links. */
export class Waiter {
  readonly priority: number;
  /** Set while it is in the queue. */
  level: Level | undefined = undefined;
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

export class PriorityQueue<T extends Waiter = Waiter> {
  size = 0;
  /** The levels that are not empty. The highest priority is last. */
  readonly #levels: Level[] = [];

  enqueue(waiter: T): void {
    const level = this.#levelFor(waiter.priority);
    waiter.level = level;
    waiter.ahead = level.last;
    if (level.last === undefined) level.first = waiter;
    else level.last.behind = waiter;
    level.last = waiter;
    this.size += 1;
  }

  dequeue(): T | undefined {
    const first = this.#levels.at(-1)?.first as T | undefined;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Returns false if the waiter is not in the queue. */
  remove(waiter: T): boolean {
    const { level, ahead, behind } = waiter;
    if (level === undefined) return false;
    if (ahead === undefined) level.first = behind;
    else ahead.behind = behind;
    if (behind === undefined) level.last = ahead;
    else behind.ahead = ahead;
    if (level.first === undefined) this.#levels.splice(this.#indexOf(level.priority), 1);
    // A waiter may be referenced for long after this. Its links would keep the waiters behind it in
    // memory.
    waiter.level = waiter.ahead = waiter.behind = undefined;
    this.size -= 1;
    return true;
  }

  #levelFor(priority: number): Level {
    const index = this.#indexOf(priority);
    const existing = this.#levels[index];
    if (existing?.priority === priority) return existing;
    const level: Level = { priority, first: undefined, last: undefined };
    this.#levels.splice(index, 0, level);
    return level;
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
