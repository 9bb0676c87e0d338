// Many calls as few: while some batches are under way, what comes meanwhile gathers, and goes as
// the next one. Nothing waits while a lane is free.

interface Entry<A, R> {
  readonly item: A;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** The options of {@link Gather}. */
export interface GatherOptions<A, R> {
  /** How many batches are under way at once. */
  readonly lanes: number;
  /** The most items of a batch. */
  readonly most: number;
  /** Only items with the same key go together. */
  readonly key: (item: A) => unknown;
  /** Returns the result of each item, in their order. An error is the result of them all. */
  readonly run: (items: readonly A[]) => Promise<readonly R[]>;
}

/** Gathers calls for an engine that does many things for little more than the price of one. */
export class Gather<A, R> {
  readonly #options: GatherOptions<A, R>;
  #entries: Entry<A, R>[] = [];
  #busy = 0;

  /** Calls nothing before the first `add`. */
  constructor(options: GatherOptions<A, R>) {
    this.#options = options;
  }

  /** Resolves with the result of the item. Rejects with the error of its batch. */
  add(item: A): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#entries.push({ item, resolve, reject });
      if (this.#busy >= this.#options.lanes) return;
      this.#busy += 1;
      void Promise.resolve().then(() => this.#work()); // what comes in the same turn goes along
    });
  }

  async #work(): Promise<void> {
    while (this.#entries.length > 0) await this.#run(this.#take());
    this.#busy -= 1;
  }

  /** The oldest entries, up to the first one with another key. */
  #take(): Entry<A, R>[] {
    const { key, most } = this.#options;
    const batch = this.#entries.slice(0, most);
    const first = key((batch[0] as Entry<A, R>).item);
    const end = batch.findIndex(({ item }) => key(item) !== first);
    return this.#entries.splice(0, end < 0 ? batch.length : end);
  }

  async #run(batch: readonly Entry<A, R>[]): Promise<void> {
    try {
      const results = await this.#options.run(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, i) => {
        resolve(results[i] as R);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
