// The table of slots: which are live, how each is configured, and how many there may be.
// live-slot.ts is what happens in one slot. Over 300 lines because a call of the API for a slot, or
// for all of them, finds its slots here.

import { NameMap } from '../kernel/name-map.ts';
import { Rounds } from '../kernel/rounds.ts';
import { refuse } from '../model/check.ts';
import { type StopCause, show } from '../model/error.ts';
import { explain } from '../model/explain.ts';
import type { TaskIds } from '../model/id.ts';
import { Rejected, type RejectReason } from '../model/outcome.ts';
import { record } from '../model/record.ts';
import type { SlotSettings } from '../model/slot-options.ts';
import type { Submission } from '../model/submission.ts';
import type { SlotView } from '../model/view.ts';
import { isRefusal, type Limits } from '../policy/admission.ts';
import { DryRun } from '../policy/dry-run.ts';
import type { LeaseStore } from './lease-store.ts';
import { type Closing, LiveSlot, type SlotTable } from './live-slot.ts';
import type { Runtime } from './runtime.ts';
import { Stages } from './stages.ts';
import { LiveSubmission, type SubmissionHost } from './submission.ts';
import type { SubmitCall } from './submit-call.ts';
import { TurnedAway } from './turned-away.ts';
import type { VitalSlots } from './vital-slots.ts';

export interface SupervisorLimits {
  readonly slots: number;
  readonly pending: number;
}

export class Slots {
  readonly #slots = new NameMap<LiveSlot>();
  readonly #configured = new Map<string, SlotSettings>();
  readonly #host: SubmissionHost;
  readonly #runtime: Runtime;
  readonly #store: LeaseStore;
  readonly #vitals: VitalSlots;
  readonly #max: SupervisorLimits;
  readonly #defaults: SlotSettings;
  /** The slots that the next stage has to wait for. */
  readonly #holding = new Set<LiveSlot>();
  #stageOver = (): void => {};
  /** The visits of a shutdown. */
  readonly #rounds: Rounds<LiveSlot>;
  /**
   * Written for each submission and read by its slot within the call. A new object each time would
   * cost 40 bytes a submission.
   */
  readonly #limits = { queueLimit: 0, onFull: 'reject' as SlotSettings['onFull'], mayWait: true, mayStart: true };
  readonly #table: { closing: Closing | undefined } & SlotTable;

