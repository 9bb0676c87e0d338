// How a slot is configured: what a submission to it inherits, and how long its line may get.

import { count, fieldsOf, oneOf, refuseUnknown } from './check.ts';
import { type AdmissionPolicy, parseAdmission } from './spec.ts';

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

export function parseSlotOptions(field: string, value: unknown, base: SlotSettings): SlotSettings {
  const draft: { -readonly [K in keyof SlotSettings]: SlotSettings[K] } = { ...base };
  for (const [key, got] of fieldsOf(field, value)) {
    const name = `${field}.${key}`;
    if (got === undefined && Object.hasOwn(DEFAULT_SLOT_SETTINGS, key)) continue;
    if (key === 'admission') draft.admission = parseAdmission(name, got);
    else if (key === 'queueLimit') draft.queueLimit = count(name, got, 0);
    else if (key === 'onFull') draft.onFull = oneOf(name, got, ['reject', 'dropOldest'] as const);
    else refuseUnknown(`${field}.`, key, got, Object.keys(DEFAULT_SLOT_SETTINGS));
  }
  return Object.freeze(draft);
}
