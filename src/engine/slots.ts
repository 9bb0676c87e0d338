// The slots: a table of slot machines and the one interpreter of what they decide. Every input goes into a machine, every effect that
// comes out is carried out here, in order, before the call returns. What it decides itself is only how many slots there may be.

import { onAbort } from '../kernel/abort-fan.ts';
import { after } from '../kernel/clock.ts';
import { deferred } from '../kernel/deferred.ts';
import type { StopCause } from '../model/error.ts';
import type { Outcome, Rejection, RejectReason } from '../model/outcome.ts';
import type { SlotSettings } from '../model/slot-options.ts';
import type { SlotView } from '../model/view.ts';
import type { Room } from '../policy/admission.ts';
import { type SlotEffect, type SlotMachine, waits } from '../policy/slot.ts';
import type { Actor } from './actor.ts';
import type { LeaseDesk } from './lease-desk.ts';
import type { Registry, RegistryHost } from './registry.ts';
import type { Runtime } from './runtime.ts';
import { Seat } from './seat.ts';
import type { LiveSubmission } from './submission.ts';

export interface SlotBounds {
  readonly slots: number;
  readonly pending: number;
}

export class Slots implements RegistryHost {
  readonly #seats = new Map<string, Seat>();
  readonly #configured = new Map<string, SlotSettings>();
  readonly #runtime: Runtime;
  readonly #desk: LeaseDesk;
  readonly #bounds: SlotBounds;
  readonly #defaults: SlotSettings;
  #registry!: Registry;
  #pending = 0;
  #closed = false;
  /** One for all: written for each submission, and read by its machine within the call. */
  readonly #room = { queueLimit: 0, onFull: 'reject' as SlotSettings['onFull'], mayWait: true };
  readonly #answered = (seat: Seat): void => this.#carryOut(seat);

  constructor(runtime: Runtime, desk: LeaseDesk, bounds: SlotBounds, defaults: SlotSettings) {
    this.#runtime = runtime;
    this.#desk = desk;
    this.#bounds = bounds;
    this.#defaults = defaults;
  }

  /** The books below, which report back here. */
  attach(registry: Registry): void {
    this.#registry = registry;
  }

