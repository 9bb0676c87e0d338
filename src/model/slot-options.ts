// The options of a slot: the admission policy that its submissions inherit, and the limit of its
// queue.

import { count, oneOf } from './check.ts';
import { parseGiven, type Readers } from './options.ts';
import { type AdmissionPolicy, readAdmission } from './settings.ts';

/**
 * What happens when a queue is full. `reject`: the new submission is rejected. `dropOldest`: the
 * new submission waits, and the submission that has waited longest is rejected. Both are rejected
 * as `queueFull`.
 */
export type OnFull = 'reject' | 'dropOldest';

export const ON_FULL = ['reject', 'dropOldest'] as const satisfies readonly OnFull[];

/** The options of one slot. */
export interface SlotOptions {
  /**
   * The policy of submissions whose spec gives none. Default: the supervisor's
   * `defaults.admission`.
   */
  readonly admission?: AdmissionPolicy | undefined;
  /**
   * How many submissions may wait in the queue. A waiting replacement and joined submissions do not
   * count. A whole number, 0 or more. `Infinity`: no limit. Default 1,000.
   */
  readonly queueLimit?: number | undefined;
  /** What happens when the queue is full. Default `reject`. */
  readonly onFull?: OnFull | undefined;
}

export interface SlotSettings {
  readonly admission: AdmissionPolicy | undefined;
  readonly queueLimit: number;
  readonly onFull: OnFull;
}

export const DEFAULT_SLOT_SETTINGS: SlotSettings = { admission: undefined, queueLimit: 1_000, onFull: 'reject' };

const READERS: Readers<SlotSettings> = {
  admission: readAdmission,
  queueLimit: (field, value) => count(field, value, 0),
  onFull: (field, value) => oneOf(field, value, ON_FULL),
};

/** The result has only the options that were given. */
export function readSlotOptions(field: string, value: unknown): Partial<SlotSettings> {
  return parseGiven(field, value, READERS);
}
