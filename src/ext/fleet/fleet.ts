// The client of a store: gets, keeps and gives back the slots of this process.
//
// - What a lease is worth is decided by the clocks of this process. A session is good for so long
//   after the sending of the last beat that was answered (session.ts, beats.ts).
// - Who holds a slot is decided by the store. News are hints that save time. Each beat reads what
//   counts, so news that were lost cost one beat.
// - A call that failed is repeated: each one names what it is about, and is safe to repeat.

import type { LeaseAnswer, LeaseRequest, SlotLeases } from '../../index.ts';
import { after, fromCaller, parse, refuse } from '../../kit.ts';
import { checkLook, type FleetLook, type LookAsk, type LookOptions, readLook } from './look.ts';
import { FLEET_DEFAULTS, FLEET_READERS, type FleetOptions, type FleetSettings } from './options.ts';
import { Requests } from './requests.ts';
import { Returns } from './returns.ts';
import type { Session } from './session.ts';
import { Sessions } from './sessions.ts';
import { checkSharedName } from './shared-name.ts';
import { checkStore, type LeaseNews, type LeaseStore } from './store.ts';
import { type Clocks, clocksOf, timesOf } from './times.ts';
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
  /** The option `ttlMs`, in ms. */
  readonly ttlMs: number;
  open(): void;
  close(): Promise<void>;
  /** Figures of now. */
  stats(): FleetStats;
  /**
   * Shows the fleet: all processes with a session, and the slots that are held or waited for whose
   * name contains `q`. Names are as other processes have given them: cut and escape them where they
   * are printed.
   *
   * It changes nothing, and does not make this process a part of the fleet. The store is asked
   * once. A store may read a large fleet in steps: what changes meanwhile is shown as it was, as it
   * is, or not at all.
   *
   * Rejects with the error of the store, where the store does not answer within `ttlMs`, and after
   * `close()`. `onTrouble` hears nothing of it.
   *
   * @throws OptionError for an invalid option, and for a `q` that no name of a slot can contain.
   */
  look(options?: LookOptions): Promise<FleetLook>;
}

/**
 * Makes the lease store of one supervisor, over `store`, which it closes at the end: each has a
 * store of its own. It calls nothing before the first submission. While nothing is held or asked
 * for, nothing of it keeps the process alive, and its session ends after `ttlMs`.
 *
 * @throws OptionError for an invalid option, and for a store that lacks an operation.
 */
export function fleetLeases(store: LeaseStore, options: FleetOptions = {}): FleetLeases {
  return fromCaller(fleetLeases, () => {
    checkStore(store);
    return new Fleet(store, parse('options', options, FLEET_READERS, FLEET_DEFAULTS));
  });
}

class Fleet implements FleetLeases {
  readonly ttlMs: number;
  readonly #store: LeaseStore;
  readonly #troubles: Troubles;
  readonly #returns: Returns;
  readonly #sessions: Sessions;
  readonly #requests: Requests;
  readonly #clocks: Clocks;
  #isOpen = false;
  #isClosed = false;
  #strays = 0;
  #lost = 0;
  /** Beats in a row by which the store held more slots for this process than it knows. */
  #surpluses = 0;

  constructor(store: LeaseStore, settings: FleetSettings) {
    const { ttlMs, patienceMs = ttlMs / 3, name } = settings;
    const clocks = clocksOf(settings.clock);
    const times = timesOf(ttlMs);
    const troubles = new Troubles(store, settings.onTrouble);
    const returns = new Returns(store, clocks, times, troubles);
    const sessions = new Sessions(store, name, clocks, times, troubles, {
      waiting: (session) => this.#requests.waiting(session),
      hear: (session, news) => this.#hear(session, news),
      counted: (session, held) => this.#compare(session, held),
      ended: (session) => this.#requests.sessionEnded(session),
      isWanted: () => this.#requests.size > 0,
      isBusy: () => this.#requests.size + this.#requests.withdrawals + returns.size > 0,
      giveBack: (session, held) => returns.giveBack(session, held),
      askFence: async (session, slot) => (await store.holdings(session.id, slot)).get(slot),
    });
    this.ttlMs = ttlMs;
    this.#store = store;
    this.#clocks = clocks;
    this.#troubles = troubles;
    this.#returns = returns;
    this.#sessions = sessions;
    this.#requests = new Requests({ store, sessions, returns, troubles, clocks, times, patienceMs });
  }

  open(): void {
    if (this.#isOpen) refuse('leases', 'must be of one supervisor: make a lease store for each', this);
    this.#isOpen = true;
  }

  acquire(request: LeaseRequest): Promise<LeaseAnswer> {
    checkSharedName('slot', request.slot);
    return this.#requests.add(request);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#returns.close();
    this.#requests.close();
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

  look(options: LookOptions = {}): Promise<FleetLook> {
    const ask = fromCaller(this.look, () => readLook(options));
    return this.#look(ask);
  }

  async #look(ask: LookAsk): Promise<FleetLook> {
    if (this.#isClosed) throw new Error('the lease store is closed');
    const looking = this.#store.look(this.#sessions.current?.id, ask);
    let stop = (): void => {};
    const late = new Promise<never>((_, reject) => {
      const text = `the lease store has not answered within ${this.ttlMs} ms`;
      stop = after(this.#clocks.busy, this.ttlMs, () => reject(new Error(text)));
    });
    try {
      return checkLook(await Promise.race([looking, late]));
    } finally {
      stop();
    }
  }

  #hear(session: Session, news: LeaseNews): void {
    if (session.isOver) return;
    const { slot } = news;
    if (news.kind === 'contended' || news.kind === 'revoked') {
      if (session.fenceOf(slot) === news.fence) session.wanted(slot, news.kind === 'revoked');
      else this.#compareGrant(session, slot, news.fence);
      return;
    }
    this.#requests.hear(session, news);
    if (news.kind === 'granted') this.#compareGrant(session, slot, news.fence);
  }

  /**
   * Fewer slots in the store than here: a write was lost, as by a failover, and others may have
   * them. More: the answer of a grant or a release was lost, and the next beat may know better.
   */
  #compare(session: Session, held: number): void {
    const isMoving = this.#returns.size > 0 || this.#requests.isMoving;
    if (isMoving || held <= session.size) this.#surpluses = 0;
    else this.#surpluses += 1;
    if (!isMoving && (held < session.size || this.#surpluses === 2)) void this.#repair(session);
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
      if (there.has(slot) || session.fenceOf(slot) !== fence) continue;
      this.#lost += 1;
      session.lose(slot, 'the store does not know it any more');
    }
    for (const [slot, fence] of there) this.#compareGrant(session, slot, fence);
  }

  /**
   * The store holds a slot for this process. It is given back if nothing is known of it here. Where
   * an older grant is known, the store has done a call again, late: the bodies have to end first.
   */
  #compareGrant(session: Session, slot: string, fence: bigint): void {
    if (this.#requests.has(slot) || this.#returns.has(slot)) return;
    const known = session.fenceOf(slot);
    if (known === undefined) {
      this.#strays += 1;
      void this.#returns.giveBack(session, { slot, fence, contended: true });
    } else if (fence > known) {
      this.#lost += 1;
      session.outdate(slot, fence, 'the store has granted it again');
    }
  }
}
