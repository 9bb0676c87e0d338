// One slot: its machine, its lease, its actor, and the interpreter of the machine's effects. Every
// input goes to the machine. Every effect is carried out here, in order, before the call returns.
// Over 300 lines because every effect is carried out in one place.

import { onAbort, reasonOf } from '../kernel/abort-listeners.ts';
import { after } from '../kernel/clock.ts';
import { type Deferred, deferred } from '../kernel/deferred.ts';
import type { StopCause } from '../model/error.ts';
import { type Outcome, Rejected } from '../model/outcome.ts';
import { record, recordClass } from '../model/record.ts';
import type { SlotView, TaskView, WaitingFor } from '../model/view.ts';
import type { Admitted, Limits } from '../policy/admission.ts';
import type { Departure } from '../policy/departure.ts';
import { type Flight, firstOf, leaderOf } from '../policy/flight.ts';
import { isCalledOff, isQueued, type SlotEffect, SlotMachine } from '../policy/slot-machine.ts';
import { Actor, type ActorHost } from './actor.ts';
import { given } from './events.ts';
import { type HeldLease, LOCAL } from './held-lease.ts';
import type { LeaseStore } from './lease-store.ts';
import type { Runtime } from './runtime.ts';
import { type LeaseListener, SlotLease } from './slot-lease.ts';
import type { Stages } from './stages.ts';
import type { LiveSubmission } from './submission.ts';
import type { Vital, VitalSlots } from './vital-slots.ts';

/** Filled by a constructor, as `TaskViewRecord` is. */
const SlotViewRecord = recordClass<
  [
    name: string,
    machine: Pick<SlotView, 'phase' | 'paused'> & { readonly pending: number },
    owner: TaskView | undefined,
    queued: readonly TaskView[],
    vital: Vital | undefined,
    deadMs: number | undefined,
  ],
  SlotView
>(function (name, { phase, paused, pending }, owner, queued, vital, deadMs) {
  this.name = name;
  this.phase = phase;
  this.paused = paused;
  if (owner !== undefined) this.owner = owner;
  this.queuedCount = pending;
  this.queued = queued;
  if (vital !== undefined) this.vital = deadMs === undefined ? 'alive' : 'dead';
  if (deadMs !== undefined) this.deadMs = deadMs;
});

/**
 * What a shutdown has decided for all slots of a table. It visits many slots on later turns. A slot
 * catches up before anything else happens in it.
 */
export interface Closing {
  /** What the slots that are closed had then. */
  readonly stages: Stages;
  /**
   * The stage that has begun. `-Infinity`: none, because not all slots are closed. Which owners the
   * first one stops is not known then, so no attempt begins.
   */
  stage: number;
  /** The time to finish is over. */
  finishOver: boolean;
}

/** What a slot needs of its table, and shares with the others. */
export interface SlotTable {
  readonly runtime: Runtime;
  readonly store: LeaseStore;
  readonly vitals: VitalSlots;
  /** Undefined until a shutdown begins. */
  readonly closing: Closing | undefined;
  /** Calls `call` once a shutdown has visited every slot. */
  whenVisited(call: () => void): void;
  /**
   * Effects were carried out, or what waits has changed otherwise: the slot may be idle now.
   */
  changed(slot: LiveSlot): void;
}

export class LiveSlot implements ActorHost, LeaseListener {
  readonly name: string;
  readonly machine: SlotMachine<LiveSubmission>;
  /** Undefined while the slot is not vital. */
  #vital: Vital | undefined;
  /** Undefined while leases are local. */
  #lease: SlotLease | undefined;
  readonly #table: SlotTable;
  /** What the ledger counts of it. */
  #countedQueued = 0;
  #countedToBegin = 0;
  /** Runs the owner. */
  actor: Actor | undefined;
  /** The owner that a shutdown has reached. */
  #reached: Actor | undefined;
  #carryingOut = false;
  /** A finisher was submitted. */
  #hasFinishers = false;
  /**
   * The finishers that waited when a shutdown began, the lowest stage last, and within a stage the
   * first of the queue last. None is added later. A finisher that has left is taken out when it is
   * met. To walk the queue at every change would cost more, the more entries wait.
   */
  #finishers: LiveSubmission[] | undefined;
  #whenOwnerGone: Deferred<void> | undefined;
  #idle: Deferred<void> | undefined;
  /** Undefined unless outcomes are given on later turns. */
  #late: Late | undefined;

