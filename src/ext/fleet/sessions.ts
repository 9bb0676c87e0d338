// The sessions of this process, one at a time: opens one when it is needed, and gives it up when it
// proves no more that it is alive.

import { Beats } from './beats.ts';
import { Delays } from './delay.ts';
import { Session, type SessionHost } from './session.ts';
import type { LeaseNews, LeaseStore } from './store.ts';
import { type Clocks, momentOf, type SessionTimes } from './times.ts';
import type { Troubles } from './troubles.ts';

export interface SessionsHost extends Omit<SessionHost, 'expired'> {
  /** The slots for which this session waits in line. */
  waiting(session: Session): readonly string[];
  hear(session: Session, news: LeaseNews): void;
  /** How many slots the store holds the session to have, and none has changed hands since. */
  counted(session: Session, held: number): void;
  /** The session was given up: what waits under it asks again. */
  ended(session: Session): void;
  /** Something is asked for. */
  isWanted(): boolean;
  /** Something is asked for, or on its way back. */
  isBusy(): boolean;
}

export class Sessions {
  readonly counts = { opened: 0, beats: 0, lost: 0 };
  readonly #store: LeaseStore;
  readonly #name: string;
  readonly #clocks: Clocks;
  readonly #times: SessionTimes;
  readonly #troubles: Troubles;
  readonly #host: SessionsHost;
  #current: Session | undefined;
  /** Of the present session. */
  #beats: Beats | undefined;
  /** Stops the beats and the news of the present session. */
  #stop: () => void = () => {};
  #opening: Promise<Session> | undefined;
  #delays: Delays | undefined;
  #isClosed = false;

  constructor(
    store: LeaseStore,
    name: string,
    clocks: Clocks,
    times: SessionTimes,
    troubles: Troubles,
    host: SessionsHost,
  ) {
    this.#store = store;
    this.#name = name;
    this.#clocks = clocks;
    this.#times = times;
    this.#troubles = troubles;
    this.#host = host;
  }

  get current(): Session | undefined {
    return this.#current;
  }

  /** The present session, or a fresh one. Rejects if there can be none. */
  ready(): Promise<Session> {
    const session = this.#current;
    if (session?.isGood()) {
      this.#beats?.wanted();
      return Promise.resolve(session);
    }
    this.#opening ??= this.#openAtLast().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Gives a session up. Whatever the store says of it later counts for nothing. */
  lose(session: Session, why: string): void {
    if (session.isOver) return;
    this.counts.lost += session.size;
    this.#leave(session, why);
    this.#host.ended(session);
  }

  /** Ends the present session, unless bodies that were given up are alive under it: it expires. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#delays?.end();
    await this.#opening?.catch(() => {});
    const session = this.#current;
    if (session !== undefined) await this.#end(session, 'the lease store is closed');
  }

  /** One loop for all who wait: a store that is away is not called by each of them. */
  async #openAtLast(): Promise<Session> {
    const delays = new Delays(this.#clocks.busy, this.#times.beatMs);
    this.#delays = delays;
    for (;;) {
      try {
        return await this.#open();
      } catch (error) {
        this.#troubles.report(error, 'open');
        if (this.#isClosed || !this.#host.isWanted() || this.#troubles.isPermanent(error)) throw error;
      }
      await delays.next();
    }
  }

  async #open(): Promise<Session> {
    const host = this.#host;
    const session: Session = new Session(this.#clocks.busy, this.#times, {
      expired: () => this.lose(session, 'no beat was answered in time'),
      giveBack: host.giveBack.bind(host),
      askFence: host.askFence.bind(host),
    });
    const beats = this.#beatsOf(session);
    const stopNews = await this.#store.listen(
      session.id,
      (news) => this.#hear(session, news),
      () => beats.soon(),
    );
    try {
      const sent = momentOf(this.#clocks.busy);
      await this.#store.open(session.id, this.#name, this.#times.ttlMs);
      session.renew(sent);
    } catch (error) {
      stopNews();
      throw error;
    }
    this.counts.opened += 1;
    this.#current = session;
    this.#beats = beats;
    this.#stop = () => {
      beats.stop();
      try {
        stopNews();
      } catch (error) {
        this.#troubles.report(error, 'listen');
      }
    };
    beats.start();
    return session;
  }

  #beatsOf(session: Session): Beats {
    const host = this.#host;
    return new Beats(session, this.#clocks, this.#times, {
      isBusy: () => session.size > 0 || host.isBusy(),
      beat: () => this.#store.beat(session.id, host.waiting(session)),
      answered: (pulse, isCurrent) => {
        this.counts.beats += 1;
        if (pulse === null) {
          this.lose(session, 'the store does not know the session of this process any more');
          return;
        }
        for (const news of pulse.news) this.#hear(session, news);
        if (isCurrent) host.counted(session, pulse.held);
      },
      failed: (error) => this.#troubles.report(error, 'beat'),
      idle: () => void this.#end(session, 'the session was idle'),
    });
  }

  async #end(session: Session, why: string): Promise<void> {
    const isEmpty = session.size === 0;
    this.#leave(session, why);
    if (!isEmpty) return;
    try {
      await this.#store.end(session.id);
    } catch (error) {
      this.#troubles.report(error, 'end'); // it expires
    }
  }

  #leave(session: Session, why: string): void {
    this.#current = undefined;
    session.giveUp(why);
    this.#stop();
  }

  /** News that make no sense cost nothing but a report: the next beat tells what counts. */
  #hear(session: Session, news: LeaseNews): void {
    try {
      this.#host.hear(session, news);
    } catch (error) {
      this.#troubles.report(error, 'listen');
    }
  }
}
