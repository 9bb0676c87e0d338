// A batch before anything happens: what would become of each entry on the slots as they stand.

import type { Rejection } from '../model/outcome.ts';
import { type Found, Rehearsal } from '../policy/batch.ts';
import type { Slots } from './slots.ts';
import type { LiveSubmission } from './submission.ts';

/** Why entries of the batch would be turned away, each with its own reason; `undefined` when none would. */
export function rehearse(
  batch: readonly LiveSubmission[],
  slots: Slots,
  ownedAs: 'running' | 'waiting',
): Map<LiveSubmission, Rejection> | undefined {
  const { bounds, size, pending } = slots;
  const rehearsal = new Rehearsal({ slots: bounds.slots - size, pending: bounds.pending - pending }, ownedAs);
  const rejections = new Map<LiveSubmission, Rejection>();
  for (const submission of batch) {
    const { slot, policy } = submission;
    const reason = submission.isUnwanted
      ? 'canceled'
      : rehearsal.add(slot, () => find(slots, slot), policy, slots.settings(slot));
    if (reason === undefined) continue;
    const by = reason === 'slotBusy' ? slots.machine(slot)?.occupant?.id : undefined;
    rejections.set(submission, by === undefined ? { reason } : { reason, by });
  }
  return rejections.size === 0 ? undefined : rejections;
}

function find(slots: Slots, name: string): Found | undefined {
  const machine = slots.machine(name);
  if (machine === undefined) return undefined;
  const { phase, paused, hasNext } = machine;
  const line = [...machine.waiting()].filter(({ place }) => place === 'line').map(({ policy }) => policy);
  return { phase, paused, hasNext, line };
}
