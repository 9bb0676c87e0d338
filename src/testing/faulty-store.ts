// A lease store between a client and another lease store, which plays the faults of a network. It
// needs no help of the store behind it.

import type {
  AskAnswer,
  FleetLook,
  HeldSlot,
  LeaseAsk,
  LeaseNews,
  LeasePulse,
  LeaseStore,
  LookAsk,
} from '../ext/fleet/index.ts';

/** The operations of a store that can fail. */
export type StoreOperation = Exclude<keyof LeaseStore, 'isPermanent' | 'close'>;

/**
 * What becomes of a call.
 *
 * - `failBefore`: it fails, and nothing was done.
 * - `failAfter`: it is done, and the answer is lost.
 * - `twice`: it is done twice. The last answer counts.
 * - `hangBefore`: it does not reach the store before `letGo()`.
 * - `hangAfter`: it is done, and the answer comes with `letGo()`.
 */
export type StoreFault = 'failBefore' | 'failAfter' | 'twice' | 'hangBefore' | 'hangAfter';

/** What becomes of news. `held`: they are kept in `heldNews` until `deliverNews()`. */
export type NewsFault = 'pass' | 'lost' | 'doubled' | 'held';

/** An error of a {@link FaultyStore}. */
export class StoreTrouble extends Error {
  override readonly name = 'StoreTrouble';
  /** No repetition mends it. */
  readonly isPermanent: boolean;

  constructor(message: string, isPermanent = false) {
    super(message);
    this.isPermanent = isPermanent;
  }
}

interface Planned {
  readonly operation: StoreOperation;
  readonly fault: StoreFault;
  readonly error: unknown;
}

interface Listener {
  readonly hear: (news: LeaseNews) => void;
  readonly broken: () => void;
}

export class FaultyStore implements LeaseStore {
  /** The calls in their order: `acquire slot wait`, `release slot 7`, `beat`. */
  readonly calls: string[] = [];
  news: NewsFault = 'pass';
  /** In the order of arrival. A test may change the order. */
  readonly heldNews: LeaseNews[] = [];
  isClosed = false;
  /** How many calls have not settled. */
  pending = 0;
  readonly #inner: LeaseStore;
  readonly #planned: Planned[] = [];
  readonly #listeners = new Set<Listener>();
  #hanging: (() => void)[] = [];
  #isCut = false;

  constructor(inner: LeaseStore) {
    this.#inner = inner;
  }

  /** Plans a fault for the next `times` calls of an operation that have none yet. */
  plan(
    operation: StoreOperation,
    fault: StoreFault,
    { times = 1, error = new StoreTrouble(fault) as unknown } = {},
  ): void {
    for (let n = 0; n < times; n += 1) this.#planned.push({ operation, fault, error });
  }

  /** Ends the plans that no call has met. */
  clearPlans(): void {
    this.#planned.length = 0;
  }

  /** How many calls hang. */
  get hanging(): number {
    return this.#hanging.length;
  }

  /** Lets all calls go on that hang. */
  letGo(): void {
    for (const go of this.#hanging.splice(0)) go();
  }

  /**
   * Cuts the network: calls fail, answers under way are lost, and so are news. The end of the cut
   * is a reconnection: news may have been lost.
   */
  cut(isCut: boolean): void {
    const isBack = this.#isCut && !isCut;
    this.#isCut = isCut;
    if (isBack) for (const { broken } of [...this.#listeners]) broken();
  }

  /** Delivers the news that were held. */
  deliverNews(): void {
    for (const news of this.heldNews.splice(0)) this.#hear(news);
  }

  open(session: string, name: string, ttlMs: number): Promise<void> {
    return this.#call('open', 'open', () => this.#inner.open(session, name, ttlMs));
  }
  beat(session: string, waiting: readonly string[]): Promise<LeasePulse | null> {
    return this.#call('beat', 'beat', () => this.#inner.beat(session, waiting));
  }
  acquire(session: string, ask: LeaseAsk): Promise<AskAnswer> {
    return this.#call('acquire', `acquire ${ask.slot} ${ask.mode}`, () => this.#inner.acquire(session, ask));
  }
  release(session: string, held: HeldSlot): Promise<void> {
    return this.#call('release', `release ${held.slot} ${held.fence}`, () => this.#inner.release(session, held));
  }
  withdraw(session: string, slot: string): Promise<void> {
    return this.#call('withdraw', `withdraw ${slot}`, () => this.#inner.withdraw(session, slot));
  }
  holdings(session: string, slot?: string): Promise<ReadonlyMap<string, bigint>> {
    return this.#call('holdings', 'holdings', () => this.#inner.holdings(session, slot));
  }
  look(session: string | undefined, ask: LookAsk): Promise<FleetLook> {
    return this.#call('look', 'look', () => this.#inner.look(session, ask));
  }
  end(session: string): Promise<void> {
    return this.#call('end', 'end', () => this.#inner.end(session));
  }

  async listen(session: string, hear: (news: LeaseNews) => void, broken: () => void): Promise<() => void> {
    const listener = { hear, broken };
    const stop = await this.#call('listen', 'listen', () =>
      this.#inner.listen(session, (news) => this.#pass(news, hear), broken),
    );
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      stop();
    };
  }

  isPermanent(error: unknown): boolean {
    return error instanceof StoreTrouble ? error.isPermanent : this.#inner.isPermanent(error);
  }

  close(): Promise<void> {
    this.isClosed = true;
    return this.#inner.close();
  }

  async #call<T>(operation: StoreOperation, text: string, work: () => Promise<T>): Promise<T> {
    this.calls.push(text);
    this.pending += 1;
    try {
      return await this.#play(this.#planFor(operation), work);
    } finally {
      this.pending -= 1;
    }
  }

  #planFor(operation: StoreOperation): Partial<Planned> {
    const at = this.#planned.findIndex((planned) => planned.operation === operation);
    return at === -1 ? {} : (this.#planned.splice(at, 1)[0] as Planned);
  }

  async #play<T>({ fault, error }: Partial<Planned>, work: () => Promise<T>): Promise<T> {
    if (fault === 'failBefore') throw error;
    if (fault === 'hangBefore') await this.#hang();
    this.#reach();
    if (fault === 'twice') await work();
    const answer = await work();
    if (fault === 'hangAfter') await this.#hang();
    if (fault === 'failAfter') throw error;
    this.#reach();
    return answer;
  }

  #hang(): Promise<void> {
    return new Promise((resolve) => this.#hanging.push(resolve));
  }

  #reach(): void {
    if (this.#isCut) throw new StoreTrouble('the network to the store is cut');
  }

  #pass(news: LeaseNews, hear: (news: LeaseNews) => void): void {
    if (this.#isCut || this.news === 'lost') return;
    if (this.news === 'held') {
      this.heldNews.push(news);
      return;
    }
    hear(news);
    if (this.news === 'doubled') hear(news);
  }

  #hear(news: LeaseNews): void {
    for (const { hear } of [...this.#listeners]) hear(news);
  }
}
