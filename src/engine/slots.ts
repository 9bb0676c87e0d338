// The table of slots: which there are, how they are configured, and how many there may be. What happens in a slot is live-slot.ts.

import type { StopCause } from '../model/error.ts';
import type { Rejection, RejectReason } from '../model/outcome.ts';
import type { SlotSettings } from '../model/slot-options.ts';
import type { SlotView } from '../model/view.ts';
import type { Room } from '../policy/admission.ts';
import { DryRun } from '../policy/batch.ts';
import type { Actor } from './actor.ts';
import type { LeaseDesk } from './lease-desk.ts';
import { LiveSlot } from './live-slot.ts';
import type { Runtime } from './runtime.ts';
import type { LiveSubmission } from './submission.ts';

export interface SlotBounds {
  readonly slots: number;
  readonly pending: number;
}

export class Slots {
  readonly #slots = new Map<string, LiveSlot>();
  readonly #configured = new Map<string, SlotSettings>();
  readonly #runtime: Runtime;
  readonly #desk: LeaseDesk;
  readonly #bounds: SlotBounds;
  readonly #defaults: SlotSettings;
  #pending = 0;
  #closed = false;
  /** One for all: written for each submission, and read by its machine within the call. */
  readonly #room = { queueLimit: 0, onFull: 'reject' as SlotSettings['onFull'], mayWait: true };
  readonly #changed = (slot: LiveSlot): void => this.#account(slot);

  constructor(runtime: Runtime, desk: LeaseDesk, bounds: SlotBounds, defaults: SlotSettings) {
    this.#runtime = runtime;
    this.#desk = desk;
    this.#bounds = bounds;
    this.#defaults = defaults;
  }

  get pending(): number {
    return this.#pending;
  }
  /** Who owns a slot now. */
  get actors(): Actor[] {
    return Array.from(this.#slots.values(), ({ actor }) => actor).filter((actor) => actor !== undefined);
  }

  settings(name: string): SlotSettings {
    return this.#configured.get(name) ?? this.#defaults;
  }

  configure(name: string, settings: SlotSettings): void {
    this.#configured.set(name, settings);
  }

  submit(submission: LiveSubmission): void {
    this.#runtime.ledger.submitted(submission);
    const known = this.#slots.get(submission.slot);
    if (known === undefined && this.#slots.size >= this.#bounds.slots) {
      this.#reject(submission, { reason: 'resourceLimit' });
      return;
    }
    (known ?? this.#open(submission.slot)).submit(submission, this.#roomIn(submission.slot));
  }

  /** Turns a submission away before any slot is asked. */
  turnAway(submission: LiveSubmission, rejection: Rejection): void {
    this.#runtime.ledger.submitted(submission);
    this.#reject(submission, rejection);
  }

  /** Why entries of a batch would be turned away; `undefined` when none would. Nothing happens yet. */
  dryRun(batch: readonly LiveSubmission[]): Map<LiveSubmission, Rejection> | undefined {
    const { slots, pending } = this.#bounds;
    const free = { slots: slots - this.#slots.size, pending: pending - this.#pending };
    const trial = new DryRun(free, this.#desk.isLocal);
    const rejections = new Map<LiveSubmission, Rejection>();
    for (const submission of batch) {
      const { slot, policy } = submission;
      const machine = () => this.#slots.get(slot)?.machine;
      const reason: RejectReason | undefined = submission.isUnwanted
        ? 'canceled'
        : trial.add(slot, machine, policy, this.settings(slot));
      if (reason === undefined) continue;
      const by = reason === 'slotBusy' ? machine()?.occupant?.id : undefined;
      rejections.set(submission, by === undefined ? { reason } : { reason, by });
    }
    return rejections.size === 0 ? undefined : rejections;
  }

  cancel(submission: LiveSubmission, by: StopCause, reason: unknown): void {
    this.#slots.get(submission.slot)?.cancel(submission, by, reason); // none: it left the table, with an end that is being told
  }

  async cancelSlot(name: string, reason: unknown): Promise<void> {
    await this.#slots.get(name)?.cancelAll(reason);
  }

  pause(name: string): void {
    (this.#slots.get(name) ?? this.#open(name)).pause();
  }

  resume(name: string): void {
    this.#slots.get(name)?.resume();
  }

  drain(name: string): Promise<void> {
    return this.#slots.get(name)?.idle() ?? Promise.resolve();
  }

  view(name: string): SlotView {
    return this.#slots.get(name)?.view() ?? { name, phase: 'idle', paused: false, queued: [] };
  }

  views(): SlotView[] {
    return Array.from(this.#slots.values(), (slot) => slot.view());
  }

  /** Shutdown: nothing more is accepted or started, every owner is told to stop. */
  close(): void {
    this.#closed = true;
    for (const slot of [...this.#slots.values()]) slot.close();
  }

  #open(name: string): LiveSlot {
    const slot = new LiveSlot(name, this.#runtime, this.#desk, this.#changed);
    if (this.#closed) slot.machine.close();
    this.#slots.set(name, slot);
    return slot;
  }

  #reject(submission: LiveSubmission, rejection: Rejection): void {
    this.#runtime.ledger.settle(submission, { kind: 'rejected', ...rejection });
  }

  #roomIn(name: string): Room {
    const { queueLimit, onFull } = this.settings(name);
    const room = this.#room;
    room.queueLimit = queueLimit;
    room.onFull = onFull;
    room.mayWait = this.#pending < this.#bounds.pending;
    return room;
  }

  /** A slot's queue may have changed; one that holds nothing leaves the table (S6). */
  #account(slot: LiveSlot): void {
    const { pending } = slot.machine;
    this.#pending += pending - slot.counted;
    slot.counted = pending;
    if (slot.machine.spent && this.#slots.get(slot.name) === slot) this.#slots.delete(slot.name);
  }
}
