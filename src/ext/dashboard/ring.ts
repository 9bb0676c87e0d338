// A ring: what came last, up to a number.

export class Ring<T> {
  readonly #size: number;
  readonly #items: T[] = [];
  /** Where the next item goes, once the ring is full. */
  #next = 0;
  #lastOut: T | undefined;

  /** @param size 1 or more. */
  constructor(size: number) {
    this.#size = size;
  }

  push(item: T): void {
    if (this.#items.length < this.#size) {
      this.#items.push(item);
      return;
    }
    this.#lastOut = this.#items[this.#next];
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.#size;
  }

  /** The newest of those that had to make room. */
  get lastOut(): T | undefined {
    return this.#lastOut;
  }

  get oldest(): T | undefined {
    return this.#items[this.#next];
  }

  *newestFirst(): Generator<T, void> {
    const { length } = this.#items;
    for (let i = length - 1; i >= 0; i -= 1) yield this.#items[(this.#next + i) % length] as T;
  }
}
