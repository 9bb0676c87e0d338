// The admission table: what a slot does with one more submission. A dry run of a batch uses the
// same table.

import type { AdmissionPolicy } from '../model/settings.ts';

/** The part of a slot's state that the decision depends on. */
export interface SlotState {
  readonly phase: 'idle' | 'waiting' | 'running' | 'stopping';
  readonly paused: boolean;
  /** A replacement waits. */
  readonly hasReplacement: boolean;
  /** A `keepLatest` waits. */
  readonly hasLatest: boolean;
  /** Submissions in the queue. A waiting replacement does not count. */
  readonly queueLength: number;
}

/** The limits that apply to this submission. */
export interface Limits {
  readonly queueLimit: number;
  readonly onFull: 'reject' | 'dropOldest';
  /** False when `limits.pending` submissions wait already. */
  readonly mayWait: boolean;
  /** A start would have to wait neither for a lease nor at the concurrency gate. */
  readonly mayStart: boolean;
}

export type Admitted = 'start' | 'replaceOwner' | 'append' | 'takeLatest' | 'dropOldest' | 'join';
/** The submission is turned away. */
export type Refusal = 'slotBusy' | 'queueFull' | 'resourceLimit' | 'shuttingDown';
export type Verdict = Admitted | Refusal;

export function isRefusal(verdict: Verdict): verdict is Refusal {
  return verdict === 'slotBusy' || verdict === 'queueFull' || verdict === 'resourceLimit' || verdict === 'shuttingDown';
}

export function admit(slot: SlotState, policy: AdmissionPolicy, limits: Limits): Verdict {
  if (slot.phase === 'idle' && !slot.paused) return start(limits);
  switch (policy) {
    case 'queue':
      return append(slot, limits);
    case 'replace':
      return slot.hasReplacement || slot.hasLatest || limits.mayWait ? 'replaceOwner' : 'resourceLimit';
    case 'dropIfRunning':
      return isTaken(slot) ? 'slotBusy' : append(slot, limits);
    case 'keepLatest':
      return slot.hasLatest ? 'takeLatest' : append(slot, limits);
    case 'join':
      return slot.phase === 'running' || hasWaiting(slot) ? 'join' : append(slot, limits);
  }
}

const hasWaiting = (slot: SlotState): boolean => slot.hasReplacement || slot.queueLength > 0;

function isTaken(slot: SlotState): boolean {
  return slot.phase === 'running' || slot.phase === 'stopping' || hasWaiting(slot);
}

/** Any other start waits for its first attempt. */
function start(limits: Limits): Verdict {
  return limits.mayStart || limits.mayWait ? 'start' : 'resourceLimit';
}

/**
 * How many submissions of the queue count to `queueLimit`. While the lease is requested, the head
 * of the queue counts as the owner.
 */
export function queuedBehindCandidate(slot: SlotState): number {
  return slot.phase === 'waiting' && !slot.hasReplacement ? slot.queueLength - 1 : slot.queueLength;
}

function append(slot: SlotState, limits: Limits): Verdict {
  const behind = queuedBehindCandidate(slot);
  if (behind < limits.queueLimit) return limits.mayWait ? 'append' : 'resourceLimit';
  return limits.onFull === 'dropOldest' && limits.queueLimit > 0 ? 'dropOldest' : 'queueFull';
}
