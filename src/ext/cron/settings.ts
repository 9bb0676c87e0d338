// Reads the options of a schedule: each once, checked and copied. An invalid option throws an
// OptionError that names the field, and nothing is kept. dates.ts reads what needs a calendar:
// expressions, and text without an offset.

import { types } from 'node:util';
import type { TaskSpec } from '../../index.ts';
import {
  aFunction,
  anObject,
  bare,
  nameText,
  numberFrom,
  parseGiven,
  RESTARTABLE,
  type Readers,
  readFields,
  reading,
  refuse,
  SPEC_KEYS,
  systemRandom,
  wholeFrom,
} from '../../kit.ts';
import { MAX_DATE_MS } from './calendar.ts';
import { type DateClaims, readClaims } from './claims.ts';
import { textOf } from './error-text.ts';

/** Epoch ms, or text whose moment depends on the time zone. */
export type ReadInstant = number | string;

/** The kind of dates, with the value of its option. */
export type When =
  | { readonly kind: 'cron'; readonly value: string }
  | { readonly kind: 'everyMs'; readonly value: number }
  | { readonly kind: 'at'; readonly value: ReadInstant };

/** The options that `Settings` has under their own names. */
interface PlainSettings {
  /** `undefined`: the zone of the process. */
  readonly timezone: string | undefined;
  readonly startAt: ReadInstant;
  readonly endAt: ReadInstant;
  readonly maxRuns: number;
  readonly jitterMs: number;
  readonly toleranceMs: number;
  readonly historySize: number;
  readonly random: () => number;
  readonly onError: ((error: unknown) => unknown) | undefined;
}

export interface Settings extends PlainSettings {
  readonly when: When;
  /** The name that was given. */
  readonly name: string | undefined;
  readonly claims: DateClaims | undefined;
  /** How many of the dates that are due together run, however late: 0 for `skip`, 1 for `once`. */
  readonly keep: number;
  readonly task: ReadTask;
}

/** A task that was read. It has a slot or a name: its own, or that of the schedule. */
export interface ReadTask {
  /** The spec of the run for the date `dueMs`. */
  readonly specFor: (dueMs: number) => TaskSpec;
  readonly slot: string;
  /** It was given a slot or a name. */
  readonly isNamed: boolean;
}

/** All options, after each was read. */
interface ReadFields extends PlainSettings {
  readonly cron: When;
  readonly everyMs: When;
  readonly at: When;
  readonly missed: number;
  readonly task: (own: OwnSlot) => ReadTask;
  readonly name: string;
  readonly claims: DateClaims;
}

export const KINDS = ['cron', 'everyMs', 'at'] as const;
/** Options beside `KINDS` that can leave no future run. */
export const DATE_OPTIONS = ['startAt', 'timezone', 'endAt'] as const;

const MAX_CAUGHT_UP = 1_000;

const DEFAULTS: PlainSettings & Pick<Settings, 'name' | 'claims'> = {
  name: undefined,
  claims: undefined,
  timezone: undefined,
  startAt: -Infinity,
  endAt: Infinity,
  maxRuns: Infinity,
  jitterMs: 0,
  toleranceMs: 60_000,
  historySize: 20,
  random: systemRandom,
  onError: undefined,
};

const READERS: Readers<ReadFields> = {
  cron: (field, got) => ({
    kind: 'cron',
    value: typeof got === 'string' ? got : refuse(field, 'must be a string', got),
  }),
  everyMs: (field, got) => ({ kind: 'everyMs', value: readPeriod(field, got) }),
  at: (field, got) => ({ kind: 'at', value: readInstant(field, got) }),
  timezone: readZone,
  startAt: readInstant,
  endAt: readInstant,
  maxRuns: readMaxRuns,
  jitterMs: (field, got) => numberFrom(field, got, 0, MAX_DATE_MS),
  toleranceMs: (field, got) => numberFrom(field, got, 0, Infinity),
  historySize: (field, got) => wholeFrom(field, got, 0, 10_000),
  random: aFunction,
  onError: aFunction,
  missed: readMissed,
  task: readTask,
  name: nameText,
  claims: readClaims,
};

/** Options that an update cannot change: other processes know the schedule by them. */
const FIXED = ['name', 'claims'] as const;

/** For the hint about an option that was given beside `task`, and not in it. */
const TASK_OPTIONS = SPEC_KEYS.map((key) => `task.${key}`);

/** The slot and the name for a task that has neither. */
export type OwnSlot = Readonly<Pick<TaskSpec, 'name' | 'slot'>>;

/**
 * Reads options. An option that is absent keeps its value from `oldNow()`, or gets its default.
 *
 * @param oldNow called after the options were read: a getter of theirs may call `update` itself.
 * @returns the settings, and the names of the options that were given.
 */
export function readSettings(
  value: unknown,
  own: OwnSlot,
  oldNow: () => Settings | undefined,
): { readonly settings: Settings; readonly given: ReadonlySet<string> } {
  anObject('options', value, 'must be an object, such as { cron, task }');
  const fields = parseGiven('options', value, READERS, TASK_OPTIONS);
  const old = oldNow();
  for (const field of FIXED)
    if (old !== undefined && field in fields) refuse(field, 'must not be changed by an update', fields[field]);
  const { cron, everyMs, at, missed, task: readTaskFor, ...plain } = fields;
  const [when, other] = [cron, everyMs, at].filter((kind) => kind !== undefined);
  if (when !== undefined && other !== undefined)
    return refuse(other.kind, `must not be combined with ${when.kind}`, other.value);
  const dates = when ?? old?.when;
  if (dates === undefined) return refuse('options', `needs one of ${KINDS.join(', ')}`, value);
  const task = readTaskFor?.(own) ?? old?.task;
  if (task === undefined) return refuse('task', 'must be given', undefined);
  const settings = { ...(old ?? DEFAULTS), ...plain, when: dates, keep: missed ?? old?.keep ?? 0, task };
  if (settings.claims !== undefined) checkClaimed(settings);
  return { settings, given: new Set(Object.keys(fields)) };
}

