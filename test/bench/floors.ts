// The floors: the least code that does the bare work of a scenario, without any feature. The cost
// of slotvisor and of its peers is given as a multiple of them. A floor checks nothing, frees
// nothing, and has no outcome, restart, grace, event or shutdown.

export type AsyncBody = () => Promise<void>;

/** A body that can be asked to stop. */
export type StoppableBody = (onStop: (stop: () => void) => void) => Promise<void>;

/** Queueing: a `Map` of keys to promise chains. A key is never removed. */
export class Chains {
  readonly #tails = new Map<string, Promise<void>>();

  run(key: string, body: AsyncBody): Promise<void> {
    const tail = (this.#tails.get(key) ?? Promise.resolve()).then(body, body);
    this.#tails.set(key, tail);
    return tail;
  }
}

/** Dropping: one look-up in a `Map`, and a resolved promise. */
export class Busy {
  readonly #owners = new Map<string, Promise<void>>();

  run(key: string, body: AsyncBody): Promise<void> {
    if (this.#owners.has(key)) return Promise.resolve();
    const owner = body();
    this.#owners.set(key, owner);
    return owner;
  }
}

/** Joining: one look-up in a `Map`, and the owner's promise. */
export class SingleFlight {
  readonly #owners = new Map<string, Promise<void>>();

  run(key: string, body: AsyncBody): Promise<void> {
    const known = this.#owners.get(key);
    if (known !== undefined) return known;
    const owner = body();
    this.#owners.set(key, owner);
    return owner;
  }
}

interface Waiting {
  readonly body: StoppableBody;
  readonly resolve: () => void;
}

interface Owner {
  stop: (() => void) | undefined;
  next: Waiting | undefined;
}

/**
 * Replacing and keeping the latest: a chain in which only the newest submission waits. The owner is
 * asked to stop once, or not at all.
 */
export class LatestWins {
  readonly #owners = new Map<string, Owner>();

  replace(key: string, body: StoppableBody): Promise<void> {
    return this.#submit(key, body, true);
  }

  keepLatest(key: string, body: StoppableBody): Promise<void> {
    return this.#submit(key, body, false);
  }

  stop(key: string): void {
    this.#owners.get(key)?.stop?.();
  }

  #submit(key: string, body: StoppableBody, stopOwner: boolean): Promise<void> {
    return new Promise((resolve) => {
      const owner = this.#owners.get(key);
      if (owner === undefined) {
        this.#start(key, { body, resolve });
        return;
      }
      owner.next?.resolve();
      owner.next = { body, resolve };
      if (stopOwner) {
        owner.stop?.();
        owner.stop = undefined;
      }
    });
  }

  #start(key: string, { body, resolve }: Waiting): void {
    const owner: Owner = { stop: undefined, next: undefined };
    this.#owners.set(key, owner);
    const ended = body((stop) => {
      owner.stop = stop;
    });
    void ended.then(() => {
      resolve();
      if (owner.next === undefined) this.#owners.delete(key);
      else this.#start(key, owner.next);
    });
  }
}
