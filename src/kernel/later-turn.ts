// Collects items, and handles all of them at once on the next turn of the event loop.

export class LaterTurn<T> {
  readonly #handle: (items: readonly T[]) => void;
  /** Taken once, as all timers of a supervisor are. */
  readonly #setImmediate: (job: () => void) => unknown = setImmediate;
  #items: T[] = [];
  readonly #onTurn = () => {
    const items = this.#items;
    this.#items = [];
    this.#handle(items);
  };

  /** `handle` must not throw. */
  constructor(handle: (items: readonly T[]) => void) {
    this.#handle = handle;
  }

  add(item: T): void {
    this.#items.push(item);
    if (this.#items.length === 1) this.#setImmediate(this.#onTurn);
  }
}
