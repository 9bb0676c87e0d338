// The first `size` of many items, in order. It holds at most twice as many as it has to: so a page
// of a large table needs no list of all that match.

export class Top<T> {
  readonly #size: number;
  readonly #compare: (one: T, other: T) => number;
  #items: T[] = [];
  /** The last of those that count, once there are enough. No item behind it gets in. */
  #last: T | undefined;

  /** @param compare as for `sort`, and 0 for no two items. */
  constructor(size: number, compare: (one: T, other: T) => number) {
    this.#size = size;
    this.#compare = compare;
  }

  add(item: T): void {
    if (this.#last !== undefined && this.#compare(this.#last, item) <= 0) return;
    this.#items.push(item);
    if (this.#items.length >= 2 * this.#size) this.#cut();
  }

  sorted(): readonly T[] {
    this.#cut();
    return this.#items;
  }

  #cut(): void {
    this.#items.sort(this.#compare);
    if (this.#items.length < this.#size) return;
    this.#items.length = this.#size;
    this.#last = this.#items.at(-1);
  }
}
