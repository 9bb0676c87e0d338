// Keeps one session alive: beats while the store answers, and notices when it does not.

import { after, systemRandom } from '../../kit.ts';
import type { Session } from './session.ts';
import type { LeasePulse } from './store.ts';
import { type Clocks, momentOf, type SessionTimes } from './times.ts';

export interface BeatsHost {
  /** Something is held, asked for, or on its way back. If not for a whole ttl, the session ends. */
  isBusy(): boolean;
  beat(): Promise<LeasePulse | null>;
  /**
   * The answer of a beat. `isCurrent`: nothing was granted or given back since it was sent. `null`:
   * the store does not know the session any more.
   */
  answered(pulse: LeasePulse | null, isCurrent: boolean): void;
  failed(error: unknown): void;
  /** It was idle for a whole ttl. */
  idle(): void;
}

/** How soon a beat that failed is repeated, and how far beats stay from the end of a holder. */
const RETRY_MS = 200;
const MARGIN_MS = 10;

export class Beats {
  readonly #session: Session;
  readonly #clocks: Clocks;
  readonly #times: SessionTimes;
  readonly #host: BeatsHost;
  #stopTimer: () => void = () => {};
  #stopGuard: () => void = () => {};
  /** When the next beat is due. */
  #dueMs = Infinity;
  /** Its timer does not hold the process. */
  #isOnIdleClock = false;
  #isBeating = false;
  /** A beat is wanted while one is under way. */
  #wantsMore = false;
  #idleSinceMs: number | undefined;

  constructor(session: Session, clocks: Clocks, times: SessionTimes, host: BeatsHost) {
    this.#session = session;
    this.#clocks = clocks;
    this.#times = times;
    this.#host = host;
  }

  start(): void {
    this.#guard();
    this.#schedule(this.#times.beatMs);
  }

  /** News may have been missed. */
  soon(): void {
    if (this.#isBeating) this.#wantsMore = true;
    else this.#schedule(0);
  }

  /** Something is asked for: from now on the process is held. */
  wanted(): void {
    if (this.#isOnIdleClock && !this.#isBeating) this.#schedule(this.#dueMs - this.#clocks.busy.now());
  }

  stop(): void {
    this.#stopTimer();
    this.#stopGuard();
  }

  /** The timer says when the session is no good any more, if nothing asks it before. */
  #guard(): void {
    this.#stopGuard();
    this.#stopGuard = after(this.#clocks.idle, this.#session.goodForMs, () => {
      if (this.#session.isGood()) this.#guard();
    });
  }

  #schedule(ms: number): void {
    this.#stopTimer();
    if (this.#session.isOver) return;
    const { busy, idle } = this.#clocks;
    this.#dueMs = busy.now() + ms;
    this.#isOnIdleClock = !this.#host.isBusy();
    this.#stopTimer = after(this.#isOnIdleClock ? idle : busy, ms, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    if (this.#isIdleForLong()) {
      this.#host.idle();
      return;
    }
    this.#isBeating = true;
    this.#wantsMore = false;
    const nextMs = await this.#ask();
    this.#isBeating = false;
    this.#schedule(this.#wantsMore ? 0 : nextMs);
  }

  /** Beats once. Returns in how many ms the next beat is due. */
  async #ask(): Promise<number> {
    const session = this.#session;
    const { beatMs } = this.#times;
    const sent = momentOf(this.#clocks.busy);
    const { changes } = session;
    try {
      const pulse = await this.#host.beat();
      // An answer that comes too late renews nothing: the leases were lost before.
      if (!session.isGood()) return beatMs;
      this.#host.answered(pulse, changes === session.changes);
      // After that: an answer that cannot be read renews nothing.
      if (pulse !== null) {
        session.renew(sent);
        this.#guard();
      }
      // Who waits for a holder that does not beat asks as soon as its slots are free.
      const nextMs = pulse?.nextMs ?? Infinity;
      return Math.min(beatMs, Math.max(0, nextMs) + MARGIN_MS);
    } catch (error) {
      this.#host.failed(error);
      this.#wantsMore = false; // the failure may be why news were lost, and the beat is repeated anyway
      return Math.min(beatMs, RETRY_MS * (0.5 + systemRandom() / 2));
    }
  }

  #isIdleForLong(): boolean {
    const nowMs = this.#clocks.busy.now();
    if (this.#host.isBusy()) this.#idleSinceMs = undefined;
    else this.#idleSinceMs ??= nowMs;
    return this.#idleSinceMs !== undefined && nowMs - this.#idleSinceMs >= this.#times.ttlMs;
  }
}
