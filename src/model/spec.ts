// What a caller submits. A spec is read once, checked and completed from the defaults: a bad one throws here and nowhere later.

import { type Backoff, DEFAULT_BACKOFF, parseBackoff, type ResolvedBackoff } from './backoff.ts';
import {
  abortSignal,
  aFunction,
  count,
  durationMs,
  finiteNumber,
  nameText,
  oneOf,
  readOptions,
  refuse,
  refuseUnknown,
  unreadable,
} from './check.ts';
import type { Failure } from './failure.ts';
import type { KillableTask, TaskBody } from './task.ts';

/**
 * What a submission does when its slot is busy: `queue` waits in line; `replace` tells the owner to stop and goes next;
 * `dropIfRunning` is rejected; `keepLatest` takes the place of a waiting `keepLatest`; `join` shares the owner's outcome.
 */
export type AdmissionPolicy = 'queue' | 'replace' | 'dropIfRunning' | 'keepLatest' | 'join';

/** What follows an attempt: nothing; another one after a failure; another one always. */
export type RestartPolicy = 'never' | 'onFailure' | 'always';

export interface RestartLimit {
  readonly restarts: number;
  readonly withinMs: number;
}

/** Own fields only, each read once. An option given as `undefined` is absent. `Infinity` says "none" and beats an inherited default. */
export interface TaskSpec<T = unknown, S = undefined> {
  readonly run: TaskBody<T, S> | KillableTask<T, S>;
  /** A label in events and views. Default: the slot, else the id. */
  readonly name?: string | undefined;
  /** The key of exclusion. Default: the name; neither given: a slot of its own, which never contends. */
  readonly slot?: string | undefined;
  /** Default: the slot's, else the supervisor's, else `queue`. */
  readonly admission?: AdmissionPolicy | undefined;
  /** Default `onFailure`. */
  readonly restart?: RestartPolicy | undefined;
  /** Only with `restart: 'always'`: the pause after a success, from its end. Default 0: at once, starts at least 1 ms apart. */
  readonly intervalMs?: number | undefined;
  /** Retries after the first failed attempt of a streak; a success ends the streak. 0 means none. Default `Infinity`. */
  readonly maxRetries?: number | undefined;
  readonly backoff?: Backoff | undefined;
  /** Looked at for every failure that would be retried; `false` ends the task `failed`, because `retryIf`. A throw counts as `false`. */
  readonly retryIf?: ((failure: Failure) => boolean) | undefined;
  /** More restarts after failures than this within the sliding window end the task `failed`. Default none. */
  readonly restartLimit?: RestartLimit | undefined;
  /** Bounds one attempt, from the start of its body. A body that blocks the event loop past it and then ends has ended. Default none. */
  readonly timeoutMs?: number | undefined;
  /** The longest silence between heartbeats; time in which the event loop was blocked is not counted. Default none. */
  readonly stallMs?: number | undefined;
  /** From a stop request to an overrun. Default: the supervisor's. */
  readonly graceMs?: number | undefined;
  /** What an overrun does with a body that cannot be killed: keep the slot blocked, or give the body up. Default `hold`. */
  readonly onOverrun?: 'hold' | 'abandon' | undefined;
  /** The longest wait in the slot's queue. Default none. */
  readonly queueTimeoutMs?: number | undefined;
  /** From submit to the outcome, all waiting included. Default none. */
  readonly deadlineMs?: number | undefined;
  /** Order at the concurrency gate, higher first. Default 0. */
  readonly priority?: number | undefined;
  /** Aborting it cancels the submission. */
  readonly signal?: AbortSignal | undefined;
  /** Called before every attempt: fresh state, never shared between attempts. */
  readonly state?: (() => S) | undefined;
  /** Handed through to events, views and the context. */
  readonly meta?: unknown;
}

/** The options that a supervisor can give defaults for. */
export type TaskDefaults = Omit<TaskSpec, 'run' | 'name' | 'slot' | 'signal' | 'state' | 'meta'>;

