// One object for equal keys, as long as it is in use.

/**
 * Keeps what it makes only as long as others do. So equal keys share one object, however many keys
 * there are, and nothing unused is kept.
 */
export class Shared<T extends object> {
  readonly #made = new Map<string, WeakRef<T>>();
  readonly #collected = new FinalizationRegistry<string>((key) => {
    // The key may have a new object by now.
    if (this.#made.get(key)?.deref() === undefined) this.#made.delete(key);
  });

  /** How many keys are known: those of objects in use, and of some that were not collected yet. */
  get size(): number {
    return this.#made.size;
  }

  get(key: string, make: () => T): T {
    const known = this.#made.get(key)?.deref();
    if (known !== undefined) return known;
    const made = make();
    this.#made.set(key, new WeakRef(made));
    this.#collected.register(made, key);
    return made;
  }
}
