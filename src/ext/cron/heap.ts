// A binary heap whose entries know their place, so that one is taken out in O(log n) too. It knows nothing of time.

export class Heap<T extends object> {
  readonly #items: { item: T; key: number; order: number }[] = [];
  readonly #places = new Map<T, number>();
  #order = 0;

  get first(): T | undefined {
    return this.#items[0]?.item;
  }

  /** `Infinity` when it is empty. */
  get firstKey(): number {
    return this.#items[0]?.key ?? Infinity;
  }

  /** The least key is first; equal keys stay in the order in which they were put. An item that is here already is moved. */
  put(item: T, key: number): void {
    this.delete(item);
    this.#order += 1;
    this.#items.push({ item, key, order: this.#order });
    this.#up(this.#items.length - 1);
  }

  delete(item: T): void {
    const at = this.#places.get(item);
    if (at === undefined) return;
    this.#places.delete(item);
    const last = this.#items.pop();
    if (last === undefined || last.item === item) return;
    this.#items[at] = last;
    this.#up(at);
    this.#down(this.#places.get(last.item) ?? at);
  }

  #up(from: number): void {
    let at = from;
    for (let parent = (at - 1) >> 1; at > 0 && this.#less(at, parent); parent = (at - 1) >> 1) {
      this.#swap(at, parent);
      at = parent;
    }
    this.#note(at);
  }

  #down(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      const child = this.#less(left + 1, left) ? left + 1 : left;
      if (!this.#less(child, at)) break;
      this.#swap(at, child);
      at = child;
    }
    this.#note(at);
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
    this.#note(i);
    this.#note(j);
  }

  #note(at: number): void {
    const held = this.#items[at];
    if (held !== undefined) this.#places.set(held.item, at);
  }
}