/** Every default filled in. Shared between submissions that override nothing. */
export interface TaskSettings {
  readonly admission: AdmissionPolicy; // for a spec and a slot that both say nothing
  readonly restart: RestartPolicy;
  readonly intervalMs: number;
  readonly maxRetries: number;
  readonly backoff: ResolvedBackoff;
  readonly retryIf: ((failure: Failure) => boolean) | undefined;
  readonly restartLimit: RestartLimit | undefined;
  readonly timeoutMs: number;
  readonly stallMs: number;
  readonly graceMs: number;
  readonly onOverrun: 'hold' | 'abandon';
  readonly queueTimeoutMs: number;
  readonly deadlineMs: number;
  readonly priority: number;
  // These have no default. They are here because most specs give none of them, and what those hold stays shared.
  readonly signal: AbortSignal | undefined;
  readonly state: (() => unknown) | undefined;
  /** Absent for a body that cannot be ended from outside. */
  readonly kill: Kill | undefined;
}

export type Run = TaskBody<unknown, unknown>;
export type Kill = KillableTask<unknown, unknown>['kill'];

export interface ParsedSpec {
  readonly run: Run;
  readonly name: string | undefined;
  readonly slot: string | undefined;
  /** The spec's own word, which beats every default. */
  readonly admission: AdmissionPolicy | undefined;
  readonly meta: unknown;
  readonly settings: TaskSettings;
}

const POLICIES: readonly AdmissionPolicy[] = ['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'];
const RESTARTS: readonly RestartPolicy[] = ['never', 'onFailure', 'always'];
const OVERRUNS = ['hold', 'abandon'] as const;

const DEFAULTS: Omit<TaskSettings, 'signal' | 'state' | 'kill'> = {
  admission: 'queue',
  restart: 'onFailure',
  intervalMs: 0,
  maxRetries: Infinity,
  backoff: DEFAULT_BACKOFF,
  retryIf: undefined,
  restartLimit: undefined,
  timeoutMs: Infinity,
  stallMs: Infinity,
  graceMs: 60_000,
  onOverrun: 'hold',
  queueTimeoutMs: Infinity,
  deadlineMs: Infinity,
  priority: 0,
};

/** Not frozen, as no settings are: to copy a frozen object is ten times as dear (measured: 300 ns against 30). */
export const DEFAULT_SETTINGS: TaskSettings = { ...DEFAULTS, signal: undefined, state: undefined, kill: undefined };

/** Asked of each key of a `for in`: that makes no list of the keys, at half the price of one (measured: 22 ns against 51). */
const hasOwn = Object.prototype.hasOwnProperty;

const DEFAULT_KEYS = Object.keys(DEFAULTS) as (keyof TaskDefaults)[];
const SPEC_KEYS = ['run', 'name', 'slot', ...DEFAULT_KEYS, 'signal', 'state', 'meta'];

export function parseAdmission(field: string, value: unknown): AdmissionPolicy {
  return oneOf(field, value, POLICIES);
}

function parseRestartLimit(field: string, value: unknown): RestartLimit {
  const { restarts, withinMs } = readOptions(field, value, ['restarts', 'withinMs']);
  if (restarts === undefined) return refuse(`${field}.restarts`, 'must be given', restarts);
  if (withinMs === undefined) return refuse(`${field}.withinMs`, 'must be given', withinMs);
  return Object.freeze({
    restarts: count(`${field}.restarts`, restarts, 0),
    withinMs: durationMs(`${field}.withinMs`, withinMs, 'aboveZero'),
  });
}

type Draft = { -readonly [K in keyof TaskSettings]: TaskSettings[K] };