  constructor(name: string, table: SlotTable) {
    this.name = name;
    this.machine = new SlotMachine(table.store.isLocal);
    this.#vital = table.vitals.find(name); // a dead one
    this.#table = table;
  }

  get #runtime(): Runtime {
    return this.#table.runtime;
  }

  /** The machine has just decided to admit it. */
  admit(submission: LiveSubmission, verdict: Admitted, limits: Limits): void {
    const { clock, ledger, events } = this.#runtime;
    this.machine.enter(submission, verdict, limits); // first: the clock is code of the user, and may call back
    const isInner = this.#carryingOut;
    this.#carryingOut = true; // what follows from such a call has to find the submission in the ledger
    if (verdict === 'join')
      submission.submittedMs = clock.now(); // the body runs in the leader's context
    else submission.begin(clock.now());
    ledger.enter(submission);
    this.#carryingOut = isInner;
    if (submission.settings.vital) this.#vital ??= this.#table.vitals.add(this.name);
    if (submission.finishes) this.#hasFinishers = true;
    if (verdict === 'join') this.#joined(submission);
    this.#carryOut();
    if (submission.place === 'joined') submission.admission = 'joined';
    else if (isQueued(submission)) {
      submission.admission = verdict === 'start' ? 'waiting' : 'queued';
      events.listening?.queued(submission, this.machine.pending);
    }
    this.#watch(submission);
  }

  cancel(submission: LiveSubmission, by: StopCause, reason: unknown): void {
    this.catchUp();
    this.machine.leave(submission, by, reason);
    this.#carryOut();
  }

  async cancelAll(reason: unknown): Promise<void> {
    this.catchUp();
    this.machine.cancel(reason);
    this.#carryOut();
    if (this.actor !== undefined) {
      this.#whenOwnerGone ??= deferred();
      await this.#whenOwnerGone.promise;
    }
    if (this.#late !== undefined) await this.#late.settled.promise;
  }

  pause(): void {
    this.catchUp();
    if (this.machine.paused) return;
    this.machine.pause();
    this.#publish('slotPaused');
    this.#carryOut();
  }

  resume(): void {
    this.catchUp();
    if (!this.machine.paused) return;
    this.machine.resume();
    this.#publish('slotResumed');
    this.#carryOut();
  }

  /** Resolves when it has neither owner nor queue, and all have their outcome. */
  idle(): Promise<void> {
    this.catchUp();
    if (this.#isIdle && this.#late === undefined) return Promise.resolve();
    this.#idle ??= deferred();
    return this.#idle.promise;
  }

  /** Does what a shutdown has decided, as far as it was not done before. */
  catchUp(): void {
    const { closing } = this.#table;
    if (closing === undefined) return;
    if (!this.machine.isClosed) this.#close(closing.stages);
    this.tell(closing.stage);
    if (!closing.finishOver || this.machine.isFinishOver) return;
    this.machine.endFinish();
    this.#carryOut();
  }

  #close(stages: Stages): void {
    const { machine } = this;
    machine.close(!this.#hasFinishers);
    if (this.actor !== undefined) stages.add(this.actor.submission);
    if (machine.pending > 0) {
      this.#finishers = [...machine.waiting].reverse().sort((a, b) => stageOf(b) - stageOf(a));
      for (const one of this.#finishers) stages.add(one);
    }
    this.#carryOut();
  }

  /**
   * Asks the owner to finish or to stop, if the shutdown has reached it or a finisher behind it.
   */
  tell(stage: number): void {
    if (this.actor === undefined || !this.#isReached(stage)) return;
    this.#reached = this.actor;
    this.machine.stop();
    if (this.machine.effects.length > 0) this.#carryOut();
  }

  /** The shutdown's next stage has to wait for this slot. */
  holds(stage: number): boolean {
    const { actor } = this;
    if (actor === undefined || actor.status === 'overrun') return this.#hasWaiting(stage);
    return actor === this.#reached || this.#isReached(stage); // what it was reached through may have left
  }

  #isReached(stage: number): boolean {
    const { actor } = this;
    return (actor !== undefined && stageOf(actor.submission) <= stage) || this.#hasWaiting(stage);
  }

  #hasWaiting(stage: number): boolean {
    const finishers = this.#finishers;
    for (let lowest = finishers?.at(-1); lowest !== undefined; lowest = finishers?.at(-1)) {
      if (isQueued(lowest)) return stageOf(lowest) <= stage;
      finishers?.pop();
    }
    return false;
  }

  /** Called when it leaves the table. */
  end(): void {
    this.#lease?.end();
  }

  /** `limit`: how many of its waiting submissions are shown. */
  view(limit: number): SlotView {
    const { actor, machine, subject } = this;
    const owner = actor && (subject ?? actor.submission).view(actor);
    return new SlotViewRecord(this.name, machine, owner, this.#viewsOfQueued(limit), this.#vital, this.#deadMs);
  }

  /** Undefined where it is not dead. */
  get #deadMs(): number | undefined {
    return this.#vital && this.#isIdle ? this.#runtime.clock.now() - this.#vital.diedMs : undefined;
  }

  #viewsOfQueued(limit: number): TaskView[] {
    const views: TaskView[] = [];
    if (limit === 0 || this.machine.pending === 0) return views;
    for (const leader of this.machine.waiting) {
      views.push((firstOf(leader) as LiveSubmission).view());
      if (views.length === limit) break;
    }
    return views;
  }

  /** What those that are queued wait for. */
  get waitingFor(): WaitingFor | undefined {
    const { owner, phase, paused } = this.machine;
    if (owner !== null) return 'owner';
    if (phase === 'waiting') return 'lease';
    return paused ? 'slotPaused' : undefined;
  }
  /** The lease request that the store has not answered. */
  get leaseRequest(): SlotLease['request'] {
    return this.#lease?.request;
  }

  get isClosed(): boolean {
    return this.#table.closing !== undefined;
  }

  /** Nothing is left in it, and all have their outcome: it may leave the table. */
  get isOver(): boolean {
    return this.machine.isIdle && this.#late === undefined;
  }

  get subject(): LiveSubmission | null {
    const { actor } = this;
    return actor === undefined ? null : firstOf(actor.submission);
  }

  get successor(): LiveSubmission | null {
    return this.machine.successor;
  }

  actorWaits(): void {
    this.#countToBegin();
  }

  mayBegin(actor: Actor): boolean {
    this.catchUp();
    if (this.#table.closing?.stage === -Infinity) {
      this.#table.whenVisited(() => this.#runtime.turns.push(actor));
      return false;
    }
    const { owner } = this.machine;
    if (owner === null || !isCalledOff(owner)) return true;
    const { signal } = (firstOf(owner) ?? owner).settings;
    this.machine.calledOff(signal && reasonOf(signal));
    this.#carryOut();
    return true;
  }

  actorBegins(): void {
    const { submission } = this.actor as Actor;
    submission.watch?.firstAttemptBegins();
    if (submission.flight !== null) for (const one of joinedOf(submission.flight)) one.watch?.firstAttemptBegins();
    if (this.#countedToBegin > 0) this.#countToBegin();
  }

  actorOverran(): void {
    this.#table.changed(this);
  }

  actorSuspended(actor: Actor): void {
    this.catchUp();
    this.#countToBegin();
    this.machine.suspended(actor.submission, actor.lease.hasBodyAlive);
    this.#carryOut();
  }

  actorEnded(actor: Actor, outcome: Outcome): void {
    const { ledger } = this.#runtime;
    const owner = actor.submission;
    this.catchUp();
    // Read first: it is the store's code, which may call back.
    const contended = this.#lease?.held.contended === true;
    ledger.ownerEnded();
    this.#vital?.ownerEnded(outcome);
    const whenOwnerGone = this.#whenOwnerGone;
    this.actor = undefined;
    this.#whenOwnerGone = undefined;
    const joined = this.machine.ended(owner, actor.lease.hasBodyAlive, contended);
    const isShared = joined !== null && !joined.isEmpty;
    if (!isShared) actor.leaveCounts();
    ledger.settle(owner, outcome, actor);
    if (isShared) {
      const settleNext = () => ledger.settle(joined.take(), outcome, actor);
      this.#settleAll(joined, settleNext, () => actor.leaveCounts());
    }
    this.#carryOut();
    whenOwnerGone?.resolve();
    ledger.ownerGone();
  }

  leaseChanged(apply: () => void): void {
    this.catchUp();
    const isInner = this.#carryingOut;
    this.#carryingOut = true;
    apply();
    this.#carryingOut = isInner;
    this.#carryOut();
  }

  leaseLost({ graceMs }: HeldLease): void {
    this.actor?.limitGrace(graceMs);
  }

  get #isIdle(): boolean {
    return this.machine.owner === null && this.machine.pending === 0;
  }

  #publish(type: 'slotPaused' | 'slotResumed'): void {
    this.#runtime.events.listening?.publish({ type, slot: this.name });
  }

  #joined(submission: LiveSubmission): void {
    const leader = leaderOf(submission);
    if (leader.place === 'owner' && this.actor !== undefined) submission.ownedBy(this.actor);
    const first = firstOf(leader) as LiveSubmission;
    this.#runtime.events.listening?.publishFor(submission, { type: 'joined', leader: first.id });
  }

  /**
   * Carries out the machine's effects, and the effects that follow from them. A re-entered call
   * leaves its effects to the outer one.
   */
  #carryOut(): void {
    this.#countQueued();
    if (this.#carryingOut) return;
    this.#carryingOut = true;
    const { effects } = this.machine;
    for (let i = 0; i < effects.length; i += 1) this.#do(effects[i] as SlotEffect<LiveSubmission>);
    this.machine.effectsDone();
    this.#carryingOut = false;
    if (this.#countedToBegin > 0) this.#countToBegin();
    if (this.#idle !== undefined) this.#resolveIdle();
    if (this.#vital !== undefined) this.#vital = this.#table.vitals.changed(this.#vital, this.#isIdle);
    this.#table.changed(this);
  }

  #resolveIdle(): void {
    if (!this.#isIdle || this.#late !== undefined) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** Before effects are carried out, because the lease store may look at the counts. */
  #countQueued(): void {
    const { pending } = this.machine;
    this.#runtime.ledger.queued += pending - this.#countedQueued;
    this.#countedQueued = pending;
  }

  /** Called where an owner may begin or cease to wait for its first attempt. */
  #countToBegin(): void {
    const toBegin = this.actor?.waitsToBegin === true ? 1 : 0;
    this.#runtime.ledger.toBegin += toBegin - this.#countedToBegin;
    this.#countedToBegin = toBegin;
  }

  #do(effect: SlotEffect<LiveSubmission>): void {
    switch (effect.do) {
      case 'start':
        this.#start(effect.entry);
        return;
      case 'stop':
        this.#actorOf(effect.owner)?.requestStop(effect.by, effect.reason);
        return;
      case 'suspend':
        this.#actorOf(effect.owner)?.suspend();
        return;
      case 'resume':
        this.#actorOf(effect.owner)?.resume(this.#held);
        return;
      case 'finish':
        this.#actorOf(effect.owner)?.finish();
        return;
      case 'reject':
        this.#reject(effect.entry, effect);
        return;
      case 'rejectAll':
        this.#rejectAll(effect);
        return;
      case 'detach':
        this.#detach(effect);
        return;
      default:
        this.#doLease(effect);
    }
  }

  /** Undefined if this owner has ended while effects of earlier inputs were carried out. */
  #actorOf(owner: LiveSubmission): Actor | undefined {
    return this.actor?.submission === owner ? this.actor : undefined;
  }

  #doLease(effect: LeaseEffect): void {
    switch (effect.do) {
      case 'acquire':
        this.#acquire(effect);
        return;
      case 'urge':
        this.#lease?.urge();
        return;
      case 'cancelRequest':
        this.#lease?.cancelRequest();
        return;
      case 'release':
        this.#lease?.release();
        return;
      case 'setAside':
        this.#lease?.setAside();
    }
  }

  #acquire({ asker, request, policy }: Extract<LeaseEffect, { do: 'acquire' }>): void {
    this.#lease ??= new SlotLease(this.name, this.machine, this.#table.store, this);
    this.#lease.acquire(asker, request, policy);
  }

  get #held(): HeldLease {
    return this.#lease?.held ?? LOCAL;
  }

  #start(entry: LiveSubmission): void {
    if (entry.admission === 'rejected') entry.admission = 'started';
    this.#runtime.ledger.started();
    const actor = new Actor(this, this.#runtime, entry, this.#held);
    if (!entry.ended) entry.ownedBy(actor); // its submitter may have left those that joined it
    if (entry.flight !== null) for (const one of joinedOf(entry.flight)) one.ownedBy(actor);
    this.actor = actor;
    actor.start();
  }

  #reject(entry: LiveSubmission, { reason, by, error }: Pick<RejectAll, 'reason' | 'by' | 'error'>): void {
    if (reason === 'leaseUnavailable' && entry.settings.vital) this.#vital?.leaseRefused();
    this.#runtime.ledger.settle(entry, new Rejected(reason, by?.id, error));
  }

  #rejectAll(effect: RejectAll): void {
    const { departure } = effect;
    const { ledger } = this.#runtime;
    ledger.unsettled += departure.flights;
    const rejectNext = () => {
      const { flights } = departure;
      const one = departure.take();
      ledger.unsettled -= flights - departure.flights;
      this.#reject(one, effect);
    };
    this.#settleAll(departure, rejectNext, () => {});
  }

  /**
   * Settles all of a departure, in its order, as a long job: those that are left after the call
   * settle on later turns.
   */
  #settleAll(departure: Departure<LiveSubmission>, settleNext: () => void, whenDone: () => void): void {
    let late: Late | undefined;
    const isDone = this.#runtime.jobs.begin(() => {
      settleNext();
      if (!departure.isEmpty) return true;
      whenDone();
      if (late !== undefined) this.#lateOneEnds(late);
      return false;
    });
    if (isDone) return;
    late = this.#late ??= { departures: 0, settled: deferred() };
    late.departures += 1;
  }

  #lateOneEnds(late: Late): void {
    late.departures -= 1;
    if (late.departures > 0) return;
    this.#late = undefined;
    late.settled.resolve();
    if (this.#idle !== undefined) this.#resolveIdle();
    this.#table.changed(this);
  }

  /**
   * The owner may have ended meanwhile: what the participant took part in is in its `work`. There
   * is none if the lease store's code made it join and leave before the owner could start.
   */
  #detach({ entry, by, reason }: Extract<SlotEffect<LiveSubmission>, { do: 'detach' }>): void {
    const work = entry.work ?? undefined;
    const attempts = work?.attempts ?? 0;
    this.#runtime.ledger.settle(entry, record({ kind: 'canceled', by, ...given(reason), attempts }), work);
    if (this.subject === null) this.actor?.left();
  }

  /**
   * Watches `signal`, `deadlineMs` and `queueTimeoutMs`. A submission that has none of them pays
   * nothing.
   */
  #watch(submission: LiveSubmission): void {
    const { signal, deadlineMs, queueTimeoutMs } = submission.settings;
    if (submission.ended || (signal === undefined && deadlineMs === Infinity && queueTimeoutMs === Infinity)) return;
    if (submission.isSignalAborted) {
      // Aborted by the lease store's code, within `acquire`.
      submission.cancelBy('signal', (signal as AbortSignal).reason);
      return;
    }
    const { clock } = this.#runtime;
    const leaveSignal = signal && onAbort(signal, (reason) => submission.cancelBy('signal', reason));
    const stopDeadline = after(clock, deadlineMs, () => submission.cancelBy('deadline', undefined));
    const hasBegun = submission.work !== null && submission.work.attempts > 0;
    const firstAttemptBegins = after(clock, hasBegun ? Infinity : queueTimeoutMs, () =>
      submission.cancelBy('queueTimeout', undefined),
    );
    submission.watch = {
      firstAttemptBegins,
      end() {
        leaveSignal?.();
        stopDeadline();
        firstAttemptBegins();
      },
    };
  }
}

/** Outcomes that are given on later turns. */
interface Late {
  departures: number;
  readonly settled: Deferred<void>;
}

type RejectAll = Extract<SlotEffect<LiveSubmission>, { do: 'rejectAll' }>;

type LeaseEffect = Extract<
  SlotEffect<LiveSubmission>,
  { do: 'acquire' | 'urge' | 'cancelRequest' | 'release' | 'setAside' }
>;

const stageOf = ({ settings }: LiveSubmission): number => settings.shutdownStage;

function* joinedOf({ first }: Flight<LiveSubmission>): IterableIterator<LiveSubmission> {
  for (let one = first; one !== null; one = one.behind) yield one;
}
