// The client of a store: gets, keeps and gives back the slots of this process.
//
// - What a lease is worth is decided by the clocks of this process. A session is good for so long
//   after the sending of the last beat that was answered (session.ts, beats.ts).
// - Who holds a slot is decided by the store. News are hints that save time. Each beat reads what
//   counts, so news that were lost cost one beat.
// - A call that failed is repeated: each one names what it is about, and is safe to repeat.

import type { LeaseAnswer, LeaseRequest, SlotLeases } from '../../index.ts';
import { after, isAborted, onAbort, parse, refuse } from '../../kit.ts';
import { Delays } from './delay.ts';
import { FLEET_DEFAULTS, FLEET_READERS, type FleetOperation, type FleetOptions } from './options.ts';
import { type Grant, Request } from './request.ts';
import type { Session } from './session.ts';
import { Sessions } from './sessions.ts';
import { checkSlotName } from './slot-name.ts';
import { type AskAnswer, checkStore, type HeldSlot, type LeaseNews, type LeaseStore } from './store.ts';
import { type Clocks, clocksOf, type SessionTimes, timesOf } from './times.ts';
import { Troubles } from './troubles.ts';

/** Figures of a lease store, for a look inside. All counts are since it was made. */
export interface FleetStats {
  /** The id of the present session. `undefined` while there is none. */
  readonly session: string | undefined;
  /** The time since the last beat was sent that the store has answered, in ms. */
  readonly ageMs: number | undefined;
  /** The slots that this process has. */
  readonly held: number;
  /** The requests that are not answered: they wait in line, or the store does not answer. */
  readonly asking: number;
  /** Sessions that were opened. */
  readonly opened: number;
  /** Beats that were answered. */
  readonly beats: number;
  /** Slots that were lost: no beat was answered in time, or the store forgot them. */
  readonly lost: number;
  /** Slots that the store held for this process, of which it knew nothing. They were given back. */
  readonly strays: number;
  /** Errors of the store. */
  readonly errors: number;
}

/** The lease store of one supervisor, over a store that processes share. */
export interface FleetLeases extends SlotLeases {
  readonly ttlMs: number;
  open(): void;
  close(): Promise<void>;
  stats(): FleetStats;
}

/**
 * Makes the lease store of one supervisor, over `store`. It calls nothing before the first
 * submission. While nothing is held or asked for, nothing of it keeps the process alive, and its
 * session ends after `ttlMs`.
 *
 * @throws OptionError for an invalid option, and for a store that lacks an operation.
 */
export function fleetLeases(store: LeaseStore, options: FleetOptions = {}): FleetLeases {
  checkStore(store);
  return new Fleet(store, parse('options', options, FLEET_READERS, FLEET_DEFAULTS));
}

type Settings = ReturnType<typeof parse<typeof FLEET_DEFAULTS>>;

class Fleet implements FleetLeases {
  readonly ttlMs: number;
  readonly #store: LeaseStore;
  readonly #patienceMs: number;
  readonly #clocks: Clocks;
  readonly #times: SessionTimes;
  readonly #troubles: Troubles;
  readonly #sessions: Sessions;
  /** By slot: a supervisor has one request for a slot at a time. */
  readonly #requests = new Map<string, Request>();
  /** Requests that are being called off. The next one for the slot waits for that. */
  readonly #withdrawals = new Map<string, Promise<void>>();
  /** How many calls are giving a slot back. */
  readonly #returns = new Map<string, number>();
  readonly #delays = new Set<Delays>();
  #strays = 0;
  #lost = 0;
  /** Beats in a row by which the store held more slots for this process than it knows. */
  #surpluses = 0;
  #isOpen = false;
  #isClosed = false;