  constructor(
    ids: TaskIds,
    runtime: Runtime,
    store: LeaseStore,
    vitals: VitalSlots,
    max: SupervisorLimits,
    defaults: SlotSettings,
  ) {
    this.#host = {
      ids,
      now: () => runtime.clock.now(),
      queueLimit: (slot) => this.settings(slot).queueLimit,
      waitingFor: (slot) => this.#slots.get(slot)?.waitingFor,
      cancel: (submission, by, reason) => this.cancel(submission, by, reason),
    };
    this.#runtime = runtime;
    this.#store = store;
    this.#vitals = vitals;
    this.#max = max;
    this.#defaults = defaults;
    this.#table = {
      runtime,
      store,
      vitals,
      closing: undefined,
      whenVisited: (call) => this.whenVisited(call),
      changed: (slot) => this.#account(slot),
    };
    this.#rounds = new Rounds(runtime.jobs, this.#slots);
  }

  /** How many slots are live. */
  get size(): number {
    return this.#slots.size;
  }
  settings(name: string): SlotSettings {
    return this.#configured.get(name) ?? this.#defaults;
  }

  /** Options left out keep their value. `undefined`: the slot has the defaults again. */
  configure(name: string, given: Partial<SlotSettings> | undefined): void {
    if (given === undefined) this.#configured.delete(name);
    else this.#configured.set(name, { ...this.settings(name), ...given });
  }

  /** The slot decides, and carries out what follows. */
  submit(call: SubmitCall): Submission {
    const { slot: name, policy } = call;
    const known = this.#find(name);
    if (known === undefined && this.#isFull) return this.reject(call, new Rejected('resourceLimit'));
    const slot = known ?? this.#open(name);
    const limits = this.#limitsOf(name);
    const verdict = slot.machine.decide(policy, limits);
    if (isRefusal(verdict)) {
      this.#account(slot); // it may have been opened in vain
      return this.reject(call, rejectionOf(verdict, slot.machine));
    }
    const submission = new LiveSubmission(this.#host, call);
    slot.admit(submission, verdict, limits);
    return submission.handle;
  }

  /** Turns a submission away without asking its slot. */
  reject(call: SubmitCall, rejection: Rejected): Submission {
    this.#runtime.ledger.turnedAway(call, rejection);
    return new TurnedAway(this.#host, call, rejection);
  }

  /**
   * The rejections that a batch would cause; `undefined` when none. Nothing happens to the slots.
   */
  dryRun(batch: readonly SubmitCall[]): Map<SubmitCall, Rejected> | undefined {
    const { slots, pending } = this.#max;
    const starts = pending === Infinity ? Infinity : this.#room;
    const free = { slots: slots - this.#slots.size, pending: pending - this.#runtime.ledger.pending, starts };
    const trial = new DryRun(free, this.#store.isLocal);
    const rejections = new Map<SubmitCall, Rejected>();
    for (const call of batch) {
      const { slot, policy } = call;
      const machine = () => this.#slots.get(slot)?.machine;
      const reason: RejectReason | undefined = call.isSignalAborted
        ? 'canceled'
        : trial.add(slot, machine, policy, this.settings(slot));
      if (reason !== undefined) rejections.set(call, rejectionOf(reason, machine()));
    }
    return rejections.size === 0 ? undefined : rejections;
  }

  cancel(submission: LiveSubmission, by: StopCause, reason: unknown): void {
    this.#slots.get(submission.slot)?.cancel(submission, by, reason); // a slot that is already gone is delivering the outcome
  }

  cancelSlot(name: string, reason: unknown): Promise<void> {
    return this.#slots.get(name)?.cancelAll(reason) ?? Promise.resolve();
  }

  /** @throws OptionError where the slot is not live and `limits.slots` has no place for it. */
  pause(name: string): void {
    const known = this.#find(name);
    if (known === undefined && this.#isFull)
      refuse(
        'limits.slots',
        `must leave a place to pause slot(${show(name)}): raise the limit, or resume another slot`,
        this.#max.slots,
      );
    (known ?? this.#open(name)).pause();
  }

  resume(name: string): void {
    this.#slots.get(name)?.resume();
  }

  idle(name: string): Promise<void> {
    return this.#slots.get(name)?.idle() ?? Promise.resolve();
  }

  view(name: string, queued = Infinity): SlotView {
    const live = this.#slots.get(name)?.view(queued);
    if (live !== undefined) return live;
    const dead = this.#vitals.find(name);
    return record({
      name,
      phase: 'idle',
      paused: false,
      queuedCount: 0,
      queued: [],
      ...(dead && { vital: 'dead', deadMs: this.#runtime.clock.now() - dead.diedMs }),
    });
  }

  /**
   * Each view is made when it is asked for. There are at most as many as there were slots at the
   * begin: slots that are opened without end would be iterated without end.
   */
  *views(queued = Infinity): IterableIterator<SlotView> {
    let left = this.#slots.size;
    for (const slot of this.#slots.values()) {
      if (left === 0) return;
      left -= 1;
      yield slot.view(queued);
    }
  }

  /** One sentence: what the slot does, what it waits for, and what waits behind it. */
  explain(name: string): string {
    const { gate } = this.#runtime;
    const request = this.#slots.get(name)?.leaseRequest;
    const stall = this.#store.stalled(name);
    return explain({ slot: this.view(name, 1), isClosed: this.#table.closing !== undefined, gate, request, stall });
  }

  /**
   * A shutdown began: nothing is admitted from here on, and what waits is rejected, but for
   * finishers. `closed` is called once every slot is closed, and `stageOver` when nothing holds the
   * stage that began last.
   */
  close(closed: () => void, stageOver: () => void): void {
    this.#table.closing = { stages: new Stages(), stage: -Infinity, finishOver: false };
    this.#stageOver = stageOver;
    this.#rounds.begin((slot) => slot.catchUp(), closed);
  }

  /** Every owner up to this stage is asked to finish or to stop. */
  tell(stage: number): void {
    const closing = this.#table.closing as Closing;
    closing.stage = stage;
    const visit = (slot: LiveSlot): void => {
      slot.catchUp();
      if (slot.holds(stage)) this.#holding.add(slot);
    };
    this.#rounds.begin(visit, () => this.#checkStage());
  }

  /** The time to finish is over. */
  endFinish(): void {
    const closing = this.#table.closing as Closing;
    closing.finishOver = true;
    this.#rounds.begin(
      (slot) => slot.catchUp(),
      () => this.#checkStage(),
    );
  }

  /** Kills or abandons every body. */
  force(): void {
    this.#rounds.begin(({ actor }) => actor?.force());
  }

  /** Gives up the bodies that are left. */
  abandon(): void {
    this.#rounds.begin(({ actor }) => actor?.abandon());
  }

  get stageIsOver(): boolean {
    return this.#rounds.areOver && this.#holding.size === 0;
  }

  /** See `above` of {@link Stages}. None before a shutdown began. */
  stages(above: number): number[] {
    return this.#table.closing?.stages.above(above) ?? [];
  }

  /** Calls `call` once every slot has been visited: now, or after the rounds that are under way. */
  whenVisited(call: () => void): void {
    this.#rounds.whenOver(call);
  }

  /**
   * How many starts would not have to wait now. With a lease store any may have to: whether the
   * store answers at once is not known before it is asked.
   */
  get #room(): number {
    return this.#store.isLocal ? this.#runtime.gate.room : 0;
  }
  get #isFull(): boolean {
    return this.#slots.size >= this.#max.slots;
  }

  /** It has caught up with a shutdown, and is live still. */
  #find(name: string): LiveSlot | undefined {
    const slot = this.#slots.get(name);
    if (slot === undefined || this.#table.closing === undefined) return slot;
    slot.catchUp();
    return this.#slots.get(name);
  }

  #open(name: string): LiveSlot {
    const slot = new LiveSlot(name, this.#table);
    slot.catchUp(); // first: an idle slot would leave the table
    this.#slots.add(name, slot);
    return slot;
  }

  #limitsOf(name: string): Limits {
    const { queueLimit, onFull } = this.settings(name);
    const limits = this.#limits;
    limits.queueLimit = queueLimit;
    limits.onFull = onFull;
    if (this.#max.pending !== Infinity) {
      limits.mayWait = this.#runtime.ledger.pending < this.#max.pending;
      limits.mayStart = limits.mayWait || this.#room > 0;
    }
    return limits;
  }

  /** An idle slot leaves the table (S6). */
  #account(slot: LiveSlot): void {
    const { closing } = this.#table;
    if (closing !== undefined) this.#accountStage(slot, closing.stage);
    if (!slot.isOver || this.#slots.get(slot.name) !== slot) return;
    this.#slots.delete(slot.name);
    slot.end();
  }

  #accountStage(slot: LiveSlot, stage: number): void {
    slot.tell(stage); // an owner that began after the stage
    if (!this.#holding.has(slot) || slot.holds(stage)) return;
    this.#holding.delete(slot);
    this.#checkStage();
  }

  #checkStage(): void {
    if (this.stageIsOver) this.#stageOver();
  }
}

/** `by` of a slot that is busy is the owner, or else the first submission that waits. */
function rejectionOf(reason: RejectReason, machine: LiveSlot['machine'] | undefined): Rejected {
  return new Rejected(reason, reason === 'slotBusy' ? machine?.occupant?.id : undefined);
}