/** With claims, every process must find the same dates under the same name. */
function checkClaimed({ name, task, when, timezone, startAt, endAt }: Settings): void {
  if (name === undefined) refuse('name', 'must be given with claims', name);
  if (!task.isNamed) refuse('task.slot', 'must be given with claims (or task.name)', undefined);
  if (when.kind === 'everyMs' && startAt === -Infinity)
    refuse('startAt', 'must be given with claims and everyMs', undefined);
  const hasLocalTime = when.kind === 'cron' || [when.value, startAt, endAt].some(isLocal);
  if (hasLocalTime && timezone === undefined) refuse('timezone', 'must be given with claims', undefined);
}

/** Text without an offset. */
const isLocal = (instant: ReadInstant): boolean => typeof instant === 'string' && !/(Z|[+-]\d{2}:\d{2})$/.test(instant);

/** What an update changes. Options that are given with the values that they had change nothing. */
export interface Changes {
  /** Another expression, rate or date. */
  readonly when: boolean;
  readonly zone: boolean;
  readonly start: boolean;
  readonly end: boolean;
  /** What is decided about late dates. */
  readonly policy: boolean;
}

export function changesOf(settings: Settings, old: Settings): Changes {
  return {
    when: settings.when.kind !== old.when.kind || settings.when.value !== old.when.value,
    zone: settings.timezone !== old.timezone,
    start: settings.startAt !== old.startAt,
    end: settings.endAt !== old.endAt,
    policy: settings.keep !== old.keep || settings.toleranceMs !== old.toleranceMs,
  };
}

function readPeriod(field: string, got: unknown): number {
  if (typeof got === 'number' && got >= 1 && got <= MAX_DATE_MS) return got;
  return refuse(field, 'must be a number of ms, 1 or more', got);
}

function readMaxRuns(field: string, got: unknown): number {
  if (got === Infinity || (Number.isSafeInteger(got) && (got as number) >= 1)) return got as number;
  return refuse(field, 'must be a whole number, 1 or more (Infinity means no limit)', got);
}

function readInstant(field: string, got: unknown): ReadInstant {
  if (typeof got === 'string') return got;
  // A Date may come from another realm.
  const ms = types.isDate(got) ? Date.prototype.getTime.call(got) : got;
  const isUnlimited = ms === (field === 'startAt' ? -Infinity : Infinity) && field !== 'at';
  if (typeof ms === 'number' && (isUnlimited || Math.abs(ms) <= MAX_DATE_MS)) return isUnlimited ? ms : Math.trunc(ms);
  return refuse(field, 'must be a valid Date, epoch ms or ISO 8601 text', got);
}

/** Valid zone names. Asking the platform is slow, and its answer never changes. */
const zones = new Set<string>();
const MAX_ZONES = 1_000;

function readZone(field: string, got: unknown): string {
  if (typeof got !== 'string') return refuse(field, 'must be the name of a time zone', got);
  if (zones.has(got)) return got;
  try {
    new Intl.DateTimeFormat('en', bare({ timeZone: got }));
  } catch (error) {
    refuse(field, `must be the name of a time zone (${textOf(error)})`, got);
  }
  if (zones.size < MAX_ZONES) zones.add(got);
  return got;
}

function readCatchUp(field: string, got: unknown): number {
  return wholeFrom(field, got, 1, MAX_CAUGHT_UP);
}

function readMissed(field: string, got: unknown): number {
  if (got === 'skip') return 0;
  if (got === 'once') return 1;
  if (typeof got !== 'object' || got === null) return refuse(field, "must be 'skip', 'once' or { catchUp: n }", got);
  const { catchUp } = parseGiven<{ catchUp: number }>(field, got, { catchUp: readCatchUp });
  return catchUp ?? readCatchUp(`${field}.catchUp`, undefined);
}

function readTask(field: string, got: unknown): (own: OwnSlot) => ReadTask {
  const fields = readFields(field, got, ['slot']); // the supervisor refuses `slot: undefined`
  const bodyFor = readBody(fields.run);
  const isNamed = 'slot' in fields || 'name' in fields;
  const mark = Object.hasOwn(got as object, RESTARTABLE) && { [RESTARTABLE]: true };
  return (own) => {
    const spec = { ...(isNamed ? {} : own), admission: 'dropIfRunning', ...fields, ...mark } as Partial<TaskSpec>;
    return {
      specFor: (dueMs) => ({ ...spec, run: bodyFor(dueMs) }) as TaskSpec,
      slot: (spec.slot ?? spec.name) as string,
      isNamed,
    };
  };
}

/**
 * Every attempt gets its own `Date`. A value that is no body is returned as is: the supervisor
 * refuses it.
 */
function readBody(run: unknown): (dueMs: number) => unknown {
  type Call = (...given: unknown[]) => unknown;
  if (typeof run === 'function') return (dueMs) => (ctx: unknown) => (run as Call)(ctx, new Date(dueMs));
  if (typeof run !== 'object' || run === null) return () => run;
  const [body, kill] = reading('task.run', run, () => [(run as { run?: Call }).run, (run as { kill?: Call }).kill]);
  if (typeof body !== 'function' || typeof kill !== 'function') return () => run;
  return (dueMs) => ({
    run: (ctx: unknown) => body.call(run, ctx, new Date(dueMs)),
    kill: (ctx: unknown) => kill.call(run, ctx),
  });
}
