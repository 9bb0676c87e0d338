// Calls of one kind, as few statements as possible. What cannot go with the others goes alone, on
// lanes of its own: a slot that is locked delays no other one.

import { Gather } from '../fleet/index.ts';
import { isOfOneItem } from './errors.ts';

/** The result of an item that is to go alone. */
export const ALONE = Symbol('alone');

const LANES = 2;
/** The most items of a statement. */
const MOST = 500;

/** A call, of a session. Calls of different sessions do not go together. */
export interface Call {
  readonly session: string;
}

export class Together<A extends Call, R> {
  readonly #together: Gather<A, R | typeof ALONE>;
  readonly #alone: Gather<A, R | typeof ALONE>;

  /** @param run returns the result of each item, in their order. */
  constructor(run: (items: readonly A[], isAlone: boolean) => Promise<readonly (R | typeof ALONE)[]>) {
    const key = ({ session }: A): string => session;
    this.#alone = new Gather({ lanes: LANES, most: 1, key, run: (items) => run(items, true) });
    this.#together = new Gather({
      lanes: LANES,
      most: MOST,
      key,
      run: async (items) => {
        try {
          return await run(items, false);
        } catch (error) {
          if (!isOfOneItem(error)) throw error;
          return items.map(() => ALONE);
        }
      },
    });
  }

  async add(item: A): Promise<R> {
    let result = await this.#together.add(item);
    if (result === ALONE) result = await this.#alone.add(item);
    if (result === ALONE) throw new Error('another transaction has locked the slot');
    return result;
  }
}
