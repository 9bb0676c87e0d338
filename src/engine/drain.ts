// The shutdown: one operation, shared by all who ask for it. policy/drain decides the steps; here they are carried out.

import { after } from '../kernel/clock.ts';
import { deferred, ignore } from '../kernel/deferred.ts';
import type { Outcome } from '../model/outcome.ts';
import type { ShutdownCause, ShutdownReport } from '../model/view.ts';
import {
  type DrainEffect,
  type DrainInput,
  type DrainState,
  drainStep,
  KILL_PATIENCE_MS,
  OPEN,
} from '../policy/drain.ts';
import type { LeaseDesk } from './lease-desk.ts';
import type { Runtime } from './runtime.ts';
import type { Slots } from './slots.ts';

export class Drain {
  readonly #runtime: Runtime;
  readonly #slots: Slots;
  readonly #desk: LeaseDesk;
  readonly #subscriberGraceMs: number;
  readonly #closed = deferred<ShutdownReport>();
  #state: DrainState = OPEN;
  #cause!: ShutdownCause;
  #withinGrace = true;
  #stopTimer: () => void = () => {};

  constructor(runtime: Runtime, slots: Slots, desk: LeaseDesk, subscriberGraceMs: number) {
    this.#runtime = runtime;
    this.#slots = slots;
    this.#desk = desk;
    this.#subscriberGraceMs = subscriberGraceMs;
  }

  get phase(): 'open' | 'draining' | 'closed' {
    const { phase } = this.#state;
    return phase === 'open' || phase === 'closed' ? phase : 'draining';
  }

  get closed(): Promise<ShutdownReport> {
    return this.#closed.promise;
  }

  /** The first call begins; a later one with a shorter grace hastens. All of them end together. */
  begin(cause: ShutdownCause, graceMs: number): Promise<ShutdownReport> {
    const nowMs = this.#runtime.clock.now();
    if (this.#state.phase === 'open') {
      this.#cause = cause;
      const { news } = this.#runtime;
      if (news.heard) news.tell({ type: 'shutdownStarted', cause, graceMs });
      this.#step({ kind: 'begin', graceMs, nowMs });
    } else this.#step({ kind: 'hasten', graceMs, nowMs });
    return this.closed;
  }

  /** On a turn of its own: the slots' books are in order then. */
  #emptySoon(): void {
    this.#runtime.pump.push({
      run: () => {
        if (this.#runtime.ledger.empty) this.#step({ kind: 'empty' });
      },
    });
  }

  #step(input: DrainInput): void {
    const { state, effects } = drainStep(this.#state, input);
    this.#state = state;
    for (const effect of effects) this.#do(effect);
  }

  #do(effect: DrainEffect): void {
    const { clock } = this.#runtime;
    switch (effect.do) {
      case 'stopAll':
        this.#runtime.ledger.keepRecord();
        this.#runtime.ledger.onEmpty = () => this.#emptySoon();
        this.#slots.close();
        this.#emptySoon();
        return;
      case 'graceUntil':
        this.#until(effect.atMs, () =>
          this.#afterTelling(() => this.#step({ kind: 'graceOver', nowMs: Math.max(clock.now(), effect.atMs) })),
        );
        return;
      case 'killOrAbandon':
        this.#withinGrace = false;
        for (const actor of this.#slots.actors) actor.force();
        return;
      case 'patienceUntil':
        this.#until(effect.atMs, () => this.#step({ kind: 'patienceOver' }));
        return;
      case 'abandonRest':
        for (const actor of this.#slots.actors) actor.giveUp();
        return;
      case 'flush':
        this.#stopTimer();
        ignore(this.#flush());
        return;
      case 'report':
        this.#closed.resolve(this.#report());
    }
  }

  #until(atMs: number, fire: () => void): void {
    const { clock } = this.#runtime;
    this.#stopTimer();
    this.#stopTimer = after(clock, Math.max(0, atMs - clock.now()), fire);
  }

  /** However many there are and however short the grace is: each has been told to stop, and has had a turn to end. */
  #afterTelling(go: () => void): void {
    this.#runtime.pump.push({ run: () => this.#until(this.#runtime.clock.now(), go) });
  }

  async #flush(): Promise<void> {
    const { news } = this.#runtime;
    const stuck = this.#runtime.ledger.abandonedViews.map(({ name }) => name);
    if (news.heard) news.tell({ type: 'shutdownFinished', withinGrace: this.#withinGrace, stuck });
    await Promise.all([news.drain(this.#subscriberGraceMs), this.#closeStore()]);
    this.#step({ kind: 'flushed' });
  }

  /** A store that hangs is not waited for longer than a kill. */
  async #closeStore(): Promise<void> {
    const over = deferred<void>();
    const stopTimer = after(this.#runtime.clock, KILL_PATIENCE_MS, over.resolve);
    await Promise.race([this.#desk.idle(), over.promise]);
    await Promise.race([this.#desk.close(), over.promise]);
    stopTimer();
  }

  #report(): ShutdownReport {
    const { completed, failed, fatal, canceled, killed, abandoned, rejected } = this.#runtime.ledger.totals;
    const counts: Record<Outcome['kind'], number> = { completed, failed, fatal, canceled, killed, abandoned, rejected };
    return {
      withinGrace: this.#withinGrace,
      cause: this.#cause,
      counts,
      killed: [...this.#runtime.ledger.killed],
      abandoned: this.#runtime.ledger.abandonedViews,
      eventsDropped: this.#runtime.news.lost,
    };
  }
}
