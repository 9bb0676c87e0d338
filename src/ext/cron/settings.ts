// The reading of options: once, checked, copied. A bad one throws a SpecError that names the field, and nothing is kept.
// What only a calendar can tell (an expression, text without an offset) is read in dates.ts.

import type { TaskSpec } from '../../index.ts';
import { aFunction, FURTHEST_MS, fieldsOf, numberFrom, read, refuse, textOf, wholeFrom } from './check.ts';

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
  readonly specFor: (due: Date) => TaskSpec;
}

const KINDS = ['cron', 'everyMs', 'at'] as const;
/** A change of one of these makes a fixed rate count anew. */
export const COUNTING = [...KINDS, 'startAt'] as const;
/** A change of one of these makes all dates anew. */
export const DATING = [...COUNTING, 'timezone', 'endAt'] as const;
const KNOWN: readonly string[] = [
  ...DATING,
  ...['maxRuns', 'jitterMs', 'missed', 'toleranceMs', 'historySize', 'random', 'onError', 'task'],
];

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

/** Reads options over `old`; the field names that were given come along. */
export function readOptions(
  value: unknown,
  slot: string,
  old: Settings | undefined,
): { readonly settings: Settings; readonly given: ReadonlySet<string> } {
  const fields = fieldsOf('options', value, KNOWN);
  const given = new Set(fields.keys());
  const kinds = KINDS.filter((kind) => given.has(kind));
  if (kinds.length > 1) refuse(String(kinds[1]), `does not go together with ${kinds[0]}`, fields.get(String(kinds[1])));
  if (kinds.length === 0 && old === undefined) refuse('cron', 'or everyMs or at must be given', undefined);
  if (!given.has('task') && old === undefined) refuse('task', 'must be given', undefined);
  const draft: Record<string, unknown> = { ...DEFAULTS, ...old };
  if (kinds.length === 1) for (const kind of KINDS) delete draft[kind];
  for (const [field, got] of fields) {
    if (field === 'missed') draft.keep = readMissed(got);
    else if (field === 'task') draft.specFor = readTask(got, slot);
    else draft[field] = read(field, () => readField(field, got));
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
  const ms = got instanceof Date ? got.getTime() : got;
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
  return wholeFrom('missed.catchUp', fieldsOf('missed', got, ['catchUp']).get('catchUp'), 1, MOST_CAUGHT_UP);
}

function readTask(got: unknown, slot: string): (due: Date) => TaskSpec {
  const fields = fieldsOf('task', got);
  const bodyFor = readBody(fields.get('run'));
  const owned = fields.has('slot') || fields.has('name') ? {} : { slot };
  const spec = { ...owned, admission: 'dropIfRunning', ...Object.fromEntries(fields) };
  return (due) => ({ ...spec, run: bodyFor(due) }) as TaskSpec;
}

/** What is no body is handed on as it is: the supervisor says what is wrong with it. */
function readBody(run: unknown): (due: Date) => unknown {
  type Call = (...given: unknown[]) => unknown;
  if (typeof run === 'function') return (due) => (ctx: unknown) => (run as Call)(ctx, due);
  if (typeof run !== 'object' || run === null) return () => run;
  const [body, kill] = read('task.run', () => [(run as { run?: Call }).run, (run as { kill?: Call }).kill]);
  if (typeof body !== 'function' || typeof kill !== 'function') return () => run;
  return (due) => ({ run: (ctx: unknown) => body.call(run, ctx, due), kill: (ctx: unknown) => kill.call(run, ctx) });
}