  get pending(): number {
    return this.#pending;
  }
  get size(): number {
    return this.#seats.size;
  }
  /** Who owns a slot now. */
  get actors(): Actor[] {
    return Array.from(this.#seats.values(), ({ actor }) => actor).filter((actor) => actor !== undefined);
  }
  get bounds(): SlotBounds {
    return this.#bounds;
  }

  settings(name: string): SlotSettings {
    return this.#configured.get(name) ?? this.#defaults;
  }

  configure(name: string, settings: SlotSettings): void {
    this.#configured.set(name, settings);
  }

  machine(name: string): SlotMachine<LiveSubmission> | undefined {
    return this.#seats.get(name)?.machine;
  }

  submit(submission: LiveSubmission): void {
    const { news } = this.#runtime;
    this.#registry.submitted(submission);
    const known = this.#seats.get(submission.slot);
    if (known === undefined && this.#seats.size >= this.#bounds.slots) {
      this.reject(submission, { reason: 'resourceLimit' });
      return;
    }
    const seat = known ?? this.#open(submission.slot);
    const verdict = seat.machine.submit(submission, this.#roomIn(submission.slot));
    // What is turned away needs no place in the books, no time and no context: a busy slot says no cheaply. What joins uses its leader's.
    if (submission.place !== 'out') {
      if (verdict !== 'join') submission.begin(this.#runtime.clock.now());
      this.#registry.enter(submission);
    }
    if (verdict === 'join') {
      submission.work = seat.actor ?? null;
      seat.joined ??= new Set();
      seat.joined.add(submission);
      const leader = seat.machine.owner as LiveSubmission;
      if (news.heard) news.about(submission, { type: 'joined', leader: leader.id });
    }
    this.#carryOut(seat);
    if (submission.place === 'joined') submission.admission = 'joined';
    else if (waits(submission)) {
      submission.admission = verdict === 'start' ? 'waiting' : 'queued';
      if (news.heard) news.about(submission, { type: 'queued', depth: seat.pending });
    }
    this.#watch(submission);
  }

  /** Turned away before any slot was asked. */
  reject(submission: LiveSubmission, rejection: Rejection): void {
    this.#registry.settle(submission, { kind: 'rejected', ...rejection });
  }

  cancel(submission: LiveSubmission, by: StopCause, reason: unknown): void {
    const waitingIsOver: RejectReason = by === 'deadline' ? 'deadline' : 'canceled';
    const seat = this.#seats.get(submission.slot);
    if (seat === undefined) return; // left the table, with an end that is being told
    if (!seat.machine.withdraw(submission, waitingIsOver)) seat.machine.leave(submission, by, reason);
    this.#carryOut(seat);
  }

  async cancelSlot(name: string, reason: unknown): Promise<void> {
    const seat = this.#seats.get(name);
    if (seat === undefined) return;
    seat.machine.cancel(reason);
    this.#carryOut(seat);
    if (seat.actor === undefined) return;
    seat.ownerGone ??= deferred();
    await seat.ownerGone.promise;
  }

  pause(name: string): void {
    const seat = this.#seats.get(name) ?? this.#open(name);
    if (seat.machine.paused) return;
    seat.machine.pause();
    if (this.#runtime.news.heard) this.#runtime.news.tell({ type: 'slotPaused', slot: name });
    this.#carryOut(seat);
  }

  resume(name: string): void {
    const seat = this.#seats.get(name);
    if (seat === undefined || !seat.machine.paused) return;
    seat.machine.resume();
    if (this.#runtime.news.heard) this.#runtime.news.tell({ type: 'slotResumed', slot: name });
    this.#carryOut(seat);
  }

  drain(name: string): Promise<void> {
    const seat = this.#seats.get(name);
    if (seat === undefined || seat.quiet) return Promise.resolve();
    seat.drained ??= deferred();
    return seat.drained.promise;
  }

  view(name: string): SlotView {
    const seat = this.#seats.get(name);
    return seat === undefined ? { name, phase: 'idle', paused: false, queued: [] } : seat.view();
  }

  views(): SlotView[] {
    return Array.from(this.#seats.values(), (seat) => seat.view());
  }

  /** Shutdown: nothing more is accepted or started, every owner is told to stop. */
  close(): void {
    this.#closed = true;
    for (const seat of [...this.#seats.values()]) {
      seat.machine.close();
      this.#carryOut(seat);
    }
  }

  ownerEnded(actor: Actor, outcome: Outcome): void {
    const owner = actor.submission;
    const seat = this.#seats.get(owner.slot) as Seat;
    const { contended } = seat; // asked first: the store's own code may come back here
    const { joined, ownerGone } = seat;
    seat.actor = undefined;
    seat.joined = undefined;
    seat.ownerGone = undefined;
    if (joined !== undefined) for (const one of joined) one.place = 'out'; // they are nobody else's, whoever comes back while they are told
    seat.machine.ended(owner, actor.leftBody, contended);
    this.#registry.settle(owner, outcome, actor);
    if (joined !== undefined) for (const one of joined) this.#registry.settle(one, outcome, actor);
    this.#carryOut(seat);
    ownerGone?.resolve();
  }

  #open(name: string): Seat {
    const seat = new Seat(name, this.#desk, this.#answered);
    if (this.#closed) seat.machine.close();
    this.#seats.set(name, seat);
    return seat;
  }

  #roomIn(name: string): Room {
    const { queueLimit, onFull } = this.settings(name);
    const room = this.#room;
    room.queueLimit = queueLimit;
    room.onFull = onFull;
    room.mayWait = this.#pending < this.#bounds.pending;
    return room;
  }

  /** Carries out what the machine decided, and what follows from it. Re-entered calls leave their effects to the first one. */
  #carryOut(seat: Seat): void {
    if (seat.busy) return;
    seat.busy = true;
    const { effects } = seat.machine;
    for (let i = 0; i < effects.length; i += 1) this.#do(seat, effects[i] as SlotEffect<LiveSubmission>);
    while (effects.length > 0) effects.pop(); // `length = 0` drops the array's store: 50 ns and 150 bytes an effect (measured)
    seat.busy = false;
    const pending = seat.machine.inLine + (seat.machine.hasNext ? 1 : 0);
    this.#pending += pending - seat.pending;
    seat.pending = pending;
    if (seat.drained !== undefined && seat.quiet) {
      seat.drained.resolve();
      seat.drained = undefined;
    }
    if (seat.machine.spent && this.#seats.get(seat.name) === seat) this.#seats.delete(seat.name);
  }

  #do(seat: Seat, effect: SlotEffect<LiveSubmission>): void {
    switch (effect.do) {
      case 'acquire':
        seat.acquire(effect.asker, effect.request);
        return;
      case 'withdraw':
        seat.callOff();
        return;
      case 'forget':
        seat.forget();
        return;
      case 'release':
        seat.release();
        return;
      case 'start': {
        const { entry } = effect;
        if (entry.admission === 'rejected') entry.admission = 'started';
        entry.watch?.leftQueue();
        seat.actor = this.#registry.start(entry, seat.fence);
        return;
      }
      case 'stop':
        (seat.actor as Actor).requestStop(effect.by, effect.reason);
        return;
      case 'reject': {
        const { entry, reason, by, error } = effect;
        if (error !== undefined) this.#registry.settle(entry, { kind: 'rejected', reason, error });
        else if (by !== null) this.#registry.settle(entry, { kind: 'rejected', reason, by: by.id });
        else this.#registry.settle(entry, { kind: 'rejected', reason });
        return;
      }
      case 'leave': {
        const { entry, owner, by, reason } = effect;
        const { actor } = seat;
        if (actor?.submission !== owner) return; // it has ended meanwhile, and with it all who shared it
        const joined = seat.joined as Set<LiveSubmission>;
        joined.delete(entry);
        if (actor.subject === entry) actor.subject = joined.values().next().value ?? null;
        const given = reason === undefined ? {} : { reason };
        this.#registry.settle(entry, { kind: 'canceled', by, ...given, attempts: actor.attempts }, actor);
      }
    }
  }

  /** Deadline, time in the queue and the caller's signal. Most ask for none of them, and pay for none. */
  #watch(submission: LiveSubmission): void {
    const { signal, deadlineMs, queueTimeoutMs } = submission.settings;
    if (submission.ended || (signal === undefined && deadlineMs === Infinity && queueTimeoutMs === Infinity)) return;
    if (submission.isUnwanted) {
      this.cancel(submission, 'signal', (signal as AbortSignal).reason); // by a lease store, while it was asked
      return;
    }
    const { clock } = this.#runtime;
    const leaveSignal = signal && onAbort(signal, (reason) => this.cancel(submission, 'signal', reason));
    const stopDeadline = after(clock, deadlineMs, () => this.cancel(submission, 'deadline', undefined));
    const leftQueue = after(clock, waits(submission) ? queueTimeoutMs : Infinity, () =>
      this.#withdraw(submission, 'queueTimeout'),
    );
    submission.watch = {
      leftQueue,
      end() {
        leaveSignal?.();
        stopDeadline();
        leftQueue();
      },
    };
  }

  #withdraw(submission: LiveSubmission, reason: RejectReason): void {
    const seat = this.#seats.get(submission.slot) as Seat;
    seat.machine.withdraw(submission, reason);
    this.#carryOut(seat);
  }
}
