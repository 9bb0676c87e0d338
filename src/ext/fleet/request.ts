// One request of the supervisor for a slot, until it is answered or called off.

import type { LeaseAnswer } from '../../index.ts';
import { deferred } from '../../kit.ts';
import type { Delays } from './delay.ts';
import type { Session } from './session.ts';
import type { AskAnswer, AskMode, LeaseNews } from './store.ts';

export type Grant = Extract<LeaseNews, { kind: 'granted' }>;

export class Request {
  readonly slot: string;
  readonly delays: Delays;
  readonly #answer = deferred<LeaseAnswer>();
  mode: AskMode;
  /** The session that asked last. */
  session: Session | undefined;
  /** The store is being asked: a call of it, a wait between two, or a wait for a session. */
  isAsking = false;
  /** The call of `acquire` that is under way. */
  call: Promise<AskAnswer> | undefined;
  /** Urged, or the holder is gone, while the store is being asked: one more call follows. */
  asksAgain = false;
  /** Heard while the store is being asked. Its answer says what that is worth. */
  early: Grant | undefined;
  /** A grant with no greater fence is late news of an earlier one. */
  holderFence = -1n;
  hasEnded = false;
  /** Removes its listeners and its timer. */
  stopWatching: () => void = () => {};

  constructor(slot: string, mode: AskMode, delays: Delays) {
    this.slot = slot;
    this.mode = mode;
    this.delays = delays;
  }

  get answer(): Promise<LeaseAnswer> {
    return this.#answer.promise;
  }
  /** It waits in line, as far as this process knows. */
  get isWaiting(): boolean {
    return !this.hasEnded && !this.isAsking && this.session?.isOver === false;
  }

  /** No more is done for it. It is not answered yet. */
  end(): void {
    this.hasEnded = true;
    this.stopWatching();
    this.delays.end();
  }
  resolve(answer: LeaseAnswer): void {
    this.#answer.resolve(answer);
  }
  reject(error: unknown): void {
    this.#answer.reject(error);
  }
}