/** Puts one setting into the draft; false when there is no setting of that name. */
function putSetting(draft: Draft, key: string, field: string, got: unknown): boolean {
  switch (key) {
    case 'admission':
      draft.admission = parseAdmission(field, got);
      return true;
    case 'restart':
      draft.restart = oneOf(field, got, RESTARTS);
      return true;
    case 'maxRetries':
      draft.maxRetries = count(field, got, 0);
      return true;
    case 'backoff':
      draft.backoff = parseBackoff(field, got);
      return true;
    case 'retryIf':
      draft.retryIf = aFunction(field, got);
      return true;
    case 'restartLimit':
      draft.restartLimit = parseRestartLimit(field, got);
      return true;
    case 'timeoutMs':
    case 'stallMs':
    case 'deadlineMs':
      draft[key] = durationMs(field, got, 'aboveZero');
      return true;
    case 'intervalMs':
    case 'graceMs':
    case 'queueTimeoutMs':
      draft[key] = durationMs(field, got);
      return true;
    case 'onOverrun':
      draft.onOverrun = oneOf(field, got, OVERRUNS);
      return true;
    case 'priority':
      draft.priority = finiteNumber(field, got);
      return true;
    case 'signal':
      draft.signal = abortSignal(field, got);
      return true;
    case 'state':
      draft.state = aFunction(field, got);
      return true;
    default:
      return false;
  }
}

function checkInterval(settings: TaskSettings, field: string): void {
  if (settings.restart !== 'always')
    refuse(field, `goes only with restart 'always' (restart is '${settings.restart}')`, settings.intervalMs);
}

/** The supervisor's defaults, laid over the library's. */
export function parseDefaults(field: string, value: unknown, base: TaskSettings): TaskSettings {
  const draft: Draft = { ...base };
  const given = readOptions(field, value, DEFAULT_KEYS);
  for (const [key, got] of Object.entries(given)) putSetting(draft, key, `${field}.${key}`, got);
  if ('intervalMs' in given) checkInterval(draft, `${field}.intervalMs`);
  return draft;
}

/** Reads a spec. Settings are shared with `defaults` when the spec overrides none, so that small specs stay small. */
export function parseSpec(value: unknown, defaults: TaskSettings): ParsedSpec {
  try {
    return readSpec(value, defaults);
  } catch (error) {
    return unreadable('spec', value, error);
  }
}

function readSpec(value: unknown, defaults: TaskSettings): ParsedSpec {
  let run: unknown;
  let name: string | undefined;
  let slot: string | undefined;
  let admission: AdmissionPolicy | undefined;
  let meta: unknown;
  let draft: Draft | undefined;
  let interval = false;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse('spec', 'must be an object', value);
  const given = value as Record<string, unknown>;
  for (const key in given) {
    if (!hasOwn.call(given, key)) continue;
    const got = given[key];
    switch (key) {
      case 'run':
        run = got;
        break;
      case 'meta':
        meta = got;
        break;
      case 'name':
        if (got !== undefined) name = nameText(key, got);
        break;
      case 'slot':
        if (got !== undefined) slot = nameText(key, got);
        break;
      case 'admission':
        if (got !== undefined) admission = parseAdmission(key, got);
        break;
      default:
        if (got === undefined && SPEC_KEYS.includes(key)) break;
        draft ??= { ...defaults };
        if (!putSetting(draft, key, key, got)) refuseUnknown(key, key, got, SPEC_KEYS);
        if (key === 'intervalMs') interval = true;
    }
  }
  let body = run as Run;
  if (typeof run !== 'function') {
    draft ??= { ...defaults };
    body = parseKillable(run, draft);
  }
  if (draft !== undefined && interval) checkInterval(draft, 'intervalMs');
  return { run: body, name, slot, admission, meta, settings: draft ?? defaults };
}

/** Bound once, here, so that replacing a method later changes nothing. */
function parseKillable(value: unknown, draft: Draft): Run {
  if (typeof value !== 'object' || value === null)
    return refuse('run', 'must be a function, or an object with run and kill functions', value);
  const { run, kill } = value as Partial<KillableTask<unknown, unknown>>;
  const body = aFunction<Run>('run.run', run).bind(value);
  draft.kill = aFunction<Kill>('run.kill', kill).bind(value);
  return body;
}
