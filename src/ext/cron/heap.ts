// A binary heap that tracks the place of each item, so that deleting any item is O(log n).

export class Heap<T extends object> {
  readonly #items: { item: T; key: number; order: number }[] = [];
  readonly #places = new Map<T, number>();
  #order = 0;

  get first(): T | undefined {
    return this.#items[0]?.item;
  }

  /** `Infinity` if the heap is empty. */
  get firstKey(): number {
    return this.#items[0]?.key ?? Infinity;
  }

  /**
   * Adds an item, or moves it if it is already here. The item with the smallest key is first. Items
   * with equal keys keep the order in which they were put.
   */
  put(item: T, key: number): void {
    this.delete(item);
    this.#order += 1;
    this.#items.push({ item, key, order: this.#order });
    this.#siftUp(this.#items.length - 1);
  }

  delete(item: T): void {
    const at = this.#places.get(item);
    if (at === undefined) return;
    this.#places.delete(item);
    const last = this.#items.pop();
    if (last === undefined || last.item === item) return;
    this.#items[at] = last;
    this.#siftUp(at);
    this.#siftDown(this.#places.get(last.item) ?? at);
  }

  #siftUp(from: number): void {
    let at = from;
    for (let parent = (at - 1) >> 1; at > 0 && this.#less(at, parent); parent = (at - 1) >> 1) {
      this.#swap(at, parent);
      at = parent;
    }
    this.#recordPlace(at);
  }

  #siftDown(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      const child = this.#less(left + 1, left) ? left + 1 : left;
      if (!this.#less(child, at)) break;
      this.#swap(at, child);
      at = child;
    }
    this.#recordPlace(at);
  }

  #less(i: number, j: number): boolean {
    const a = this.#items[i];
    const b = this.#items[j];
    if (a === undefined || b === undefined) return false;
    return a.key < b.key || (a.key === b.key && a.order < b.order);
  }

  #swap(i: number, j: number): void {
    const a = this.#items[i];
    const b = this.#items[j];
    if (a === undefined || b === undefined) return;
    this.#items[i] = b;
    this.#items[j] = a;
    this.#recordPlace(i);
    this.#recordPlace(j);
  }

  #recordPlace(at: number): void {
    const entry = this.#items[at];
    if (entry !== undefined) this.#places.set(entry.item, at);
  }
}
