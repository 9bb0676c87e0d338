// The reading of options: once, checked, copied. A bad one throws a SpecError that names the field, and nothing is kept.
// What only a calendar can tell (an expression, text without an offset) is read in dates.ts.

import { types } from 'node:util';
import { reading, readOptions, refuse, type TaskSpec } from '../../index.ts';
import { aFunction, FURTHEST_MS, numberFrom, textOf, wholeFrom } from './check.ts';

/** Epoch ms, or text that only a time zone makes a moment of. */
export type ReadInstant = number | string;

/** Which of the three kinds of dates, and what was said of it. */
export type When =
  | { readonly kind: 'cron'; readonly value: string }
  | { readonly kind: 'everyMs'; readonly value: number }
  | { readonly kind: 'at'; readonly value: ReadInstant };

/** What is kept as it is read, under the name of its option. */
interface Plain {
  /** `undefined`: the zone of the process. */
  timezone: string | undefined;
  startAt: ReadInstant;
  endAt: ReadInstant;
  maxRuns: number;
  jitterMs: number;
  toleranceMs: number;
  historySize: number;
  random: (() => number) | undefined;
  onError: ((error: unknown) => unknown) | undefined;
}

export interface Settings extends Readonly<Plain> {
  readonly when: When;
  /** How many of the dates that came due together are run. */
  readonly keep: number;
  readonly specFor: (dueMs: number) => TaskSpec;
}

export const KINDS = ['cron', 'everyMs', 'at'] as const;
/** A change of one of these, too, makes all dates anew. */
export const MOVING = ['startAt', 'timezone', 'endAt'] as const;

const MOST_CAUGHT_UP = 1_000;

const DEFAULTS: Readonly<Plain> = {
  timezone: undefined,
  startAt: -Infinity,
  endAt: Infinity,
  maxRuns: Infinity,
  jitterMs: 0,
  toleranceMs: 60_000,
  historySize: 20,
  random: undefined,
  onError: undefined,
};

const READERS: { readonly [F in keyof Plain]: (got: unknown) => Plain[F] } = {
  timezone: readZone,
  startAt: (got) => readInstant('startAt', got),
  endAt: (got) => readInstant('endAt', got),
  maxRuns: (got) => (got === Infinity ? got : wholeFrom('maxRuns', got, 1, Number.MAX_SAFE_INTEGER)),
  jitterMs: (got) => numberFrom('jitterMs', got, 0, FURTHEST_MS),
  toleranceMs: (got) => numberFrom('toleranceMs', got, 0, Infinity),
  historySize: (got) => wholeFrom('historySize', got, 0, 10_000),
  random: (got) => aFunction('random', got),
  onError: (got) => aFunction('onError', got),
};
const PLAIN = [
  'timezone',
  'startAt',
  'endAt',
  'maxRuns',
  'jitterMs',
  'toleranceMs',
  'historySize',
  'random',
  'onError',
] as const satisfies readonly (keyof Plain)[];
const KNOWN = [...KINDS, ...PLAIN, 'missed', 'task'] as const;

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
  if (kind !== undefined && other !== undefined) refuse(other, `does not go together with ${kind}`, fields[other]);
  const when = kind === undefined ? old?.when : readWhen(kind, fields[kind]);
  if (when === undefined) return refuse('cron', 'or everyMs or at must be given', undefined);
  const plain: Plain = { ...(old ?? DEFAULTS) };
  for (const field of PLAIN) if (given.has(field)) readInto(plain, field, fields[field]);
  const keep = given.has('missed') ? readMissed(fields.missed) : (old?.keep ?? 0);
  const specFor = given.has('task') ? readTask(fields.task, own) : old?.specFor;
  if (specFor === undefined) return refuse('task', 'must be given', undefined);
  return { settings: { ...plain, when, keep, specFor }, given };
}

function readInto<F extends keyof Plain>(plain: Plain, field: F, got: unknown): void {
  plain[field] = reading(field, got, () => READERS[field](got));
}

function readWhen(kind: When['kind'], got: unknown): When {
  switch (kind) {
    case 'cron':
      return { kind, value: typeof got === 'string' ? got : refuse(kind, 'must be a string', got) };
    case 'everyMs':
      return { kind, value: numberFrom(kind, got, 1, FURTHEST_MS) };
    case 'at':
      return { kind, value: reading(kind, got, () => readInstant(kind, got)) };
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
  if (typeof got !== 'object' || got === null) return refuse('missed', "must be 'skip', 'once' or { catchUp: n }", got);
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
