// What a caller submits. A spec is read once, checked and completed from the defaults. An invalid one throws here and nowhere later.

import type { Backoff } from './backoff.ts';
import { aFunction, nameText, refuse } from './check.ts';
import type { Failure } from './failure.ts';
import { anOptionsObject, refuseUnknown, unreadable } from './options.ts';
import type { RecentSettings } from './recent-settings.ts';
import {
  type AdmissionPolicy,
  checkInterval,
  type OnOverrun,
  type RestartLimit,
  type RestartPolicy,
  readAdmission,
  SETTING_READERS,
  type TaskSettings,
} from './settings.ts';
import type { Kill, KillableTask, Run, TaskBody } from './task.ts';

/**
 * What to run, in which slot, and under which rules. Only own fields count, and each is read once. An option given as `undefined` is absent.
 * `Infinity` means "none" and overrides an inherited default.
 */
export interface TaskSpec<T = unknown, S = undefined> {
  /** The body, or a body with its `kill`. */
  readonly run: TaskBody<T, S> | KillableTask<T, S>;
  /** A label in events and views. Default: the slot, else the id. */
  readonly name?: string | undefined;
  /** At most one body runs in a slot. Default: the name. With neither, the task gets a slot of its own, which is never busy. */
  readonly slot?: string | undefined;
  /** What happens when the slot is busy. Default: the slot's, else the supervisor's, else `queue`. */
  readonly admission?: AdmissionPolicy | undefined;
  /** What follows an attempt. Default `onFailure`. */
  readonly restart?: RestartPolicy | undefined;
  /** The pause after a success, in ms, from its end. Needs `restart: 'always'`. Default 0: at once, with starts at least 1 ms apart. */
  readonly intervalMs?: number | undefined;
  /** Retries after the first failed attempt of a streak. A success ends the streak. With 0 there are none. Default `Infinity`. */
  readonly maxRetries?: number | undefined;
  /** The delay before each retry. Default: 200 ms, doubled each time up to 30,000 ms, with `equal` jitter. */
  readonly backoff?: Backoff | undefined;
  /** Called for every failure that would be retried. `false` ends the task `failed`, because `retryIf`. A throw counts as `false`. */
  readonly retryIf?: ((failure: Failure) => boolean) | undefined;
  /** Ends the task `failed` when it is restarted too often. Default none. */
  readonly restartLimit?: RestartLimit | undefined;
  /**
   * The longest time of one attempt, in ms, from the call of its body. Then the attempt is told to stop, and it has failed. A body that
   * blocks the event loop past this time and then ends has ended in time. Default none.
   */
  readonly timeoutMs?: number | undefined;
  /** The longest time between two heartbeats, in ms. Time in which the event loop was blocked does not count. Default none. */
  readonly stallMs?: number | undefined;
  /** The time from a stop request to an overrun, in ms. Default: the supervisor's. */
  readonly graceMs?: number | undefined;
  /** What an overrun does with a body that cannot be killed. Default `hold`. */
  readonly onOverrun?: OnOverrun | undefined;
  /** The longest wait in the slot's queue, in ms. Default none. */
  readonly queueTimeoutMs?: number | undefined;
  /** The longest time from `submit` to the outcome, in ms, all waiting included. Default none. */
  readonly deadlineMs?: number | undefined;
  /** The order at the concurrency gate: higher goes first. Default 0. */
  readonly priority?: number | undefined;
  /** Aborting it cancels the submission. */
  readonly signal?: AbortSignal | undefined;
  /** Called before every attempt. What it returns is `ctx.state` of that attempt. */
  readonly state?: (() => S) | undefined;
  /** Any value of yours. It appears in events, views and the context. */
  readonly meta?: unknown;
}

/** The options that a supervisor can give defaults for. */
export type TaskDefaults = Omit<TaskSpec, 'run' | 'name' | 'slot' | 'signal' | 'state' | 'meta'>;

export interface ParsedSpec {
  readonly run: Run;
  readonly name: string | undefined;
  readonly slot: string | undefined;
  /** Given by the spec itself: it overrides every default. */
  readonly admission: AdmissionPolicy | undefined;
  readonly meta: unknown;
  readonly settings: TaskSettings;
}

/** Called for each key of a `for in`, which costs half as much as a list of the keys (measured: 22 ns against 51). */
const hasOwn = Object.prototype.hasOwnProperty;

const READERS: ReadonlyMap<string, (field: string, value: unknown) => unknown> = new Map(
  Object.entries(SETTING_READERS),
);

const SPEC_KEYS = ['run', 'name', 'slot', ...READERS.keys(), 'meta'];

/** Reads a spec. If it gives no setting, it shares `defaults`. If recent settings are equal to its own, it shares those. */
export function parseSpec(value: unknown, defaults: TaskSettings, recent: RecentSettings): ParsedSpec {
  try {
    return readSpec(value, defaults, recent);
  } catch (error) {
    return unreadable('spec', value, error);
  }
}

/** A loop of its own in place of `parse`: every submission pays for it (measured: 61 ns without settings). */
function readSpec(value: unknown, defaults: TaskSettings, recent: RecentSettings): ParsedSpec {
  let run: unknown;
  let name: string | undefined;
  let slot: string | undefined;
  let admission: AdmissionPolicy | undefined;
  let meta: unknown;
  let draft: Draft | undefined;
  let givesInterval = false;
  const given = anOptionsObject('spec', value) as Record<string, unknown>;
  for (const key in given) {
    if (!hasOwn.call(given, key)) continue;
    const got = given[key];
    if (got === undefined && SPEC_KEYS.includes(key)) continue;
    switch (key) {
      case 'run':
        run = got;
        break;
      case 'meta':
        meta = got;
        break;
      case 'name':
        name = nameText(key, got);
        break;
      case 'slot':
        slot = nameText(key, got);
        break;
      case 'admission':
        admission = readAdmission(key, got);
        break;
      default:
        draft = readSetting(draft, defaults, key, got);
        if (key === 'intervalMs') givesInterval = true;
    }
  }
  let body = run as Run;
  if (typeof run !== 'function') {
    draft ??= { ...defaults };
    body = readKillable(run, draft);
  }
  if (draft !== undefined && givesInterval) checkInterval(draft, 'intervalMs');
  return { run: body, name, slot, admission, meta, settings: draft === undefined ? defaults : recent.share(draft) };
}

/** Settings that are being read. */
type Draft = { -readonly [K in keyof TaskSettings]: TaskSettings[K] };

function readSetting(draft: Draft | undefined, defaults: TaskSettings, key: string, got: unknown): Draft {
  const read = READERS.get(key);
  if (read === undefined) return refuseUnknown(key, key, got, SPEC_KEYS);
  const settings: Draft = draft ?? { ...defaults };
  (settings as Record<string, unknown>)[key] = read(key, got);
  return settings;
}

/** Bound here, so that replacing a method later changes nothing. */
function readKillable(value: unknown, draft: Draft): Run {
  if (typeof value !== 'object' || value === null)
    return refuse('run', 'must be a function, or an object with run and kill functions', value);
  const { run, kill } = value as Partial<KillableTask<unknown, unknown>>;
  const body = aFunction<Run>('run.run', run).bind(value);
  draft.kill = aFunction<Kill>('run.kill', kill).bind(value);
  return body;
}
