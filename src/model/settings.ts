// The settings of a task: for each its type, its default and its reader. spec.ts reads them from a
// spec.

import { DEFAULT_BACKOFF, parseBackoff, type ResolvedBackoff } from './backoff.ts';
import {
  aBoolean,
  abortSignal,
  aFunction,
  count,
  durationMs,
  finiteMs,
  finiteNumber,
  oneOf,
  positiveMs,
  refuse,
  wholeNumber,
} from './check.ts';
import type { Failure } from './failure.ts';
import { parseAll, parseGiven, pathsIn, type Readers } from './options.ts';
import type { Kill } from './task.ts';

/**
 * What a submission does when its slot is busy or paused. Otherwise it starts.
 *
 * - `queue`: it waits in the queue.
 * - `replace`: the owner is stopped, and this submission starts next. A replacement and a
 *   `keepLatest` that wait already are rejected as `superseded`.
 * - `dropIfRunning`: it is rejected as `slotBusy`. In a paused slot without an owner, in which
 *   nothing waits, it waits.
 * - `keepLatest`: it waits in the queue. If a `keepLatest` waits already, it takes that place, and
 *   the earlier one is rejected as `superseded`.
 * - `join`: it shares the body and the outcome of the owner. If the owner was asked to stop, or
 *   there is none: of the waiting replacement, or else of the head of the queue, whatever their
 *   policy. If nothing waits either, it waits in the queue.
 */
export type AdmissionPolicy = 'queue' | 'replace' | 'dropIfRunning' | 'keepLatest' | 'join';

export const ADMISSION_POLICIES = [
  'queue',
  'replace',
  'dropIfRunning',
  'keepLatest',
  'join',
] as const satisfies readonly AdmissionPolicy[];

/**
 * What follows an attempt. `never`: the task ends. `onFailure`: another attempt after a failure.
 * `always`: another attempt after a failure and after a success.
 */
export type RestartPolicy = 'never' | 'onFailure' | 'always';

export const RESTART_POLICIES = ['never', 'onFailure', 'always'] as const satisfies readonly RestartPolicy[];

/**
 * What happens to a body that cannot be killed when its grace is over. `hold`: it keeps its slot
 * until it ends. `abandon`: it is given up, and the slot goes on. It may still be alive.
 */
export type OnOverrun = 'hold' | 'abandon';

export const ON_OVERRUN = ['hold', 'abandon'] as const satisfies readonly OnOverrun[];

/**
 * What a shutdown does with a task. `stop`: it asks the body to stop, and rejects what waits.
 * `finish`: it lets the present attempt end by itself, and gives a first attempt to what waits,
 * until the shutdown's finish time is over. No attempt follows that one.
 */
export type OnShutdown = 'stop' | 'finish';

export const ON_SHUTDOWN = ['stop', 'finish'] as const satisfies readonly OnShutdown[];

/**
 * How often a task may be restarted after failures. If it would be restarted once more, it ends
 * `failed`, with `because: 'restartLimit'`.
 */
export interface RestartLimit {
  /** Restarts allowed within the window. A whole number, 0 or more. */
  readonly restarts: number;
  /** The length of the sliding window, in ms. More than 0. */
  readonly withinMs: number;
}

/** The settings for which a supervisor can give defaults. */
export interface DefaultSettings {
  readonly admission: AdmissionPolicy; // applies where neither the spec nor the slot gives a policy
  readonly restart: RestartPolicy;
  readonly intervalMs: number;
  readonly maxRetries: number;
  readonly stableMs: number;
  readonly backoff: ResolvedBackoff;
  readonly retryIf: ((failure: Failure) => boolean) | undefined;
  readonly restartLimit: RestartLimit | undefined;
  readonly timeoutMs: number;
  readonly stallMs: number;
  readonly graceMs: number;
  readonly onOverrun: OnOverrun;
  readonly onShutdown: OnShutdown;
  readonly shutdownStage: number;
  readonly queueTimeoutMs: number;
  readonly deadlineMs: number;
  readonly priority: number;
}

/**
 * The settings of one task, with every default filled in. Submissions with equal settings share one
 * object. `vital`, `signal`, `state` and `kill` are part of it because most specs have none of
 * them, and can then share.
 */
