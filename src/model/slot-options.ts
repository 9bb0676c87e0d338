// The options of a slot: what its submissions inherit, and how long its queue may get.

import { count, oneOf } from './check.ts';
import { parseGiven, type Readers } from './options.ts';
import { type AdmissionPolicy, readAdmission } from './settings.ts';

export const ON_FULL = ['reject', 'dropOldest'] as const;

/** What a full queue does. `reject`: the new submission is rejected. `dropOldest`: the one that has waited longest is. */
export type OnFull = (typeof ON_FULL)[number];

export interface SlotOptions {
  /** For submissions whose spec gives none. Default: the supervisor's. */
  readonly admission?: AdmissionPolicy | undefined;
  /** How many submissions may wait. A waiting replacement does not count. With 0 none may wait. Default 100. */
  readonly queueLimit?: number | undefined;
  /** Default `reject`. */
  readonly onFull?: OnFull | undefined;
}

export interface SlotSettings {
  readonly admission: AdmissionPolicy | undefined;
  readonly queueLimit: number;
  readonly onFull: OnFull;
}

export const DEFAULT_SLOT_SETTINGS: SlotSettings = { admission: undefined, queueLimit: 100, onFull: 'reject' };

const READERS: Readers<SlotSettings> = {
  admission: readAdmission,
  queueLimit: (field, value) => count(field, value, 0),
  onFull: (field, value) => oneOf(field, value, ON_FULL),
};

/** Only the options that were given. */
export function readSlotOptions(field: string, value: unknown): Partial<SlotSettings> {
  return parseGiven(field, value, READERS);
}
