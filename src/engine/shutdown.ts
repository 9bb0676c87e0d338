// The shutdown of a supervisor: one operation, shared by all callers. policy/shutdown.ts decides
// the steps; this file carries them out.

import { after } from '../kernel/clock.ts';
import { deferred, ignore } from '../kernel/deferred.ts';
import { OUTCOME_KINDS, type Outcome } from '../model/outcome.ts';
import type { ShutdownCause, ShutdownReport } from '../model/view.ts';
import {
  KILL_PATIENCE_MS,
  OPEN,
  type ShutdownEffect,
  type ShutdownInput,
  type ShutdownState,
  shutdownStep,
} from '../policy/shutdown.ts';
import type { LeaseStore } from './lease-store.ts';
import type { Runtime } from './runtime.ts';
import type { Slots } from './slots.ts';

export class Shutdown {
  readonly #runtime: Runtime;
  readonly #slots: Slots;
  readonly #store: LeaseStore;
  readonly #subscriberGraceMs: number;
  readonly #closed = deferred<ShutdownReport>();
  #state: ShutdownState = OPEN;
  #stopTimer: () => void = () => {};

  constructor(runtime: Runtime, slots: Slots, store: LeaseStore, subscriberGraceMs: number) {
    this.#runtime = runtime;
    this.#slots = slots;
    this.#store = store;
    this.#subscriberGraceMs = subscriberGraceMs;
  }

  get phase(): 'open' | 'draining' | 'closed' {
    const { phase } = this.#state;
    return phase === 'open' || phase === 'closed' ? phase : 'draining';
  }

  get closed(): Promise<ShutdownReport> {
    return this.#closed.promise;
  }

  /**
   * The first call begins the shutdown. A later call with a shorter grace hastens it. All calls end
   * together.
   */
  begin(cause: ShutdownCause, graceMs: number): Promise<ShutdownReport> {
    const nowMs = this.#runtime.clock.now();
    if (this.#state.phase === 'open') {
      this.#runtime.events.listening?.publish({ type: 'shutdownStarted', cause, graceMs });
      this.#step({ kind: 'begin', cause, graceMs, nowMs });
    } else this.#step({ kind: 'hasten', graceMs, nowMs });
    return this.closed;
  }

  /** Nothing is live. Checked again on a later turn, when the slots are consistent. */
  ledgerEmptied(): void {
    if (this.#state.phase === 'open') return;
    this.#runtime.turns.push({
      onTurn: () => {
        if (this.#runtime.ledger.empty) this.#step({ kind: 'empty' });
      },
    });
  }

  #step(input: ShutdownInput): void {
    const { state, effects } = shutdownStep(this.#state, input);
    this.#state = state;
    for (const effect of effects) this.#do(effect);
  }

  #do(effect: ShutdownEffect): void {
    const { clock } = this.#runtime;
    switch (effect.do) {
      case 'stopAll':
        this.#runtime.ledger.keepRecord();
        this.#slots.close();
        this.ledgerEmptied();
        return;
      case 'graceUntil':
        this.#until(effect.atMs, () =>
          this.#afterStopRequests(() => this.#step({ kind: 'graceOver', nowMs: Math.max(clock.now(), effect.atMs) })),
        );
        return;
      case 'killOrAbandon':
        for (const actor of this.#slots.actors) actor.force();
        return;
      case 'patienceUntil':
        this.#until(effect.atMs, () => this.#step({ kind: 'patienceOver' }));
        return;
      case 'abandonRest':
        for (const actor of this.#slots.actors) actor.abandon();
        return;
      case 'flush':
        this.#stopTimer();
        ignore(this.#flush(effect.withinGrace));
        return;
      case 'report':
        this.#closed.resolve(this.#report(effect.cause, effect.withinGrace));
    }
  }

  #until(atMs: number, fire: () => void): void {
    const { clock } = this.#runtime;
    this.#stopTimer();
    this.#stopTimer = after(clock, Math.max(0, atMs - clock.now()), fire);
  }

  /** Waits one turn, so that every body sees its stop request first, even with `graceMs: 0`. */
  #afterStopRequests(go: () => void): void {
    this.#runtime.turns.push({ onTurn: () => this.#until(this.#runtime.clock.now(), go) });
  }

  async #flush(withinGrace: boolean): Promise<void> {
    const { events, ledger } = this.#runtime;
    const stuck = ledger.abandonedViews.map(({ name }) => name);
    events.listening?.publish({ type: 'shutdownFinished', withinGrace, stuck });
    await Promise.all([events.flush(this.#subscriberGraceMs), this.#closeStore()]);
    this.#step({ kind: 'flushed' });
  }

  /** Waits for the lease store no longer than for a kill. */
  async #closeStore(): Promise<void> {
    const over = deferred<void>();
    const stopTimer = after(this.#runtime.clock, KILL_PATIENCE_MS, over.resolve);
    await Promise.race([this.#store.idle(), over.promise]);
    await Promise.race([this.#store.close(), over.promise]);
    stopTimer();
  }

  #report(cause: ShutdownCause, withinGrace: boolean): ShutdownReport {
    const { totals, killed, abandonedViews } = this.#runtime.ledger;
    const counts = Object.fromEntries(OUTCOME_KINDS.map((kind) => [kind, totals[kind]])) as Record<
      Outcome['kind'],
      number
    >;
    return {
      withinGrace,
      cause,
      counts,
      killed: [...killed],
      abandoned: abandonedViews,
      eventsDropped: this.#runtime.events.lost,
    };
  }
}