  constructor(store: LeaseStore, settings: Settings) {
    const { ttlMs, patienceMs = ttlMs / 3, clock, onTrouble, name } = settings;
    this.ttlMs = ttlMs;
    this.#store = store;
    this.#patienceMs = patienceMs;
    this.#clocks = clocksOf(clock);
    this.#times = timesOf(ttlMs);
    this.#troubles = new Troubles(store, onTrouble);
    this.#sessions = new Sessions(store, name, this.#clocks, this.#times, this.#troubles, {
      waiting: (session) => this.#waiting(session),
      hear: (session, news) => this.#hear(session, news),
      counted: (session, held) => this.#compare(session, held),
      ended: (session) => this.#askAnew(session),
      isWanted: () => this.#requests.size > 0,
      isBusy: () => this.#requests.size + this.#withdrawals.size + this.#returns.size > 0,
      giveBack: (session, held) => this.#giveBack(session, held),
      askFence: async (session, slot) => (await this.#store.holdings(session.id, slot)).get(slot),
    });
  }

  open(): void {
    if (this.#isOpen) refuse('leases', 'must be of one supervisor: make a lease store for each', this);
    this.#isOpen = true;
  }

  acquire({ slot, policy, signal, urgent }: LeaseRequest): Promise<LeaseAnswer> {
    checkSlotName(slot);
    if (this.#isClosed) throw new Error('the lease store is closed');
    if (this.#requests.has(slot)) throw new Error(`slot ${JSON.stringify(slot)} is being asked for already`);
    const mode = policy === 'dropIfRunning' ? 'try' : policy === 'replace' ? 'urgent' : 'wait';
    const request = new Request(slot, mode, new Delays(this.#clocks.busy, this.#times.beatMs));
    this.#requests.set(slot, request);
    if (isAborted(signal)) this.#callOff(request);
    else {
      this.#watch(request, signal, urgent);
      this.#ask(request);
    }
    return request.answer;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const delays of this.#delays) delays.end();
    for (const request of this.#requests.values()) this.#fail(request, new Error('the lease store is closed'));
    await this.#sessions.close();
    await this.#store.close();
  }

  stats(): FleetStats {
    const session = this.#sessions.current;
    const { opened, beats, lost } = this.#sessions.counts;
    return {
      session: session?.id,
      ageMs: session?.ageMs,
      held: session?.size ?? 0,
      asking: this.#requests.size,
      opened,
      beats,
      lost: lost + this.#lost,
      strays: this.#strays,
      errors: this.#troubles.count,
    };
  }

  // Asking

  #watch(request: Request, signal: AbortSignal, urgent: AbortSignal): void {
    const stops = [onAbort(signal, () => this.#callOff(request))];
    if (request.mode === 'try') stops.push(after(this.#clocks.busy, this.#patienceMs, () => this.#loseHope(request)));
    else if (isAborted(urgent)) request.mode = 'urgent';
    else
      stops.push(
        onAbort(urgent, () => {
          request.mode = 'urgent';
          this.#ask(request);
        }),
      );
    request.stopWatching = () => {
      for (const stop of stops) stop();
    };
  }

  #ask(request: Request): void {
    if (request.isAsking) request.asksAgain = true;
    else void this.#askAtLast(request);
  }

  async #askAtLast(request: Request): Promise<void> {
    request.isAsking = true;
    await this.#withdrawals.get(request.slot);
    while (request.isAsking && !request.hasEnded) await this.#askOnce(request);
  }

  async #askOnce(request: Request): Promise<void> {
    try {
      const session = await this.#sessions.ready();
      if (request.hasEnded) return;
      request.session = session;
      request.asksAgain = false;
      const call = this.#store.acquire(session.id, { slot: request.slot, mode: request.mode });
      request.call = call;
      const answer = await call;
      if (!request.hasEnded) request.isAsking = !this.#take(request, session, answer);
    } catch (error) {
      if (request.hasEnded) return;
      this.#troubles.report(error, 'acquire');
      if (this.#isClosed || this.#troubles.isPermanent(error)) this.#fail(request, error);
      else await request.delays.next();
    }
  }

  /** Returns false if the store is to be asked again. */
  #take(request: Request, session: Session, answer: AskAnswer): boolean {
    const { early } = request;
    request.early = undefined;
    if (answer.state === 'granted') return this.#grant(request, session, answer);
    if (session.isOver) return false;
    switch (answer.state) {
      case 'dead':
        this.#sessions.lose(session, 'the store does not know the session of this process any more');
        return false;
      case 'busy':
        this.#answer(request, null);
        return true;
      case 'waiting':
        request.holderFence = answer.fence;
        if (early !== undefined && early.fence > answer.fence) return this.#grant(request, session, early);
        return !request.asksAgain;
    }
  }

  #grant(request: Request, session: Session, { fence, contended }: Pick<Grant, 'fence' | 'contended'>): boolean {
    const { slot } = request;
    if (session.isGood()) this.#answer(request, session.add(slot, fence, contended));
    else void this.#giveBack(session, { slot, fence, contended }); // nothing ran under it
    return request.hasEnded;
  }

  #answer(request: Request, answer: LeaseAnswer): void {
    request.end();
    this.#requests.delete(request.slot);
    request.resolve(answer);
  }

  #fail(request: Request, error: unknown): void {
    request.end();
    this.#requests.delete(request.slot);
    request.reject(error);
  }

  /** What waits under a session that was given up waits on, under the next one. */
  #askAnew(session: Session): void {
    for (const request of this.#requests.values()) {
      if (request.session !== session) continue;
      request.early = undefined;
      this.#ask(request);
    }
  }

  // Calling off

  /** The answer comes when the store knows. Until then the supervisor does not ask again. */
  #callOff(request: Request): void {
    void this.#withdraw(request).then(() => request.resolve(null));
  }

  #loseHope(request: Request): void {
    void this.#withdraw(request);
    const text = `the lease store has not answered within ${this.#patienceMs} ms`;
    request.reject(new Error(text, { cause: this.#troubles.last }));
  }

  #withdraw(request: Request): Promise<void> {
    const { slot } = request;
    request.end();
    this.#requests.delete(slot);
    const done = this.#withdrawAtLast(request).finally(() => this.#withdrawals.delete(slot));
    this.#withdrawals.set(slot, done);
    return done;
  }

  async #withdrawAtLast(request: Request): Promise<void> {
    const { call, session, slot } = request;
    await call?.catch(() => {}); // it might enter the line after its withdrawal
    if (session !== undefined) await this.#repeat('withdraw', () => this.#store.withdraw(session.id, slot));
  }

  // Giving back

  async #giveBack(session: Session, held: HeldSlot): Promise<void> {
    const { slot } = held;
    this.#returns.set(slot, (this.#returns.get(slot) ?? 0) + 1);
    await this.#repeat('release', () => this.#store.release(session.id, held));
    const left = (this.#returns.get(slot) as number) - 1;
    if (left > 0) this.#returns.set(slot, left);
    else this.#returns.delete(slot);
  }

  /** Until the store has answered, and not at all after an error that lasts: the session expires. */
  async #repeat(operation: FleetOperation, call: () => Promise<void>): Promise<void> {
    const delays = new Delays(this.#clocks.busy, this.#times.beatMs);
    this.#delays.add(delays);
    for (;;) {
      try {
        await call();
        break;
      } catch (error) {
        this.#troubles.report(error, operation);
        if (this.#isClosed || this.#troubles.isPermanent(error)) break;
      }
      await delays.next();
    }
    this.#delays.delete(delays);
  }

  // What the store says

  #waiting(session: Session): string[] {
    const slots: string[] = [];
    for (const request of this.#requests.values()) if (request.session === session) slots.push(request.slot);
    return slots;
  }

  #hear(session: Session, news: LeaseNews): void {
    if (session.isOver) return;
    const { slot } = news;
    const request = this.#requests.get(slot);
    switch (news.kind) {
      case 'granted':
        if (request?.isAsking) request.early = news;
        else if (request === undefined) this.#returnStray(session, slot, news.fence);
        else if (news.fence > request.holderFence && !this.#grant(request, session, news)) this.#ask(request);
        return;
      case 'contended':
      case 'revoked':
        if (session.fenceOf(slot) === news.fence) session.wanted(slot, news.kind === 'revoked');
        else this.#returnStray(session, slot, news.fence);
        return;
      case 'superseded':
        if (request?.isWaiting && request.mode === 'urgent') this.#answer(request, 'superseded');
        return;
      case 'orphan':
        if (request?.isWaiting) this.#ask(request);
    }
  }

  /**
   * Fewer slots in the store than here: a write was lost, as by a failover, and others may have
   * them. More: the answer of a grant or a release was lost; the next beat may know better.
   */
  #compare(session: Session, held: number): void {
    const isMoving = this.#withdrawals.size + this.#returns.size > 0 || this.#isAsking();
    if (isMoving || held <= session.size) this.#surpluses = 0;
    else this.#surpluses += 1;
    if (!isMoving && (held < session.size || this.#surpluses === 2)) void this.#repair(session);
  }

  #isAsking(): boolean {
    for (const { isAsking } of this.#requests.values()) if (isAsking) return true;
    return false;
  }

  async #repair(session: Session): Promise<void> {
    this.#surpluses = 0;
    const known = new Map(session.fences());
    let there: ReadonlyMap<string, bigint>;
    try {
      there = await this.#store.holdings(session.id);
    } catch (error) {
      this.#troubles.report(error, 'holdings'); // the next beat counts again
      return;
    }
    if (session.isOver) return;
    for (const [slot, fence] of known) {
      if (there.get(slot) === fence || session.fenceOf(slot) !== fence) continue;
      this.#lost += 1;
      session.lose(slot, 'the store does not know it any more');
    }
    for (const [slot, fence] of there) this.#returnStray(session, slot, fence);
  }

  /** The store holds this process to have a slot of which nothing is known here. */
  #returnStray(session: Session, slot: string, fence: bigint): void {
    if (session.fenceOf(slot) !== undefined) return;
    if (this.#requests.has(slot) || this.#withdrawals.has(slot) || this.#returns.has(slot)) return;
    this.#strays += 1;
    void this.#giveBack(session, { slot, fence, contended: true });
  }
}
