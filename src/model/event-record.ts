// An event as a line of a structured log.

import { refuse } from './check.ts';
import { fromCaller } from './error.ts';
import type { TaskEvent, TaskEventType } from './event.ts';
import { describe } from './foreign.ts';
import { parse } from './options.ts';
import { notJson, plainOf, plainPart } from './record.ts';

/** What {@link eventRecord} returns: the fields of the event, as JSON can hold them. */
export interface EventRecord {
  /** Strictly increasing within one supervisor. */
  readonly seq: number;
  /** When the event was published, in epoch ms. */
  readonly at: number;
  /** The type of the event. */
  readonly type: TaskEventType;
  /** The other fields of the event. */
  readonly [field: string]: unknown;
}

/** The options of {@link eventRecord}. */
export interface EventRecordOptions {
  /**
   * `true`: the record has the event's `meta`. A function: it has what the function returns for it,
   * and the function is called only for an event of a submission.
   * Default `false`: it has none, because `meta` may hold what must not be logged.
   */
  readonly meta?: boolean | ((meta: unknown) => unknown) | undefined;
}

type ShowMeta = NonNullable<EventRecordOptions['meta']>;

const DEFAULTS: { readonly meta: ShowMeta } = { meta: false };

/**
 * A plain copy of an event for a structured log. `JSON.stringify` of it never throws, whatever user
 * code put into the event: a bigint is decimal text, an error is `{ name, message, code, stack,
 * cause }` with up to four causes, and a part that cannot be written is `"[not JSON: <why>]"`.
 * Fields that are undefined are left out.
 *
 * @throws OptionError for an invalid option.
 */
export function eventRecord(event: TaskEvent, options?: EventRecordOptions): EventRecord {
  const { meta: asked } = options === undefined ? DEFAULTS : fromCaller(eventRecord, () => readOptions(options));
  const plain = plainOf(event, 'meta');
  const isShown = asked !== false && 'meta' in event; // events of a slot or of the supervisor have none
  const meta = isShown ? shownMeta(event.meta, asked) : undefined;
  if (meta !== undefined) plain.meta = plainPart(meta);
  return plain as unknown as EventRecord;
}

function readOptions(options: EventRecordOptions): typeof DEFAULTS {
  return parse('options', options, { meta: readMeta }, DEFAULTS);
}

function readMeta(field: string, value: unknown): ShowMeta {
  if (typeof value === 'boolean' || typeof value === 'function') return value as ShowMeta;
  return refuse(field, 'must be true, false or a function', value);
}

function shownMeta(meta: unknown, asked: Exclude<ShowMeta, false>): unknown {
  try {
    return asked === true ? meta : asked(meta);
  } catch (error) {
    return notJson(describe(error));
  }
}
