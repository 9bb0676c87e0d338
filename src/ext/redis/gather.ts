// Gathers calls: while two are under way, what comes waits, and goes as one.

const MAX_UNDER_WAY = 2;

interface Entry<Item, Answer> {
  readonly item: Item;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export class Gather<Item, Answer> {
  readonly #send: (items: readonly Item[]) => Promise<readonly Answer[]>;
  readonly #maxItems: number;
  #queue: Entry<Item, Answer>[] = [];
  #underWay = 0;

  /** @param send answers each item, in their order. */
  constructor(maxItems: number, send: (items: readonly Item[]) => Promise<readonly Answer[]>) {
    this.#maxItems = maxItems;
    this.#send = send;
  }

  /** Rejects with the error of `send`, which is one for all items that went together. */
  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      if (this.#underWay < MAX_UNDER_WAY) void this.#next();
    });
  }

  async #next(): Promise<void> {
    this.#underWay += 1;
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#maxItems);
      try {
        const answers = await this.#send(batch.map(({ item }) => item));
        for (const [i, { resolve }] of batch.entries()) resolve(answers[i] as Answer);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#underWay -= 1;
  }
}
