// One slot: its machine and the one interpreter of what the machine decides. Every input goes into the machine, every effect that comes out
// is carried out here, in order, before the call returns.

import { onAbort } from '../kernel/abort-fan.ts';
import { after } from '../kernel/clock.ts';
import { type Deferred, deferred } from '../kernel/deferred.ts';
import type { StopCause } from '../model/error.ts';
import type { Outcome, RejectReason } from '../model/outcome.ts';
import type { SlotView } from '../model/view.ts';
import type { Room } from '../policy/admission.ts';
import { type SlotEffect, SlotMachine, waits } from '../policy/slot.ts';
import { Actor, type ActorHost } from './actor.ts';
import { type LeaseDesk, LOCAL } from './lease-desk.ts';
import type { Runtime } from './runtime.ts';
import { SlotLease } from './slot-lease.ts';
import type { LiveSubmission } from './submission.ts';

export class LiveSlot implements ActorHost {
  readonly name: string;
  readonly machine = new SlotMachine<LiveSubmission>();
  readonly #runtime: Runtime;
  readonly #desk: LeaseDesk;
  /** None where leases are local: there is nothing to ask for, to watch or to give back. */
  #lease: SlotLease | undefined;
  readonly #changed: (slot: LiveSlot) => void;
  /** How many of its submissions waited when the table last looked. */
  counted = 0;
  /** The run of its owner. */
  actor: Actor | undefined;
  /** Those who share the owner's outcome. */
  #joined: Set<LiveSubmission> | undefined;
  #carryingOut = false;
  #ownerGone: Deferred<void> | undefined;
  #idle: Deferred<void> | undefined;

  /** `changed`: effects have been carried out; the slot may have become idle, and its queue longer or shorter. */
  constructor(name: string, runtime: Runtime, desk: LeaseDesk, changed: (slot: LiveSlot) => void) {
    this.name = name;
    this.#runtime = runtime;
    this.#desk = desk;
    this.#changed = changed;
  }

  submit(submission: LiveSubmission, room: Room): void {
    const { clock, ledger, news } = this.#runtime;
    const verdict = this.machine.submit(submission, room);
    // What is turned away needs no place in the ledger, no time and no context: a busy slot says no cheaply. What joins uses its leader's.
    if (submission.place !== 'out') {
      if (verdict !== 'join') submission.begin(clock.now());
      ledger.enter(submission);
    }
    if (verdict === 'join') {
      submission.work = this.actor ?? null;
      this.#joined ??= new Set();
      this.#joined.add(submission);
      const leader = this.machine.owner as LiveSubmission;
      if (news.heard) news.about(submission, { type: 'joined', leader: leader.id });
    }
    this.#carryOut();
    if (submission.place === 'joined') submission.admission = 'joined';
    else if (waits(submission)) {
      submission.admission = verdict === 'start' ? 'waiting' : 'queued';
      if (news.heard) news.about(submission, { type: 'queued', depth: this.machine.pending });
    }
    this.#watch(submission);
  }

  cancel(submission: LiveSubmission, by: StopCause, reason: unknown): void {
    const waitingIsOver: RejectReason = by === 'deadline' ? 'deadline' : 'canceled';
    if (!this.machine.withdraw(submission, waitingIsOver)) this.machine.leave(submission, by, reason);
    this.#carryOut();
  }

  async cancelAll(reason: unknown): Promise<void> {
    this.machine.cancel(reason);
    this.#carryOut();
    if (this.actor === undefined) return;
    this.#ownerGone ??= deferred();
    await this.#ownerGone.promise;
  }

  pause(): void {
    if (this.machine.paused) return;
    this.machine.pause();
    this.#announce('slotPaused');
    this.#carryOut();
  }

  resume(): void {
    if (!this.machine.paused) return;
    this.machine.resume();
    this.#announce('slotResumed');
    this.#carryOut();
  }

