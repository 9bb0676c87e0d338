// One slot in full: its row, why it does not run what it should, its line, and what is remembered
// of it.

import type { Clock, Supervisor, TaskView } from '../../index.ts';
import { errorRowOf } from './error-row.ts';
import { isShown, type ShowMeta, slotRow, taskRow } from './rows.ts';
import { type AttemptRow, type EventRow, MAX_LINE, type SlotDetail, type SlotFailure } from './wire.ts';

/** What is remembered of slots. */
export interface SlotMemory {
  attemptsOf(slot: string): readonly AttemptRow[];
  lastFailureOf(slot: string): SlotFailure | undefined;
  eventsOf(slot: string, limit: number): readonly EventRow[];
}

/** How many events of a slot are shown. */
const MAX_SLOT_EVENTS = 20;

/**
 * Undefined for a slot that is idle, and of which nothing is remembered.
 *
 * @throws OptionError for a name that no slot can have.
 */
export function slotDetail(
  supervisor: Pick<Supervisor, 'clock' | 'slot'>,
  memory: SlotMemory,
  name: string,
  { meta }: { readonly meta?: ShowMeta | undefined },
): SlotDetail | undefined {
  const slot = supervisor.slot(name);
  const view = slot.view({ queued: MAX_LINE });
  const attempts = memory.attemptsOf(name);
  const lastFailure = memory.lastFailureOf(name) ?? failureBefore(view.owner, supervisor.clock);
  const events = memory.eventsOf(name, MAX_SLOT_EVENTS);
  const row = isShown(view) ? slotRow(view, meta) : null;
  if (row === null && lastFailure === undefined && attempts.length + events.length === 0) return undefined;
  return {
    slot: name,
    row,
    explain: slot.explain(),
    line: view.queued.map((task) => taskRow(task, meta)),
    attempts,
    ...(lastFailure !== undefined && { lastFailure }),
    events,
  };
}

/**
 * The failure that a task in backoff waits after, also where it is not remembered. Of any other
 * task it is not known when it failed last.
 */
function failureBefore(owner: TaskView | undefined, clock: Clock): SlotFailure | undefined {
  if (owner?.status !== 'backoff' || owner.lastFailure === undefined) return undefined;
  const { id, name, attempt, sinceMs, lastFailure } = owner;
  const error = errorRowOf(lastFailure, true);
  const { kind, message } = lastFailure;
  const at = Math.round(clock.wallNow() - sinceMs);
  return { at, id, name, attempt, kind, message, ...(error !== undefined && { error }) };
}
