// Runs async sections of one key one after another. Sections of different keys do not wait for each
// other. A key takes memory only while one of its sections runs or waits.

import { Mutex } from 'async-mutex';
import { NameMap } from './name-map.ts';

export class KeyedLock {
  readonly #locks = new NameMap<{ readonly mutex: Mutex; users: number }>();

  /** True while a section of this key runs or waits. */
  isBusy(key: string): boolean {
    return this.#locks.get(key) !== undefined;
  }

  /**
   * Runs the section once every earlier section of this key has settled. Settles as the section
   * does.
   */
  async run<T>(key: string, section: () => T | PromiseLike<T>): Promise<T> {
    let lock = this.#locks.get(key);
    if (lock === undefined) {
      lock = { mutex: new Mutex(), users: 0 };
      this.#locks.add(key, lock);
    }
    lock.users += 1;
    try {
      return await lock.mutex.runExclusive(async () => section());
    } finally {
      lock.users -= 1;
      if (lock.users === 0) this.#locks.delete(key);
    }
  }

  get size(): number {
    return this.#locks.size;
  }
}
