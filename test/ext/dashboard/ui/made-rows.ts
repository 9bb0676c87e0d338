// Rows as the server sends them.

import type { SlotRow, TaskRow } from '../../../../src/ext/dashboard/wire.ts';

export const task = (fields: Partial<TaskRow> = {}): TaskRow => ({
  id: 'x-1',
  name: 'import',
  policy: 'queue',
  status: 'running',
  attempt: 1,
  retries: 0,
  streak: 0,
  sinceMs: 0,
  ageMs: 0,
  ...fields,
});

/** With an owner, unless it is `ownerless`. */
export const slot = (fields: Partial<SlotRow> = {}, kind?: 'ownerless'): SlotRow => ({
  slot: 'a',
  phase: kind === undefined ? 'running' : 'idle',
  paused: false,
  waiting: 0,
  ...(kind === undefined && { owner: task() }),
  ...fields,
});
