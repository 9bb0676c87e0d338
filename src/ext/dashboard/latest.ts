// The values of the keys that were used last. The links are stored beside the values. (Not by
// deleting a key of a `Map` and setting it again: for one key beside 10,000 others that costs 14 us
// (measured), because V8 leaves deleted entries in the chain that it searches.)

interface Entry<T> {
  readonly key: string;
  readonly value: T;
  older: Entry<T> | undefined;
  newer: Entry<T> | undefined;
}

export class Latest<T> {
  readonly #max: number;
  readonly #entries = new Map<string, Entry<T>>();
  #oldest: Entry<T> | undefined;
  #newest: Entry<T> | undefined;

  /** @param max how many are kept, 1 or more. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Does not count as a use. */
  get(key: string): T | undefined {
    return this.#entries.get(key)?.value;
  }

  /** The value that is kept, or a new one. The key that was used longest ago makes room for it. */
  use(key: string, make: () => T): T {
    const known = this.#entries.get(key);
    if (known === undefined) return this.#add({ key, value: make(), older: undefined, newer: undefined }).value;
    if (known === this.#newest) return known.value;
    this.#unlink(known);
    this.#append(known);
    return known.value;
  }

  /** What was used last is first. */
  *values(): IterableIterator<T> {
    for (let entry = this.#newest; entry !== undefined; entry = entry.older) yield entry.value;
  }

  #add(entry: Entry<T>): Entry<T> {
    this.#entries.set(entry.key, entry);
    this.#append(entry);
    if (this.#entries.size > this.#max) {
      const oldest = this.#oldest as Entry<T>;
      this.#unlink(oldest);
      this.#entries.delete(oldest.key);
    }
    return entry;
  }

  #append(entry: Entry<T>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink({ older, newer }: Entry<T>): void {
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}
