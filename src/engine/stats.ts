// The counts of a supervisor, gathered from where they are kept: ledger, gate, events and slots.
// Nothing that grows is walked.

import { record } from '../model/record.ts';
import type { Stats } from '../model/view.ts';
import type { Runtime } from './runtime.ts';

export function statsOf({ ledger, gate, events }: Runtime, slotCount: number, phase: Stats['phase']): Stats {
  const { owners, queued, pending, statuses, abandonedAlive } = ledger;
  const shownAsQueued = queued + ledger.unsettled;
  const { paused, concurrency, inside } = gate;
  return record({
    phase,
    totals: { ...ledger.totals },
    rejections: { ...ledger.rejections },
    failures: { ...ledger.failures },
    tasks: { queued: shownAsQueued, ...statuses.shown },
    joined: ledger.size - shownAsQueued - statuses.owners,
    slotCount,
    owners,
    bodies: gate.begun,
    queued,
    pending,
    gate: { paused, concurrency, inside, queued: gate.queued },
    overrun: statuses.overrun,
    abandonedAlive,
    eventsDropped: events.lost,
  });
}
