// A slot by its name: a handle without state of its own.

import type { Slots } from '../engine/slots.ts';
import { nameText } from '../model/check.ts';
import { fromCaller, seenFromCaller } from '../model/error.ts';
import { showAs } from '../model/record.ts';
import { readSlotOptions, type SlotOptions } from '../model/slot-options.ts';
import type { SpecInSlot } from '../model/spec.ts';
import type { Submission } from '../model/submission.ts';
import type { SlotView } from '../model/view.ts';
import { parseViewOptions, type ViewOptions } from './call-options.ts';

/**
 * A named slot. It owns at most one running body. The slot need not be live: a handle costs
 * nothing.
 */
export interface Slot {
  /** Its name. */
  readonly name: string;
  /**
   * As `supervisor.submit`, in this slot. The spec must not name a slot.
   *
   * @throws OptionError for an invalid spec. Nothing is kept of the call.
   * @throws ClosedError once a shutdown has begun.
   */
  submit<T, S = undefined>(spec: SpecInSlot<T, S>): Submission<T>;
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
  /**
   * What the slot holds now: a copy.
   *
   * @throws OptionError for an invalid option.
   */
  view(options?: ViewOptions): SlotView;
  /**
   * One sentence for people: what the slot does, since when, what it waits for, and what waits
   * behind it. Not promised: its words. Programs use `view()`.
   */
  explain(): string;
}

export class SlotHandle implements Slot {
  static {
    showAs(SlotHandle, (slot) => slot.#shown);
  }
  readonly name: string;
  readonly #slots: Slots;
  readonly #submit: (spec: unknown, slot: string) => Submission;

  constructor(slots: Slots, name: string, submit: (spec: unknown, slot: string) => Submission) {
    this.name = nameText('slot', name);
    this.#slots = slots;
    this.#submit = submit;
  }

  submit<T, S = undefined>(spec: SpecInSlot<T, S>): Submission<T> {
    try {
      return this.#submit(spec, this.name) as Submission<T>;
    } catch (error) {
      throw seenFromCaller(this.submit, error);
    }
  }

  configure(options: SlotOptions | undefined): void {
    fromCaller(this.configure, () => {
      this.#slots.configure(this.name, options === undefined ? undefined : readSlotOptions('options', options));
    });
  }

  cancel(reason?: unknown): Promise<void> {
    return this.#slots.cancelSlot(this.name, reason);
  }
  pause(): void {
    fromCaller(this.pause, () => this.#slots.pause(this.name));
  }
  resume(): void {
    this.#slots.resume(this.name);
  }
  idle(): Promise<void> {
    return this.#slots.idle(this.name);
  }
  view(options: ViewOptions = {}): SlotView {
    const queued = fromCaller(this.view, () => parseViewOptions(options));
    return this.#slots.view(this.name, queued);
  }
  explain(): string {
    return this.#slots.explain(this.name);
  }

  /** What JSON and the console show of it: the first ten of its queue. */
  get #shown(): SlotView {
    return this.view({ queued: 10 });
  }
}
