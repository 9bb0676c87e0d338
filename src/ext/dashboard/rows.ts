// Slots and tasks as the rows that the page shows, and the caller's functions that have a say in
// them. A row is plain data: no object of the caller is kept.

import { type SlotView, slotGroup, type TaskView } from '../../index.ts';
import { cut, describe, ignored, plainPart } from '../../kit.ts';
import type { SlotRow, TaskRow } from './wire.ts';

/** What to show of a task's `meta`. */
export type ShowMeta = (meta: unknown) => unknown;

/** The longest text of a failure in a table, in UTF-16 units. The detail of a slot shows more. */
const MAX_FAILURE_TEXT = 300;

/** The longest JSON text of what `meta` shows of one task. */
const MAX_META_TEXT = 2_000;

/** The longest group, as the longest name of a slot. */
export const MAX_GROUP = 1_024;

/** The group of slots for which `group` throws, or returns no string. */
export const OTHER_GROUP = 'other';

/** The caller's `group`, so that it never throws and always gives a string. */
export function safeGroup(group: (slot: string) => unknown): (slot: string) => string {
  if (group === slotGroup) return upToColon;
  return (slot) => {
    try {
      const given = ignored(group(slot));
      return typeof given === 'string' ? cut(given, MAX_GROUP) : OTHER_GROUP;
    } catch {
      return OTHER_GROUP;
    }
  };
}

/** As `slotGroup`, for names that are valid: to check 100,000 of them takes a third of a sweep. */
function upToColon(slot: string): string {
  const end = slot.indexOf(':');
  return end === -1 ? slot : slot.slice(0, end);
}

/** The slot is in the table: it is not idle, or it was paused, or it is vital and dead. */
export function isShown({ phase, paused, queuedCount, vital }: SlotView): boolean {
  return phase !== 'idle' || paused || queuedCount > 0 || vital === 'dead';
}

/** `view` must show the first that waits. */
export function slotRow(
  { name, phase, paused, queuedCount, queued, vital, owner }: SlotView,
  meta?: ShowMeta,
): SlotRow {
  const [first] = queued;
  return {
    slot: name,
    phase,
    paused,
    waiting: queuedCount,
    ...(first !== undefined && { firstWaitsMs: Math.round(first.sinceMs) }),
    ...(vital !== undefined && { vital }),
    ...(owner !== undefined && { owner: taskRow(owner, meta) }),
  };
}

export function taskRow(task: TaskView, meta?: ShowMeta): TaskRow {
  const { id, name, policy, status, waitingFor, stop, attempt, retries, streak, nextAttemptInMs, lastFailure, joined } =
    task;
  const shown = meta && shownMeta(task.meta, meta);
  return {
    id,
    name,
    policy,
    status,
    ...(waitingFor !== undefined && { waitingFor }),
    ...(stop !== undefined && { stop: { by: stop.by, sinceMs: Math.round(stop.sinceMs) } }),
    attempt,
    retries,
    streak: streak,
    sinceMs: Math.round(task.sinceMs),
    ageMs: Math.round(task.ageMs),
    ...(nextAttemptInMs !== undefined && { nextAttemptInMs: Math.round(nextAttemptInMs) }),
    ...(lastFailure !== undefined && {
      failure: { kind: lastFailure.kind, message: cut(lastFailure.message, MAX_FAILURE_TEXT) },
    }),
    ...(joined !== undefined && { joined }),
    ...(shown !== undefined && { meta: shown }),
  };
}

/** What throws, is no JSON or is too long is shown as a text that says so. `undefined`: nothing. */
function shownMeta(meta: unknown, show: ShowMeta): unknown {
  try {
    const given = ignored(show(meta));
    if (given === undefined) return undefined;
    const shown = plainPart(given);
    const { length } = JSON.stringify(shown);
    return length > MAX_META_TEXT ? `[not shown: ${length} characters]` : shown;
  } catch (error) {
    return `[not shown: ${cut(describe(error), MAX_FAILURE_TEXT)}]`;
  }
}
