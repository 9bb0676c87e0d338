// The classes of the events about a submission. The events that every run publishes have one each.
// Each constructor sets all fields itself. A common function for the common fields would meet the
// objects of all classes, and took 13 % of a run (measured).

import type { EventOf, TaskEvent, TaskEventBase } from './event.ts';
import { recordClass } from './record.ts';
import type { AdmissionPolicy } from './settings.ts';

/** The submission that an event names. */
export type Subject = Pick<TaskEventBase, 'id' | 'slot' | 'name' | 'meta'>;

type SubmissionEventType = Extract<TaskEvent, TaskEventBase>['type'];

type Start = [seq: number, at: number, of: Subject];

/** An event of any type. Its other fields follow. */
export const AnyEvent = recordClass<
  [...Start, type: SubmissionEventType],
  TaskEventBase & { readonly type: SubmissionEventType }
>(function (seq, at, { id, slot, name, meta }, type) {
  this.seq = seq;
  this.at = at;
  this.type = type;
  this.id = id;
  this.slot = slot;
  this.name = name;
  this.meta = meta;
});

export const Submitted = recordClass<[...Start, policy: AdmissionPolicy], EventOf<'submitted'>>(function (
  seq,
  at,
  { id, slot, name, meta },
  policy,
) {
  this.seq = seq;
  this.at = at;
  this.type = 'submitted';
  this.id = id;
  this.slot = slot;
  this.name = name;
  this.meta = meta;
  this.policy = policy;
});

export const Queued = recordClass<[...Start, depth: number], EventOf<'queued'>>(function (
  seq,
  at,
  { id, slot, name, meta },
  depth,
) {
  this.seq = seq;
  this.at = at;
  this.type = 'queued';
  this.id = id;
  this.slot = slot;
  this.name = name;
  this.meta = meta;
  this.depth = depth;
});

export const Started = recordClass<[...Start, waitedMs: number, fence: bigint], EventOf<'started'>>(function (
  seq,
  at,
  { id, slot, name, meta },
  waitedMs,
  fence,
) {
  this.seq = seq;
  this.at = at;
  this.type = 'started';
  this.id = id;
  this.slot = slot;
  this.name = name;
  this.meta = meta;
  this.waitedMs = waitedMs;
  this.fence = fence;
});

export const AttemptStarted = recordClass<
  [...Start, attempt: number, waitedMs: number | undefined],
  EventOf<'attemptStarted'>
>(function (seq, at, { id, slot, name, meta }, attempt, waitedMs) {
  this.seq = seq;
  this.at = at;
  this.type = 'attemptStarted';
  this.id = id;
  this.slot = slot;
  this.name = name;
  this.meta = meta;
  this.attempt = attempt;
  if (waitedMs !== undefined) this.waitedMs = waitedMs;
});

export const AttemptSucceeded = recordClass<
  [...Start, attempt: number, durationMs: number],
  EventOf<'attemptSucceeded'>
>(function (seq, at, { id, slot, name, meta }, attempt, durationMs) {
  this.seq = seq;
  this.at = at;
  this.type = 'attemptSucceeded';
  this.id = id;
  this.slot = slot;
  this.name = name;
  this.meta = meta;
  this.attempt = attempt;
  this.durationMs = durationMs;
});

export const Completed = recordClass<[...Start, attempts: number, ranMs: number], EventOf<'finished'>>(function (
  seq,
  at,
  { id, slot, name, meta },
  attempts,
  ranMs,
) {
  this.seq = seq;
  this.at = at;
  this.type = 'finished';
  this.id = id;
  this.slot = slot;
  this.name = name;
  this.meta = meta;
  this.outcome = 'completed';
  this.attempts = attempts;
  this.ranMs = ranMs;
});
