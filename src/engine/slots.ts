// The table of slots: which are live, how each is configured, and how many there may be.
// live-slot.ts is what happens in one slot.

import type { StopCause } from '../model/error.ts';
import type { Rejection, RejectReason } from '../model/outcome.ts';
import type { SlotSettings } from '../model/slot-options.ts';
import type { SlotView } from '../model/view.ts';
import type { Limits } from '../policy/admission.ts';
import { DryRun } from '../policy/dry-run.ts';
import type { Actor } from './actor.ts';
import type { LeaseStore } from './lease-store.ts';
import { LiveSlot } from './live-slot.ts';
import type { Runtime } from './runtime.ts';
import type { LiveSubmission } from './submission.ts';

export interface SupervisorLimits {
  readonly slots: number;
  readonly pending: number;
}

export class Slots {
  readonly #slots = new Map<string, LiveSlot>();
  readonly #configured = new Map<string, SlotSettings>();
  readonly #runtime: Runtime;
  readonly #store: LeaseStore;
  readonly #max: SupervisorLimits;
  readonly #defaults: SlotSettings;
  #pending = 0;
  #closed = false;
  /**
   * Written for each submission and read by its slot within the call. A new object each time would
   * cost 40 bytes a submission.
   */
  readonly #limits = { queueLimit: 0, onFull: 'reject' as SlotSettings['onFull'], mayWait: true };
  readonly #changed = (slot: LiveSlot): void => this.#account(slot);

  constructor(runtime: Runtime, store: LeaseStore, max: SupervisorLimits, defaults: SlotSettings) {
    this.#runtime = runtime;
    this.#store = store;
    this.#max = max;
    this.#defaults = defaults;
  }

  get pending(): number {
    return this.#pending;
  }
  /** One for each slot that has an owner. */
  get actors(): Actor[] {
    return Array.from(this.#slots.values(), ({ actor }) => actor).filter((actor) => actor !== undefined);
  }

  settings(name: string): SlotSettings {
    return this.#configured.get(name) ?? this.#defaults;
  }

  /** Options left out keep their value. */
  configure(name: string, given: Partial<SlotSettings>): void {
    this.#configured.set(name, { ...this.settings(name), ...given });
  }

  submit(submission: LiveSubmission): void {
    this.#runtime.ledger.submitted(submission);
    const known = this.#slots.get(submission.slot);
    if (known === undefined && this.#slots.size >= this.#max.slots) {
      this.#settleRejected(submission, { reason: 'resourceLimit' });
      return;
    }
    (known ?? this.#open(submission.slot)).submit(submission, this.#limitsOf(submission.slot));
  }

  /** Rejects a submission without asking its slot. */
  reject(submission: LiveSubmission, rejection: Rejection): void {
    this.#runtime.ledger.submitted(submission);
    this.#settleRejected(submission, rejection);
  }

  /**
   * The rejections that a batch would cause; `undefined` when none. Nothing happens to the slots.
   */
  dryRun(batch: readonly LiveSubmission[]): Map<LiveSubmission, Rejection> | undefined {
    const { slots, pending } = this.#max;
    const free = { slots: slots - this.#slots.size, pending: pending - this.#pending };
    const trial = new DryRun(free, this.#store.isLocal);
    const rejections = new Map<LiveSubmission, Rejection>();
    for (const submission of batch) {
      const { slot, policy } = submission;
      const machine = () => this.#slots.get(slot)?.machine;
      const reason: RejectReason | undefined = submission.isSignalAborted
        ? 'canceled'
        : trial.add(slot, machine, policy, this.settings(slot));
      if (reason === undefined) continue;
      const by = reason === 'slotBusy' ? machine()?.occupant?.id : undefined;
      rejections.set(submission, by === undefined ? { reason } : { reason, by });
    }
    return rejections.size === 0 ? undefined : rejections;
  }

  cancel(submission: LiveSubmission, by: StopCause, reason: unknown): void {
    this.#slots.get(submission.slot)?.cancel(submission, by, reason); // a slot that is already gone is delivering the outcome
  }

  cancelSlot(name: string, reason: unknown): Promise<void> {
    return this.#slots.get(name)?.cancelAll(reason) ?? Promise.resolve();
  }

  pause(name: string): void {
    (this.#slots.get(name) ?? this.#open(name)).pause();
  }

  resume(name: string): void {
    this.#slots.get(name)?.resume();
  }

  idle(name: string): Promise<void> {
    return this.#slots.get(name)?.idle() ?? Promise.resolve();
  }

  view(name: string): SlotView {
    return this.#slots.get(name)?.view() ?? { name, phase: 'idle', paused: false, queued: [] };
  }

  views(): SlotView[] {
    return Array.from(this.#slots.values(), (slot) => slot.view());
  }

  /** For a shutdown: nothing is accepted or started from here on. */
  close(_stageOver: () => void): void {
    this.#closed = true;
  }

  /** Stops every owner. */
  tell(_stage: number): void {
    for (const slot of [...this.#slots.values()]) slot.close();
  }

  endFinish(): void {}

  stages(_above: number): readonly number[] {
    return [];
  }

  get stageIsOver(): boolean {
    return false;
  }

  #open(name: string): LiveSlot {
    const slot = new LiveSlot(name, this.#runtime, this.#store, this.#changed);
    if (this.#closed) slot.machine.close();
    this.#slots.set(name, slot);
    return slot;
  }

  #settleRejected(submission: LiveSubmission, rejection: Rejection): void {
    this.#runtime.ledger.settle(submission, { kind: 'rejected', ...rejection });
  }

  #limitsOf(name: string): Limits {
    const { queueLimit, onFull } = this.settings(name);
    const limits = this.#limits;
    limits.queueLimit = queueLimit;
    limits.onFull = onFull;
    limits.mayWait = this.#pending < this.#max.pending;
    return limits;
  }

  /** Counts a slot's queue again. An idle slot leaves the table (S6). */
  #account(slot: LiveSlot): void {
    const { pending } = slot.machine;
    this.#pending += pending - slot.counted;
    slot.counted = pending;
    if (slot.machine.isIdle && this.#slots.get(slot.name) === slot) this.#slots.delete(slot.name);
  }
}
