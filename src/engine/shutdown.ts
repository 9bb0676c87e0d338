// The shutdown of a supervisor: one operation, shared by all callers. policy/shutdown.ts decides
// the steps; this file carries them out.

import { after } from '../kernel/clock.ts';
import { deferred, ignore } from '../kernel/deferred.ts';
import { Queue } from '../kernel/queue.ts';
import { OUTCOME_KINDS, type Outcome } from '../model/outcome.ts';
import { record } from '../model/record.ts';
import type { ShutdownCause, ShutdownReport, Stats } from '../model/view.ts';
import {
  KILL_PATIENCE_MS,
  type Moment,
  OPEN,
  type ShutdownEffect,
  type ShutdownInput,
  type ShutdownState,
  type ShutdownTimes,
  shutdownStep,
} from '../policy/shutdown.ts';
import type { LeaseStore } from './lease-store.ts';
import type { Runtime } from './runtime.ts';
import type { Slots } from './slots.ts';

/** What a shutdown needs of the slots. */
export type ClosingSlots = Pick<
  Slots,
  'close' | 'tell' | 'endFinish' | 'force' | 'abandon' | 'stages' | 'stageIsOver' | 'whenVisited'
>;

export class Shutdown {
  readonly #runtime: Runtime;
  readonly #slots: ClosingSlots;
  readonly #store: LeaseStore;
  readonly #subscriberGraceMs: number;
  readonly #closed = deferred<ShutdownReport>();
  readonly #listeners: (() => void)[] = [];
  readonly #effects = new Queue<ShutdownEffect>();
  #carryingOut = false;
  #dead: ShutdownReport['dead'];
  #state: ShutdownState = OPEN;
  #stopTimer: () => void = () => {};

  constructor(runtime: Runtime, slots: ClosingSlots, store: LeaseStore, subscriberGraceMs: number) {
    this.#runtime = runtime;
    this.#slots = slots;
    this.#store = store;
    this.#subscriberGraceMs = subscriberGraceMs;
  }

  get phase(): Stats['phase'] {
    const { phase } = this.#state;
    return phase === 'open' || phase === 'closed' ? phase : 'closing';
  }

  get closed(): Promise<ShutdownReport> {
    return this.#closed.promise;
  }

  /** Calls `listener` as the shutdown begins, before any slot is closed. It must not throw. */
  onBegin(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /**
   * The first call begins the shutdown. A later call with shorter times hastens it. All calls end
   * together. `dead`: the vital slots that caused it.
   */
  begin(cause: ShutdownCause, times: ShutdownTimes, dead?: ShutdownReport['dead']): Promise<ShutdownReport> {
    if (this.#state.phase === 'open') {
      this.#dead = dead;
      this.#runtime.events.listening?.publish({ type: 'shutdownStarted', cause, ...times });
      this.#step({ kind: 'begin', cause, ...times, ...this.#moment() });
    } else this.#step({ kind: 'hasten', ...times, ...this.#moment() });
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

  /** The next stage may begin. Checked again on a later turn, when the slots are consistent. */
  #stageIsOver(): void {
    this.#runtime.turns.push({
      onTurn: () => {
        if (this.#slots.stageIsOver) this.#step({ kind: 'stageOver', ...this.#moment() });
      },
    });
  }

  #moment(): Moment {
    const begun = this.#state.phase === 'closing' ? this.#state.stage : -Infinity;
    return { nowMs: this.#runtime.clock.now(), stages: this.#slots.stages(begun) };
  }

  /**
   * The lease store is called by the effects, and may call `shutdown`. A re-entered step leaves its
   * effects to the outer one, so that they come in their order.
   */
  #step(input: ShutdownInput): void {
    const { state, effects } = shutdownStep(this.#state, input);
    this.#state = state;
    for (const effect of effects) this.#effects.push(effect);
    if (this.#carryingOut) return;
    this.#carryingOut = true;
    for (let effect = this.#effects.take(); effect; effect = this.#effects.take()) this.#do(effect);
    this.#carryingOut = false;
  }

  #do(effect: ShutdownEffect): void {
    switch (effect.do) {
      case 'close':
        for (const listener of this.#listeners.splice(0)) listener();
        this.#runtime.ledger.keepRecord();
        this.#slots.close(
          () => this.#step({ kind: 'stageOver', ...this.#moment() }),
          () => this.#stageIsOver(),
        );
        this.ledgerEmptied();
        return;
      case 'tell':
        this.#slots.tell(effect.stage);
        return;
      case 'endFinish':
        this.#slots.endFinish();
        return;
      case 'wakeAt':
        this.#wakeAt(effect.atMs);
        return;
      case 'killOrAbandon':
        this.#slots.force();
        return;
      case 'patience':
        this.#slots.whenVisited(() => this.#wakeAfterPatience(effect.ms));
        return;
      case 'abandonRest':
        this.#slots.abandon();
        return;
      case 'flush':
        this.#stopTimer();
        ignore(this.#flush());
        return;
      case 'report':
        this.#closed.resolve(this.#report(effect.cause));
    }
  }

  /**
   * Waits until all slots know what was decided before, and one turn more, so that every body sees
   * its stop request before the force, even with `graceMs: 0`. A timer that fired counts as on
   * time.
   */
  #wakeAt(atMs: number): void {
    const wake = (): void => {
      const { nowMs, stages } = this.#moment();
      this.#step({ kind: 'time', nowMs: Math.max(nowMs, atMs), stages });
    };
    const turn = {
      onTurn: () => {
        // Once the force has begun, the timer is that of its patience.
        if (this.#state.phase === 'closing') this.#after(0, wake);
      },
    };
    this.#after(atMs - this.#runtime.clock.now(), () => this.#slots.whenVisited(() => this.#runtime.turns.push(turn)));
  }

  /** From the last kill on: each killed body has this time. All may have ended meanwhile. */
  #wakeAfterPatience(ms: number): void {
    if (this.#state.phase === 'forcing') this.#after(ms, () => this.#step({ kind: 'patienceOver' }));
  }

  #after(ms: number, fire: () => void): void {
    this.#stopTimer();
    this.#stopTimer = after(this.#runtime.clock, ms, fire);
  }

  async #flush(): Promise<void> {
    const { events, ledger } = this.#runtime;
    const stuck = ledger.abandonedViews.map(({ name }) => name);
    events.listening?.publish({ type: 'shutdownFinished', clean: ledger.clean, stuck });
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

  #report(cause: ShutdownCause): ShutdownReport {
    const { totals, clean, killed, abandonedViews } = this.#runtime.ledger;
    const counts = Object.fromEntries(OUTCOME_KINDS.map((kind) => [kind, totals[kind]])) as Record<
      Outcome['kind'],
      number
    >;
    return record({
      clean,
      cause,
      ...(this.#dead !== undefined && { dead: this.#dead }),
      counts,
      killed: [...killed],
      abandoned: abandonedViews,
      eventsDropped: this.#runtime.events.lost,
    });
  }
}