  /** Resolves when it has neither owner nor queue. */
  idle(): Promise<void> {
    if (this.#isIdle) return Promise.resolve();
    this.#idle ??= deferred();
    return this.#idle.promise;
  }

  close(): void {
    this.machine.close();
    this.#carryOut();
  }

  view(): SlotView {
    const { name, machine, actor } = this;
    const { phase, paused } = machine;
    return {
      name,
      phase,
      paused,
      ...(actor !== undefined && { owner: actor.submission.view(actor) }),
      queued: [...machine.waiting()].map((one) => one.view()),
    };
  }

  actorEnded(actor: Actor, outcome: Outcome): void {
    const { ledger } = this.#runtime;
    const owner = actor.submission;
    ledger.ownerEnded(outcome, () => owner.view(actor));
    const contended = this.#lease?.contended === true; // asked first: the store's own code may come back here
    const sharers = [...(this.#joined ?? [])];
    const ownerGone = this.#ownerGone;
    this.actor = undefined;
    this.#joined = undefined;
    this.#ownerGone = undefined;
    for (const one of sharers) one.place = 'out'; // they are nobody else's, whoever comes back while they are told
    this.machine.ended(owner, actor.leftBody, contended);
    for (const one of [owner, ...sharers]) ledger.settle(one, outcome, actor.ranMs);
    this.#carryOut();
    ownerGone?.resolve();
    ledger.ownerGone(outcome);
  }

  get #isIdle(): boolean {
    return this.machine.owner === null && this.machine.pending === 0;
  }

  #announce(type: 'slotPaused' | 'slotResumed'): void {
    const { news } = this.#runtime;
    if (news.heard) news.tell({ type, slot: this.name });
  }

  /** Carries out what the machine decided, and what follows from it. Re-entered calls leave their effects to the first one. */
  #carryOut(): void {
    if (this.#carryingOut) return;
    this.#carryingOut = true;
    const { effects } = this.machine;
    for (let i = 0; i < effects.length; i += 1) this.#do(effects[i] as SlotEffect<LiveSubmission>);
    while (effects.length > 0) effects.pop(); // `length = 0` drops the array's store: 50 ns and 150 bytes an effect (measured)
    this.#carryingOut = false;
    if (this.#idle !== undefined && this.#isIdle) {
      this.#idle.resolve();
      this.#idle = undefined;
    }
    this.#changed(this);
  }

  #do(effect: SlotEffect<LiveSubmission>): void {
    switch (effect.do) {
      case 'acquire':
        this.#acquire(effect.asker, effect.request);
        return;
      case 'withdraw':
        this.#lease?.cancelRequest();
        return;
      case 'forget':
        this.#lease?.drop();
        return;
      case 'release':
        this.#lease?.release();
        return;
      case 'start':
        this.#start(effect.entry);
        return;
      case 'stop':
        (this.actor as Actor).requestStop(effect.by, effect.reason);
        return;
      case 'reject':
        this.#reject(effect);
        return;
      case 'leave':
        this.#leave(effect);
    }
  }

  #acquire(asker: LiveSubmission, request: number): void {
    if (this.#desk.isLocal) {
      this.machine.granted(request);
      return;
    }
    this.#lease ??= new SlotLease(this.name, this.machine, this.#desk, () => this.#carryOut());
    this.#lease.acquire(asker, request);
  }

  #start(entry: LiveSubmission): void {
    if (entry.admission === 'rejected') entry.admission = 'started';
    entry.watch?.leftQueue();
    this.#runtime.ledger.started();
    const actor = new Actor(this, this.#runtime, entry, this.#lease?.fence ?? LOCAL.fence);
    entry.work = actor;
    actor.start();
    this.actor = actor;
  }

  #reject({ entry, reason, by, error }: Extract<SlotEffect<LiveSubmission>, { do: 'reject' }>): void {
    const { ledger } = this.#runtime;
    if (error !== undefined) ledger.settle(entry, { kind: 'rejected', reason, error });
    else if (by !== null) ledger.settle(entry, { kind: 'rejected', reason, by: by.id });
    else ledger.settle(entry, { kind: 'rejected', reason });
  }

  #leave({ entry, owner, by, reason }: Extract<SlotEffect<LiveSubmission>, { do: 'leave' }>): void {
    const { actor } = this;
    if (actor?.submission !== owner) return; // it has ended meanwhile, and with it all who shared it
    const joined = this.#joined as Set<LiveSubmission>;
    joined.delete(entry);
    if (actor.subject === entry) actor.subject = joined.values().next().value ?? null;
    const given = reason === undefined ? {} : { reason };
    this.#runtime.ledger.settle(entry, { kind: 'canceled', by, ...given, attempts: actor.attempts }, actor.ranMs);
  }

  /** Deadline, time in the queue and the caller's signal. Most ask for none of them, and pay for none. */
  #watch(submission: LiveSubmission): void {
    const { signal, deadlineMs, queueTimeoutMs } = submission.settings;
    if (submission.ended || (signal === undefined && deadlineMs === Infinity && queueTimeoutMs === Infinity)) return;
    if (submission.isUnwanted) {
      submission.cancelBy('signal', (signal as AbortSignal).reason); // by a lease store, while it was asked
      return;
    }
    const { clock } = this.#runtime;
    const leaveSignal = signal && onAbort(signal, (reason) => submission.cancelBy('signal', reason));
    const stopDeadline = after(clock, deadlineMs, () => submission.cancelBy('deadline', undefined));
    const leftQueue = after(clock, waits(submission) ? queueTimeoutMs : Infinity, () => {
      this.machine.withdraw(submission, 'queueTimeout');
      this.#carryOut();
    });
    submission.watch = {
      leftQueue,
      end() {
        leaveSignal?.();
        stopDeadline();
        leftQueue();
      },
    };
  }
}
