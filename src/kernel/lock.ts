// Sections that really wait and must not interleave, one lane a key. A lane exists only while somebody is in it.

import { Mutex } from 'async-mutex';

export class KeyedLock {
  readonly #lanes = new Map<string, { readonly mutex: Mutex; users: number }>();

  /** True while a section of this key runs or waits. */
  isBusy(key: string): boolean {
    return this.#lanes.has(key);
  }

  /** Runs the section once every earlier one of this key has settled. Settles as the section does. */
  async run<T>(key: string, section: () => T | PromiseLike<T>): Promise<T> {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { mutex: new Mutex(), users: 0 };
      this.#lanes.set(key, lane);
    }
    lane.users += 1;
    try {
      return await lane.mutex.runExclusive(async () => section());
    } finally {
      lane.users -= 1;
      if (lane.users === 0) this.#lanes.delete(key);
    }
  }

  get size(): number {
    return this.#lanes.size;
  }
}
