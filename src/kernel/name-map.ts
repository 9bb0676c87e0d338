// A map by name, for names that come and go. A `Map` of the platform leaves a deleted key where it
// was until the whole map is made again, and passes it at each look for a key of the same hash. So
// one name that is added and deleted again and again beside 10,000 others takes ever longer
// (measured: 27 us, against 0.1). Here the names that were deleted last keep their keys, without a
// value: a name that comes back finds its own.

/** How many names may keep their keys. */
const KEPT = 64;

function* present<T>(values: ReadonlyMap<string, T | undefined>): IterableIterator<T> {
  for (const value of values.values()) if (value !== undefined) yield value;
}

export class NameMap<T extends object> {
  readonly #values = new Map<string, T | undefined>();
  /** The names that keep their keys, the oldest first. Some have come back meanwhile. */
  readonly #kept = new Set<string>();
  size = 0;

  get(name: string): T | undefined {
    return this.#values.get(name);
  }

  /** The name must not be there. */
  add(name: string, value: T): void {
    this.#values.set(name, value);
    this.size += 1;
  }

  /** The name must be there. */
  delete(name: string): void {
    this.#values.set(name, undefined);
    this.size -= 1;
    this.#kept.add(name);
    if (this.#kept.size > KEPT) this.#forget(this.#kept.values().next().value as string);
  }

  /** A name that has come back keeps its key anyway. */
  #forget(name: string): void {
    this.#kept.delete(name);
    if (this.#values.get(name) === undefined) this.#values.delete(name);
  }

  /**
   * A value that stays during the loop comes once, and before each whose name is added meanwhile. A
   * name that was there and comes back has the place that it had: so all that stay are among the
   * first values, as many as there were. The keys of names that are not there now would give new
   * values a place before others, so they go.
   */
  values(): IterableIterator<T> {
    for (const name of this.#kept) this.#forget(name);
    return present(this.#values);
  }
}
