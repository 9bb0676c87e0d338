// A binary heap that tracks the place of each item, so that deleting any item is O(log n).

interface Node<T> {
  readonly item: T;
  readonly key: number;
  readonly order: number;
  /** Its place in the heap. */
  at: number;
}

export class Heap<T extends object> {
  readonly #heap: Node<T>[] = [];
  readonly #nodes = new Map<T, Node<T>>();
  #order = 0;

  get first(): T | undefined {
    return this.#heap[0]?.item;
  }

  /** `Infinity` if the heap is empty. */
  get firstKey(): number {
    return this.#heap[0]?.key ?? Infinity;
  }

  /**
   * Adds an item, or moves it if it is already here. The item with the smallest key is first. Items
   * with equal keys keep the order in which they were put.
   */
  put(item: T, key: number): void {
    this.delete(item);
    this.#order += 1;
    const node = { item, key, order: this.#order, at: this.#heap.length };
    this.#nodes.set(item, node);
    this.#heap.push(node);
    this.#siftUp(node);
  }

  delete(item: T): void {
    const node = this.#nodes.get(item);
    if (node === undefined) return;
    this.#nodes.delete(item);
    const last = this.#heap.pop();
    if (last === undefined || last === node) return;
    this.#place(last, node.at);
    this.#siftUp(last);
    this.#siftDown(last);
  }

  #siftUp(node: Node<T>): void {
    while (node.at > 0) {
      const parent = this.#heap[(node.at - 1) >> 1] as Node<T>;
      if (!isLess(node, parent)) return;
      this.#swap(node, parent);
    }
  }

  #siftDown(node: Node<T>): void {
    for (;;) {
      const left = this.#heap[2 * node.at + 1];
      const right = this.#heap[2 * node.at + 2];
      const child = left !== undefined && right !== undefined && isLess(right, left) ? right : left;
      if (child === undefined || !isLess(child, node)) return;
      this.#swap(node, child);
    }
  }

  #swap(one: Node<T>, other: Node<T>): void {
    const { at } = one;
    this.#place(one, other.at);
    this.#place(other, at);
  }

  #place(node: Node<T>, at: number): void {
    node.at = at;
    this.#heap[at] = node;
  }
}

function isLess<T>(one: Node<T>, other: Node<T>): boolean {
  return one.key < other.key || (one.key === other.key && one.order < other.order);
}
