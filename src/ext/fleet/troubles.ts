// The errors of a store: each is reported to the user once, and the store says whether a repetition
// can mend it.

import { ignore } from '../../kit.ts';
import type { FleetOperation, FleetSettings } from './options.ts';
import type { LeaseStore } from './store.ts';

export class Troubles {
  /** The latest error. */
  last: unknown;
  count = 0;
  readonly #store: LeaseStore;
  readonly #listener: FleetSettings['onTrouble'];
  readonly #reported = new WeakSet<object>();

  constructor(store: LeaseStore, listener: FleetSettings['onTrouble']) {
    this.#store = store;
    this.#listener = listener;
  }

  report(error: unknown, operation: FleetOperation): void {
    if (typeof error === 'object' && error !== null) {
      if (this.#reported.has(error)) return;
      this.#reported.add(error);
    }
    this.last = error;
    this.count += 1;
    try {
      ignore(this.#listener(error, operation)); // it may be async
    } catch {
      // the user's listener: the store goes on
    }
  }

  isPermanent(error: unknown): boolean {
    try {
      return this.#store.isPermanent(error);
    } catch {
      return false;
    }
  }
}
