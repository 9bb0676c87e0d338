// What a logger gets of one event, beside its level and its sentence.

import { eventRecord, type TaskEvent } from '../../index.ts';
import { isError, plainPart, printable } from '../../kit.ts';

/** The fields of a record that are names. Names are often made from what a client sent. */
const NAMES = ['slot', 'name', 'subscriber'] as const;

type ShowMeta = (meta: unknown) => unknown;

export interface LineFields {
  readonly err?: unknown;
  readonly [field: string]: unknown;
}

/**
 * The record of the event under `key`, and what was thrown under `err`: an error as it is, for the
 * serializer of the logger, and any other value as JSON can hold it.
 */
export function fieldsOf(event: TaskEvent, key: string, meta: ShowMeta | undefined): LineFields {
  const thrown = thrownIn(event);
  if (thrown === undefined) return { [key]: recordOf(event, meta) };
  const { error } = thrown;
  return { [key]: recordOf(withoutError(event), meta), err: isError(error) ? error : plainPart(error) };
}

/** What holds the thrown value, because `undefined` can be thrown, too. */
export function thrownIn(event: TaskEvent): { readonly error: unknown } | undefined {
  if (event.type === 'subscriberFailed') return event;
  const failure = 'failure' in event ? event.failure : undefined;
  return failure?.kind === 'thrown' ? failure : undefined;
}

/** A record has no field that is undefined. */
function withoutError(event: TaskEvent): TaskEvent {
  if (event.type === 'subscriberFailed') return { ...event, error: undefined };
  return { ...event, failure: { ...(event as { failure?: object }).failure, error: undefined } } as TaskEvent;
}

function recordOf(event: TaskEvent, meta: ShowMeta | undefined): object {
  const isShown = meta !== undefined && 'meta' in event && event.meta !== undefined;
  const record: { [field: string]: unknown } = eventRecord(event, isShown ? { meta } : undefined);
  if (record.fence === '0') delete record.fence; // leases are local
  for (const field of NAMES) if (typeof record[field] === 'string') record[field] = printable(record[field]);
  if (event.type === 'shutdownFinished') record.stuck = event.stuck.map(printable);
  return record;
}
