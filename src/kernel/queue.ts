// First in, first out: an array with a head. What has been taken is let go at once; the rest is moved up only when more than half of the
// array is behind the head, so that each item is moved about once, however many wait.

/**
 * Up to this many nothing is moved up, and an emptied array keeps what `pop` leaves of its store: `length = 0` would drop it all (measured:
 * 50 ns and 150 bytes an item where one item comes and goes).
 */
const SMALL = 256;

export class Queue<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  take(): T | undefined {
    const items = this.#items;
    if (this.#head === items.length) return undefined;
    const item = items[this.#head];
    items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === items.length) this.clear();
    else if (this.#head >= SMALL && this.#head * 2 > items.length) {
      this.#items = items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    if (this.#items.length > SMALL) this.#items = [];
    while (this.#items.length > 0) this.#items.pop();
    this.#head = 0;
  }
}
