// The reading of options: once, checked, copied. A bad one throws a SpecError that names the field, and nothing is kept.
// What only a calendar can tell (an expression, text without an offset) is read in dates.ts.

import { types } from 'node:util';
import { reading, readOptions, refuse, type TaskSpec } from '../../index.ts';
import { aFunction, FURTHEST_MS, numberFrom, textOf, wholeFrom } from './check.ts';

/** Epoch ms, or text that only a time zone makes a moment of. */
export type ReadInstant = number | string;

export interface Settings {
  readonly cron?: string;
  readonly everyMs?: number;
  readonly at?: ReadInstant;
  /** Absent: the zone of the process. */
  readonly timezone?: string;
  readonly startAt: ReadInstant;
  readonly endAt: ReadInstant;
  readonly maxRuns: number;
  readonly jitterMs: number;
  readonly keep: number;
  readonly toleranceMs: number;
  readonly historySize: number;
  readonly random: (() => number) | undefined;
  readonly onError: ((error: unknown) => unknown) | undefined;
  readonly specFor: (dueMs: number) => TaskSpec;
}

export const KINDS = ['cron', 'everyMs', 'at'] as const;
/** A change of one of these makes a fixed rate count anew. */
export const COUNTING = [...KINDS, 'startAt'] as const;
/** A change of one of these makes all dates anew. */
export const DATING = [...COUNTING, 'timezone', 'endAt'] as const;
const KNOWN = [
  ...DATING,
  ...(['maxRuns', 'jitterMs', 'missed', 'toleranceMs', 'historySize', 'random', 'onError', 'task'] as const),
] as const;

const MOST_CAUGHT_UP = 1_000;

const DEFAULTS = {
  startAt: -Infinity,
  endAt: Infinity,
  maxRuns: Infinity,
  jitterMs: 0,
  keep: 0,
  toleranceMs: 60_000,
  historySize: 20,
  random: undefined,
  onError: undefined,
};

/** Where a schedule's task runs that names neither a slot nor itself. */
export type OwnSlot = Readonly<Pick<TaskSpec, 'name' | 'slot'>>;

/** Reads options over `old`; the field names that were given come along. */
export function readSettings(
  value: unknown,
  own: OwnSlot,
  old: Settings | undefined,
): { readonly settings: Settings; readonly given: ReadonlySet<string> } {
  const fields = readOptions('options', value, KNOWN);
  const given = new Set(Object.keys(fields));
  const [kind, other] = KINDS.filter((name) => given.has(name));
  if (other !== undefined) refuse(other, `does not go together with ${kind}`, fields[other]);
  if (kind === undefined && old === undefined) refuse('cron', 'or everyMs or at must be given', undefined);
  if (!given.has('task') && old === undefined) refuse('task', 'must be given', undefined);
  const draft: Record<string, unknown> = { ...DEFAULTS, ...old };
  if (kind !== undefined) for (const name of KINDS) delete draft[name];
  for (const [field, got] of Object.entries(fields)) {
    if (field === 'missed') draft.keep = readMissed(got);
    else if (field === 'task') draft.specFor = readTask(got, own);
    else draft[field] = reading(field, got, () => readField(field, got));
  }
  return { settings: draft as unknown as Settings, given };
}

function readField(field: string, got: unknown): unknown {
  switch (field) {
    case 'cron':
      return typeof got === 'string' ? got : refuse(field, 'must be a string', got);
    case 'timezone':
      return readZone(got);
    case 'everyMs':
      return numberFrom(field, got, 1, FURTHEST_MS);
    case 'maxRuns':
      return got === Infinity ? got : wholeFrom(field, got, 1, Number.MAX_SAFE_INTEGER);
    case 'jitterMs':
      return numberFrom(field, got, 0, FURTHEST_MS);
    case 'toleranceMs':
      return numberFrom(field, got, 0, Infinity);
    case 'historySize':
      return wholeFrom(field, got, 0, 10_000);
    case 'random':
    case 'onError':
      return aFunction(field, got);
    default:
      return readInstant(field, got);
  }
}

function readInstant(field: string, got: unknown): ReadInstant {
  if (typeof got === 'string') return got;
  const ms = types.isDate(got) ? Date.prototype.getTime.call(got) : got; // of whatever realm
  const none = ms === (field === 'startAt' ? -Infinity : Infinity) && field !== 'at';
  if (typeof ms === 'number' && (none || Math.abs(ms) <= FURTHEST_MS)) return none ? ms : Math.trunc(ms);
  return refuse(field, 'must be a valid Date, epoch ms or ISO 8601 text', got);
}

/** Asking the platform is slow; the answer stays the same. */
const zones = new Set<string>();
const MOST_ZONES = 1_000;

function readZone(got: unknown): string {
  if (typeof got !== 'string') return refuse('timezone', 'must be the name of a time zone', got);
  if (zones.has(got)) return got;
  try {
    new Intl.DateTimeFormat('en', { timeZone: got });
  } catch (error) {
    refuse('timezone', `must be the name of a time zone (${textOf(error)})`, got);
  }
  if (zones.size < MOST_ZONES) zones.add(got);
  return got;
}

function readMissed(got: unknown): number {
  if (got === 'skip') return 0;
  if (got === 'once') return 1;
  if (typeof got !== 'object') return refuse('missed', "must be 'skip', 'once' or { catchUp: n }", got);
  return wholeFrom('missed.catchUp', readOptions('missed', got, ['catchUp']).catchUp, 1, MOST_CAUGHT_UP);
}

function readTask(got: unknown, own: OwnSlot): (dueMs: number) => TaskSpec {
  const fields = readOptions('task', got);
  const bodyFor = readBody(fields.run);
  const where = 'slot' in fields || 'name' in fields ? {} : own;
  const spec = { ...where, admission: 'dropIfRunning', ...fields };
  return (dueMs) => ({ ...spec, run: bodyFor(dueMs) }) as TaskSpec;
}

/** Every attempt gets a date of its own. What is no body is handed on as it is: the supervisor says what is wrong with it. */
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