export interface TaskSettings extends DefaultSettings {
  readonly vital: boolean;
  readonly signal: AbortSignal | undefined;
  readonly state: (() => unknown) | undefined;
  /** Undefined for a body that cannot be killed. */
  readonly kill: Kill | undefined;
}

/** The settings of a task whose spec gives none. */
export interface CompleteDefaults extends TaskSettings {
  /** The `stableMs` of a spec from `restartable` that gives neither `stableMs` nor `maxRetries`. */
  readonly restartableStableMs: number;
}

/**
 * Settings are not frozen: copying a frozen object costs ten times as much (measured: 300 ns
 * against 30).
 */
export const DEFAULT_SETTINGS: CompleteDefaults = {
  admission: 'queue',
  restart: 'onFailure',
  intervalMs: 0,
  maxRetries: Infinity,
  stableMs: Infinity,
  backoff: DEFAULT_BACKOFF,
  retryIf: undefined,
  restartLimit: undefined,
  timeoutMs: Infinity,
  stallMs: Infinity,
  graceMs: 60_000,
  onOverrun: 'hold',
  onShutdown: 'stop',
  shutdownStage: 0,
  queueTimeoutMs: Infinity,
  deadlineMs: Infinity,
  priority: 0,
  vital: false,
  signal: undefined,
  state: undefined,
  kill: undefined,
  restartableStableMs: 60_000,
};

export const DEFAULT_READERS: Readers<DefaultSettings> = {
  admission: readAdmission,
  restart: (field, value) => oneOf(field, value, RESTART_POLICIES),
  intervalMs: finiteMs,
  maxRetries: (field, value) => count(field, value, 0),
  stableMs: positiveMs,
  backoff: parseBackoff,
  retryIf: aFunction,
  restartLimit: readRestartLimit,
  timeoutMs: positiveMs,
  stallMs: positiveMs,
  graceMs: durationMs,
  onOverrun: (field, value) => oneOf(field, value, ON_OVERRUN),
  onShutdown: (field, value) => oneOf(field, value, ON_SHUTDOWN),
  shutdownStage: wholeNumber,
  queueTimeoutMs: durationMs,
  deadlineMs: positiveMs,
  priority: finiteNumber,
};

/** The settings that a spec gives under the same names. It gives `kill` with `run`. */
export const SETTING_READERS: Readers<Omit<TaskSettings, 'kill'>> = {
  ...DEFAULT_READERS,
  vital: aBoolean,
  signal: abortSignal,
  state: aFunction,
};

export function readAdmission(field: string, value: unknown): AdmissionPolicy {
  return oneOf(field, value, ADMISSION_POLICIES);
}

const LIMIT_READERS: Readers<RestartLimit> = {
  restarts: (field, value) => count(field, value, 0),
  withinMs: positiveMs,
};

function readRestartLimit(field: string, value: unknown): RestartLimit {
  return parseAll(field, value, LIMIT_READERS);
}

/** The options that are fields of a setting. */
export const INNER_OPTIONS = [...pathsIn('backoff', DEFAULT_BACKOFF), ...pathsIn('restartLimit', LIMIT_READERS)];

/** Where the spec or the defaults give one of these, `restartable` adds no `stableMs`. */
export const STREAK_SETTINGS: readonly string[] = ['stableMs', 'maxRetries'] satisfies (keyof DefaultSettings)[];

export function checkInterval(settings: TaskSettings, field: string): void {
  if (settings.restart !== 'always')
    refuse(field, `needs restart 'always' (restart is '${settings.restart}')`, settings.intervalMs);
}

/** Reads the `defaults` of a supervisor: only those that were given. */
export function readDefaults(field: string, value: unknown): Partial<DefaultSettings> {
  return parseGiven(field, value, DEFAULT_READERS, INNER_OPTIONS);
}

/** Merges the `defaults` of a supervisor over `base`. */
export function completeDefaults(
  field: string,
  given: Partial<DefaultSettings>,
  base: CompleteDefaults,
): CompleteDefaults {
  const settings = { ...base, ...given };
  if (STREAK_SETTINGS.some((name) => Object.hasOwn(given, name))) settings.restartableStableMs = settings.stableMs;
  if (Object.hasOwn(given, 'intervalMs')) checkInterval(settings, `${field}.intervalMs`);
  return settings;
}
