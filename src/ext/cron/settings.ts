// The reading of options: once, checked, copied. A bad one throws a OptionError that names the field, and nothing is kept.
// What only a calendar can tell (an expression, text without an offset) is read in dates.ts.

import { types } from 'node:util';
import type { TaskSpec } from '../../index.ts';
import {
  aFunction,
  numberFrom,
  parseGiven,
  type Readers,
  reading,
  readOptions,
  refuse,
  systemRandom,
  wholeFrom,
} from '../../kit.ts';
import { MAX_DATE_MS, textOf } from './check.ts';

/** Epoch ms, or text that only a time zone makes a moment of. */
export type ReadInstant = number | string;

/** Which of the three kinds of dates, and what was said of it. */
export type When =
  | { readonly kind: 'cron'; readonly value: string }
  | { readonly kind: 'everyMs'; readonly value: number }
  | { readonly kind: 'at'; readonly value: ReadInstant };

/** The options that are kept under their own names. */
interface Plain {
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

export interface Settings extends Plain {
  readonly when: When;
  /** How many of the dates that came due together are run. */
  readonly keep: number;
  readonly specFor: (dueMs: number) => TaskSpec;
}

/** All options, as they are read. */
interface Given extends Plain {
  readonly cron: When;
  readonly everyMs: When;
  readonly at: When;
  readonly missed: number;
  readonly task: ReadTask;
}

/** A task that names neither a slot nor itself still needs its place. */
type ReadTask = (own: OwnSlot) => (dueMs: number) => TaskSpec;

export const KINDS = ['cron', 'everyMs', 'at'] as const;
/** A change of one of these, too, changes all dates. */
export const MOVING = ['startAt', 'timezone', 'endAt'] as const;

const MAX_CAUGHT_UP = 1_000;

const DEFAULTS: Plain = {
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

const READERS: Readers<Given> = {
  cron: (field, got) => ({
    kind: 'cron',
    value: typeof got === 'string' ? got : refuse(field, 'must be a string', got),
  }),
  everyMs: (field, got) => ({ kind: 'everyMs', value: numberFrom(field, got, 1, MAX_DATE_MS) }),
  at: (field, got) => ({ kind: 'at', value: readInstant(field, got) }),
  timezone: readZone,
  startAt: readInstant,
  endAt: readInstant,
  maxRuns: (field, got) => (got === Infinity ? got : wholeFrom(field, got, 1, Number.MAX_SAFE_INTEGER)),
  jitterMs: (field, got) => numberFrom(field, got, 0, MAX_DATE_MS),
  toleranceMs: (field, got) => numberFrom(field, got, 0, Infinity),
  historySize: (field, got) => wholeFrom(field, got, 0, 10_000),
  random: aFunction,
  onError: aFunction,
  missed: readMissed,
  task: readTask,
};

/** The slot and name of a task that gives neither. */
export type OwnSlot = Readonly<Pick<TaskSpec, 'name' | 'slot'>>;

/** Reads options over `old`. Also returns the names of the options that were given. */
export function readSettings(
  value: unknown,
  own: OwnSlot,
  old: Settings | undefined,
): { readonly settings: Settings; readonly given: ReadonlySet<string> } {
  const fields = parseGiven('options', value, READERS);
  const { cron, everyMs, at, missed, task, ...plain } = fields;
  const [when, other] = [cron, everyMs, at].filter((kind) => kind !== undefined);
  if (when !== undefined && other !== undefined)
    return refuse(other.kind, `must be absent beside ${when.kind}`, other.value);
  const dates = when ?? old?.when;
  if (dates === undefined) return refuse('options', `needs one of ${KINDS.join(', ')}`, value);
  const specFor = task?.(own) ?? old?.specFor;
  if (specFor === undefined) return refuse('task', 'must be given', undefined);
  const settings = { ...(old ?? DEFAULTS), ...plain, when: dates, keep: missed ?? old?.keep ?? 0, specFor };
  return { settings, given: new Set(Object.keys(fields)) };
}

function readInstant(field: string, got: unknown): ReadInstant {
  if (typeof got === 'string') return got;
  const ms = types.isDate(got) ? Date.prototype.getTime.call(got) : got; // of whatever realm
  const none = ms === (field === 'startAt' ? -Infinity : Infinity) && field !== 'at';
  if (typeof ms === 'number' && (none || Math.abs(ms) <= MAX_DATE_MS)) return none ? ms : Math.trunc(ms);
  return refuse(field, 'must be a valid Date, epoch ms or ISO 8601 text', got);
}

/** Asking the platform is slow, and its answer stays the same. */
const zones = new Set<string>();
const MAX_ZONES = 1_000;

function readZone(field: string, got: unknown): string {
  if (typeof got !== 'string') return refuse(field, 'must be the name of a time zone', got);
  if (zones.has(got)) return got;
  try {
    new Intl.DateTimeFormat('en', { timeZone: got });
  } catch (error) {
    refuse(field, `must be the name of a time zone (${textOf(error)})`, got);
  }
  if (zones.size < MAX_ZONES) zones.add(got);
  return got;
}

function readMissed(field: string, got: unknown): number {
  if (got === 'skip') return 0;
  if (got === 'once') return 1;
  if (typeof got !== 'object' || got === null) return refuse(field, "must be 'skip', 'once' or { catchUp: n }", got);
  return wholeFrom(`${field}.catchUp`, readOptions(field, got, ['catchUp']).catchUp, 1, MAX_CAUGHT_UP);
}

function readTask(field: string, got: unknown): ReadTask {
  const fields = readOptions(field, got);
  const bodyFor = readBody(fields.run);
  const isNamed = 'slot' in fields || 'name' in fields;
  return (own) => {
    const spec = { ...(isNamed ? {} : own), admission: 'dropIfRunning', ...fields };
    return (dueMs) => ({ ...spec, run: bodyFor(dueMs) }) as TaskSpec;
  };
}

/** Every attempt gets its own Date. A value that is not a body is passed on as it is: the supervisor refuses it. */
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
