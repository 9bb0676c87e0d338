// The requests of the supervisor: asked until the store has answered, or called off. A supervisor
// has one request for a slot at a time.

import type { LeaseAnswer, LeaseRequest } from '../../index.ts';
import { after, describe, isAborted, onAbort } from '../../kit.ts';
import { Delays } from './delay.ts';
import { type Grant, Request } from './request.ts';
import type { Returns } from './returns.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import { type AskAnswer, type AskMode, checkAnswer, type LeaseNews, type LeaseStore } from './store.ts';
import type { Clocks, SessionTimes } from './times.ts';
import type { Troubles } from './troubles.ts';

export interface RequestTools {
  readonly store: LeaseStore;
  readonly sessions: Sessions;
  readonly returns: Returns;
  readonly troubles: Troubles;
  readonly clocks: Clocks;
  readonly times: SessionTimes;
  readonly patienceMs: number;
}

export class Requests {
  readonly #tools: RequestTools;
  readonly #requests = new Map<string, Request>();
  /** Requests that are being called off. The next one for the slot waits for that. */
  readonly #withdrawals = new Map<string, Promise<void>>();
  #isClosed = false;

  constructor(tools: RequestTools) {
    this.#tools = tools;
  }

  /** How many are not answered. */
  get size(): number {
    return this.#requests.size;
  }
  /** How many are being called off. */
  get withdrawals(): number {
    return this.#withdrawals.size;
  }
  /** Something is asked for, or is being called off. */
  has(slot: string): boolean {
    return this.#requests.has(slot) || this.#withdrawals.has(slot);
  }
  /** A call is under way that may change what this process holds. */
  get isMoving(): boolean {
    if (this.#withdrawals.size > 0) return true;
    for (const { isAsking } of this.#requests.values()) if (isAsking) return true;
    return false;
  }
  /** The slots for which a session waits in line. */
  waiting(session: Session): string[] {
    const slots: string[] = [];
    for (const request of this.#requests.values()) if (request.session === session) slots.push(request.slot);
    return slots;
  }

  add({ slot, policy, signal, urgent }: LeaseRequest): Promise<LeaseAnswer> {
    if (this.#isClosed) throw new Error('the lease store is closed');
    if (this.#requests.has(slot)) throw new Error(`slot ${JSON.stringify(slot)} is being asked for already`);
    const { clocks, times } = this.#tools;
    const mode: AskMode = policy === 'dropIfRunning' ? 'try' : policy === 'replace' ? 'urgent' : 'wait';
    const request = new Request(slot, mode, new Delays(clocks.busy, times.beatMs));
    this.#requests.set(slot, request);
    if (isAborted(signal)) this.#callOff(request);
    else {
      this.#watch(request, signal, urgent);
      this.#ask(request);
    }
    return request.answer;
  }

  /** What the store says of a slot for which something waits, or waited. */
  hear(session: Session, news: LeaseNews): void {
    const request = this.#requests.get(news.slot);
    if (request === undefined) return;
    switch (news.kind) {
      case 'granted':
        if (request.isAsking) request.early = news;
        else if (news.fence > request.holderFence && !this.#grant(request, session, news)) this.#ask(request);
        return;
      case 'superseded':
        if (!request.isWaiting) return;
        if (request.mode === 'urgent') this.#answer(request, 'superseded');
        else this.#ask(request); // late news, or it has lost its place
        return;
      case 'orphan':
        if (request.isWaiting) this.#ask(request);
    }
  }

  /** What waits under a session that was given up waits on, under the next one. */
  sessionEnded(session: Session): void {
    for (const request of this.#requests.values()) {
      if (request.session !== session) continue;
      request.early = undefined;
      this.#ask(request);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const request of this.#requests.values()) this.#fail(request, new Error('the lease store is closed'));
  }

  #watch(request: Request, signal: AbortSignal, urgent: AbortSignal): void {
    const { clocks, patienceMs, troubles } = this.#tools;
    const { count } = troubles;
    const stops = [onAbort(signal, () => this.#callOff(request))];
    if (request.mode === 'try') stops.push(after(clocks.busy, patienceMs, () => this.#loseHope(request, count)));
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
    const { store, sessions, troubles } = this.#tools;
    try {
      const session = await sessions.ready();
      if (request.hasEnded) return;
      request.session = session;
      request.asksAgain = false;
      const call = store.acquire(session.id, { slot: request.slot, mode: request.mode });
      request.call = call;
      const answer = await call;
      if (request.hasEnded) return;
      checkAnswer(answer);
      request.isAsking = !this.#take(request, session, answer);
      if (answer.state === 'dead') await request.delays.next();
    } catch (error) {
      if (request.hasEnded) return;
      troubles.report(error, 'acquire');
      if (this.#isClosed || troubles.isPermanent(error)) this.#fail(request, error);
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
        this.#tools.sessions.lose(session, 'the store does not know the session of this process any more');
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
    else void this.#tools.returns.giveBack(session, { slot, fence, contended }); // nothing ran under it
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

  /** The answer comes when the store knows. Until then the supervisor does not ask again. */
  #callOff(request: Request): void {
    void this.#withdraw(request).then(() => request.resolve(null));
  }

  /** @param errors how many errors there were before the request. */
  #loseHope(request: Request, errors: number): void {
    const { patienceMs, troubles } = this.#tools;
    void this.#withdraw(request);
    const text = `the lease store has not answered within ${Math.round(patienceMs)} ms`;
    if (troubles.count === errors) request.reject(new Error(text));
    else request.reject(new Error(`${text}: ${describe(troubles.last)}`, { cause: troubles.last }));
  }

  #withdraw(request: Request): Promise<void> {
    const { slot } = request;
    request.end();
    this.#requests.delete(slot);
    const done = this.#withdrawAtLast(request).finally(() => this.#withdrawals.delete(slot));
    this.#withdrawals.set(slot, done);
    return done;
  }

  async #withdrawAtLast({ call, session, slot }: Request): Promise<void> {
    let answer: AskAnswer | undefined;
    try {
      answer = await call; // it might enter the line after its withdrawal
    } catch {
      // reported where it was asked
    }
    if (session === undefined) return;
    // A body that was given up still has the slot: a withdrawal would pass it on.
    if (session.fenceOf(slot) === undefined) await this.#tools.returns.withdraw(session, slot);
    else if (answer?.state === 'granted') session.grantedAgain(slot, answer.fence);
  }
}
