// The admission table: what a slot does with one more submission. One function, used for the decision itself and for
// rehearsing a batch, so that the two cannot differ.

import type { AdmissionPolicy } from '../model/settings.ts';

/** What the table looks at. */
export interface Standing {
  readonly phase: 'idle' | 'waiting' | 'running' | 'stopping';
  readonly paused: boolean;
  /** A replacement waits. */
  readonly hasNext: boolean;
  /** A `keepLatest` waits. */
  readonly hasLatest: boolean;
  /** Submissions in line, the next apart. */
  readonly inLine: number;
}

/** The bounds that hold for this submission. */
export interface Room {
  readonly queueLimit: number;
  readonly onFull: 'reject' | 'dropOldest';
  /** False when the supervisor holds as many waiting submissions as it may. */
  readonly mayWait: boolean;
}

export type Verdict =
  | 'start'
  | 'next'
  | 'append'
  | 'takeLatest'
  | 'dropOldest'
  | 'join'
  | 'slotBusy'
  | 'queueFull'
  | 'resourceLimit';

export function admit(slot: Standing, policy: AdmissionPolicy, room: Room): Verdict {
  if (slot.phase === 'idle' && !slot.paused) return 'start';
  switch (policy) {
    case 'queue':
      return append(slot, room);
    case 'replace':
      return slot.hasNext || room.mayWait ? 'next' : 'resourceLimit';
    case 'dropIfRunning':
      return isTaken(slot) ? 'slotBusy' : append(slot, room);
    case 'keepLatest':
      return slot.hasLatest ? 'takeLatest' : append(slot, room);
    case 'join':
      return slot.phase === 'running' ? 'join' : append(slot, room);
  }
}

/** Owned, or about to be: while the lease is asked for, whoever waits first has the owner's part. */
function isTaken(slot: Standing): boolean {
  if (slot.phase === 'running' || slot.phase === 'stopping') return true;
  return !slot.paused && (slot.hasNext || slot.inLine > 0);
}

/** How many of the line count to the limit: while the lease is asked for, its head has the owner's part. */
export function counted(slot: Standing): number {
  return slot.phase === 'waiting' && !slot.hasNext ? slot.inLine - 1 : slot.inLine;
}

function append(slot: Standing, room: Room): Verdict {
  const behind = counted(slot);
  if (behind < room.queueLimit) return room.mayWait ? 'append' : 'resourceLimit';
  return room.onFull === 'dropOldest' && room.queueLimit > 0 ? 'dropOldest' : 'queueFull';
}
