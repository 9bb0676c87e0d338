// A slot by its name: a handle that holds no state of its own and costs nothing to make.

import { nameText } from '../model/check.ts';
import { parseSlotOptions, type SlotOptions } from '../model/slot-options.ts';
import type { TaskSpec } from '../model/spec.ts';
import type { SlotView } from '../model/view.ts';
import type { Slots } from './slots.ts';
import type { Submission } from './submission.ts';

export interface Slot {
  readonly name: string;
  submit<T, S = undefined>(spec: Omit<TaskSpec<T, S>, 'slot'>): Submission<T>;
  /** Stays until configured again, also while the slot is idle. Options left out keep their value. */
  configure(options: SlotOptions): void;
  /** One atomic step: the owner is told to stop and every waiting submission is rejected. Resolves at proof of end. */
  cancel(reason?: unknown): Promise<void>;
  /** Nothing more is started here until `resume`; the owner goes on. A paused slot stays in the table. */
  pause(): void;
  resume(): void;
  /** Resolves when the slot has neither owner nor queue. It stops nothing and turns nothing away. */
  drain(): Promise<void>;
  view(): SlotView;
}

export class SlotHandle implements Slot {
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

  configure(options: SlotOptions): void {
    this.#slots.configure(this.name, parseSlotOptions('options', options, this.#slots.settings(this.name)));
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
  drain(): Promise<void> {
    return this.#slots.drain(this.name);
  }
  view(): SlotView {
    return this.#slots.view(this.name);
  }
}
