// A slot by its name: a handle without state of its own.

import type { Slots } from '../engine/slots.ts';
import type { Submission } from '../engine/submission.ts';
import { nameText } from '../model/check.ts';
import { record, showAs } from '../model/record.ts';
import { readSlotOptions, type SlotOptions } from '../model/slot-options.ts';
import type { TaskSpec } from '../model/spec.ts';
import type { SlotView } from '../model/view.ts';

/**
 * A named slot. It owns at most one running body. The slot need not be live: a handle costs
 * nothing.
 */
export interface Slot {
  /** Its name. */
  readonly name: string;
  /** As `supervisor.submit`, in this slot. The spec must not name a slot. */
  submit<T, S = undefined>(spec: Omit<TaskSpec<T, S>, 'slot'>): Submission<T>;
  /**
   * Sets options. They stay until they are set again, also while the slot is idle. Options left out
   * keep their value. `undefined` takes back all that was set, by `slots` too: the slot follows
   * `slotDefaults` again.
   *
   * @throws OptionError for an invalid option.
   */
  configure(options: SlotOptions | undefined): void;
  /**
   * Stops the owner and rejects every waiting submission, in one step. Resolves once the owner's
   * body has ended, so that body must not await it.
   */
  cancel(reason?: unknown): Promise<void>;
  /**
   * Nothing starts in this slot until `resume`. The owner goes on. A paused slot is live: it counts
   * to `limits.slots`.
   *
   * @throws OptionError if the slot is not live and `limits.slots` slots are: nothing is paused.
   */
  pause(): void;
  /** Ends a pause. */
  resume(): void;
  /**
   * Resolves when the slot has no owner and nothing waits. It stops nothing, and submissions are
   * still accepted. A body of the slot must not await it: it would wait for its own end.
   */
  idle(): Promise<void>;
  /** What the slot holds now: a copy. */
  view(): SlotView;
}

export class SlotHandle implements Slot {
  static {
    showAs(SlotHandle, (slot) => slot.#shown);
  }
  readonly name: string;
  readonly #slots: Slots;
  readonly #submit: (spec: TaskSpec<unknown, unknown>, slot: string) => Submission;

  constructor(slots: Slots, name: string, submit: (spec: TaskSpec<unknown, unknown>, slot: string) => Submission) {
    this.name = nameText('slot', name);
    this.#slots = slots;
    this.#submit = submit;
  }

  submit<T, S = undefined>(spec: Omit<TaskSpec<T, S>, 'slot'>): Submission<T> {
    return this.#submit(spec as TaskSpec<unknown, unknown>, this.name) as Submission<T>;
  }

  configure(options: SlotOptions | undefined): void {
    this.#slots.configure(this.name, options === undefined ? undefined : readSlotOptions('options', options));
  }

  cancel(reason?: unknown): Promise<void> {
    return this.#slots.cancelSlot(this.name, reason);
  }
  pause(): void {
    this.#slots.pause(this.name);
  }
  resume(): void {
    this.#slots.resume(this.name);
  }
  idle(): Promise<void> {
    return this.#slots.idle(this.name);
  }
  view(): SlotView {
    return this.#slots.view(this.name);
  }

  /** What JSON and the console show of it: the first ten of its queue. */
  get #shown(): SlotView {
    const view = this.view();
    return record({ ...view, queued: view.queued.slice(0, 10) });
  }
}
