import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap, HeapNode } from '../../src/kernel/heap.ts';

interface Item {
  readonly name: number;
}

/**
 * The reference: an array that is sorted by key. The sort is stable, so equal keys keep the order
 * of `put`.
 */
class SortedArray {
  readonly #items: { item: Item; key: number }[] = [];

  put(item: Item, key: number): void {
    this.delete(item);
    this.#items.push({ item, key });
    this.#items.sort((a, b) => a.key - b.key);
  }

  delete(item: Item): void {
    const at = this.#items.findIndex((held) => held.item === item);
    if (at >= 0) this.#items.splice(at, 1);
  }

  get first(): { item: Item; key: number } | undefined {
    return this.#items[0];
  }
}

const nodeOf = (name: number) => new HeapNode<Item>({ name });

test('an empty heap has no first node and the key Infinity', () => {
  const heap = new Heap<Item>();
  heap.delete(nodeOf(0));
  expect([heap.first, heap.firstKey]).toEqual([undefined, Infinity]);
});

test('putting a node again moves it behind nodes with the same key', () => {
  const [a, b] = [nodeOf(0), nodeOf(1)];
  const heap = new Heap<Item>();
  heap.put(a, 1);
  heap.put(b, 1);
  heap.put(a, 1);
  expect(heap.first).toBe(b);
  heap.put(a, 0);
  expect([heap.first, heap.firstKey]).toEqual([a, 0]);
});

test('deleting a node that is in another heap changes neither of them', () => {
  const [heap, other] = [new Heap<Item>(), new Heap<Item>()];
  const [a, b, inOther] = [nodeOf(0), nodeOf(1), nodeOf(2)];
  heap.put(a, 1);
  heap.put(b, 2);
  other.put(inOther, 1);
  heap.delete(inOther);
  expect([heap.first, other.first]).toEqual([a, inOther]);
  other.delete(inOther);
  expect(other.first).toBeUndefined();
});

test('a heap gives the same items in the same order as a sorted array, for every sequence of put and delete', () => {
  const step = fc.record({ name: fc.nat(20), key: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const nodes = Array.from({ length: 21 }, (_, name) => nodeOf(name));
      const heap = new Heap<Item>();
      const sorted = new SortedArray();
      const expectSameFirst = () => {
        expect(heap.first?.item).toBe(sorted.first?.item);
        expect(heap.firstKey).toBe(sorted.first?.key ?? Infinity);
      };
      for (const { name, key } of steps) {
        const node = nodes[name] as HeapNode<Item>;
        if (key === undefined) {
          heap.delete(node);
          sorted.delete(node.item);
        } else {
          heap.put(node, key);
          sorted.put(node.item, key);
        }
        expectSameFirst();
      }
      for (let { first } = heap; first !== undefined; first = heap.first) {
        heap.delete(first);
        sorted.delete(first.item);
        expectSameFirst();
      }
    }),
  );
});
