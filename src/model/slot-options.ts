// How a slot is configured: what a submission to it inherits, and how long its line may get.

import { count, oneOf, pathOf, readOptions } from './check.ts';
import { type AdmissionPolicy, parseAdmission } from './settings.ts';

export interface SlotOptions {
  readonly admission?: AdmissionPolicy | undefined;
  /** Submissions that may wait in line; a waiting replacement does not count. 0 turns every queued submission away. Default 100. */
  readonly queueLimit?: number | undefined;
  /** Who is rejected when the queue is full: the newcomer, or the one that has waited longest. Default `reject`. */
  readonly onFull?: 'reject' | 'dropOldest' | undefined;
}

export interface SlotSettings {
  readonly admission: AdmissionPolicy | undefined;
  readonly queueLimit: number;
  readonly onFull: 'reject' | 'dropOldest';
}

export const DEFAULT_SLOT_SETTINGS: SlotSettings = Object.freeze({
  admission: undefined,
  queueLimit: 100,
  onFull: 'reject',
});

const NAMES = Object.keys(DEFAULT_SLOT_SETTINGS) as (keyof SlotOptions)[];
const ON_FULL = ['reject', 'dropOldest'] as const;

export function parseSlotOptions(field: string, value: unknown, base: SlotSettings): SlotSettings {
  const { admission, queueLimit, onFull } = { ...base, ...readOptions(field, value, NAMES) };
  return Object.freeze({
    admission: admission === undefined ? undefined : parseAdmission(pathOf(field, 'admission'), admission),
    queueLimit: count(pathOf(field, 'queueLimit'), queueLimit, 0),
    onFull: oneOf(pathOf(field, 'onFull'), onFull, ON_FULL),
  });
}
