// What a task runs by: each option's type, default and check. spec.ts is about the spec that gives them.

import { DEFAULT_BACKOFF, parseBackoff, type ResolvedBackoff } from './backoff.ts';
import { abortSignal, aFunction, count, durationMs, finiteNumber, oneOf, readOptions, refuse } from './check.ts';
import type { Failure } from './failure.ts';
import type { KillableTask } from './task.ts';

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

export type Kill = KillableTask<unknown, unknown>['kill'];

/** Every default filled in. Shared between submissions that override nothing, and between those that override the same. */
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

/** The settings that a supervisor can have its own defaults for. */
export const DEFAULT_KEYS = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[];

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

/** Settings that are being read. */
export type Draft = { -readonly [K in keyof TaskSettings]: TaskSettings[K] };

/** Puts one setting into the draft; false when there is no setting of that name. */
export function putSetting(draft: Draft, key: string, field: string, got: unknown): boolean {
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

export function checkInterval(settings: TaskSettings, field: string): void {
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

/** As many kinds of work may take turns and share. */
const KINDS = 8;

/**
 * Makes equal settings one object: what is submitted from one place mostly asks for the same, and of a long queue every submission would
 * hold 270 bytes of its own (measured: a quarter to a third of its time). What holds something of a caller's, be it a default `retryIf`,
 * is not kept here.
 */
export class RecentSettings {
  readonly #recent: TaskSettings[] = [];
  #oldest = 0;

  /** `settings`, or recent ones that are the same. */
  share(settings: TaskSettings): TaskSettings {
    const { retryIf, signal, state, kill } = settings;
    if (retryIf !== undefined || signal !== undefined || state !== undefined || kill !== undefined) return settings;
    for (const known of this.#recent) if (areAlike(settings, known)) return known;
    this.#recent[this.#oldest] = settings;
    this.#oldest = (this.#oldest + 1) % KINDS;
    return settings;
  }
}

function areAlike(a: TaskSettings, b: TaskSettings): boolean {
  return (
    a.admission === b.admission &&
    a.restart === b.restart &&
    a.intervalMs === b.intervalMs &&
    a.maxRetries === b.maxRetries &&
    a.timeoutMs === b.timeoutMs &&
    a.stallMs === b.stallMs &&
    a.graceMs === b.graceMs &&
    a.onOverrun === b.onOverrun &&
    a.queueTimeoutMs === b.queueTimeoutMs &&
    a.deadlineMs === b.deadlineMs &&
    a.priority === b.priority &&
    a.restartLimit?.restarts === b.restartLimit?.restarts &&
    a.restartLimit?.withinMs === b.restartLimit?.withinMs &&
    backOffAlike(a.backoff, b.backoff)
  );
}

function backOffAlike(a: ResolvedBackoff, b: ResolvedBackoff): boolean {
  return (
    a.firstMs === b.firstMs &&
    a.factor === b.factor &&
    a.maxMs === b.maxMs &&
    a.floorMs === b.floorMs &&
    a.jitter === b.jitter
  );
}
