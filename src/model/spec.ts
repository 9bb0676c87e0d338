// The spec that a caller submits. It is read once, checked, and completed from the defaults. An
// invalid spec throws here, not later. Over 300 lines because every option of a task is documented
// here.

import type { Backoff } from './backoff.ts';
import { aFunction, nameText, refuse } from './check.ts';
import { show } from './error.ts';
import type { Failure } from './failure.ts';
import { field } from './foreign.ts';
import { anOptionsObject, refuseUnknown, unreadable } from './options.ts';
import type { RecentSettings } from './recent-settings.ts';
import {
  type AdmissionPolicy,
  type CompleteDefaults,
  checkInterval,
  INNER_OPTIONS,
  type OnOverrun,
  type OnShutdown,
  type RestartLimit,
  type RestartPolicy,
  readAdmission,
  SETTING_READERS,
  STREAK_SETTINGS,
  type TaskSettings,
} from './settings.ts';
import type { Kill, KillableTask, Run, TaskBody } from './task.ts';

interface BodyOption<T, S> {
  /** The body, or an object with the body and its `kill`. */
  readonly run: TaskBody<T, S> | KillableTask<T, S>;
}

/** The options of a spec, beside its body and the state of its attempts. */
interface TaskOptions {
  /** A label for events and views. 1 to 1,024 UTF-16 units. Default: the slot, or else the id. */
  readonly name?: string | undefined;
  /**
   * The slot. At most one body runs in a slot. 1 to 1,024 UTF-16 units. Default: the name. With
   * neither, the task gets a slot of its own, which is never busy. `undefined` is refused: leave
   * the option out.
   */
  readonly slot?: string;
  /**
   * What happens when the slot is busy. Default: the slot's `admission`, or else the supervisor's,
   * or else `queue`.
   */
  readonly admission?: AdmissionPolicy | undefined;
  /** What follows an attempt. Default `onFailure`. */
  readonly restart?: RestartPolicy | undefined;
  /**
   * The pause from the end of a successful attempt to the next attempt, in ms. Finite, 0 or more.
   * Needs `restart: 'always'`. Default 0: no pause, but starts are at least 1 ms apart.
   */
  readonly intervalMs?: number | undefined;
  /**
   * How many retries a streak of failures gets. A success ends the streak, and so does an attempt
   * that was stable: see `stableMs`. Under `onFailure` a success ends the task. So without
   * `stableMs` this is the total for its life. A whole number, 0 or more. Default `Infinity`.
   */
  readonly maxRetries?: number | undefined;
  /**
   * An attempt that ran at least this long before it failed was stable, and ends the streak: the
   * backoff begins again, and the failure is the first one of the next streak. In ms, more than 0.
   * Measured from the call of the body to its throw or exit; for a stall, to the last heartbeat. A
   * timeout never ends a streak. The counts of `restartLimit` stay. Default `Infinity`: only a
   * success ends a streak. The builder `restartable` has 60,000.
   */
  readonly stableMs?: number | undefined;
  /**
   * The delay before each retry. Default: 200 ms, doubled each time up to 30,000 ms, with `equal`
   * jitter.
   */
  readonly backoff?: Backoff | undefined;
  /**
   * Called for every failure that would be retried. If it returns a falsy value, the task ends
   * `failed`, with `because: 'retryIf'`. A throw or a promise counts as `false`. Default none.
   */
  readonly retryIf?: ((failure: Failure) => boolean) | undefined;
  /** Ends the task as `failed` when it would be restarted too often. Default none. */
  readonly restartLimit?: RestartLimit | undefined;
  /**
   * How long one attempt may take, in ms. More than 0. `state()` and `aroundAttempt` count. After
   * that time the attempt is stopped, and it counts as failed. A body that blocks the event loop
   * beyond this time and then ends has ended in time. Default none.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * How long an attempt may go without a heartbeat, in ms. More than 0. After that time the attempt
   * is stopped, and it counts as failed. Time during which the event loop was blocked does not
   * count. Default none.
   */
  readonly stallMs?: number | undefined;
  /**
   * The time from a stop request to an overrun, in ms. With 0 an attempt overruns on the next turn,
   * with `Infinity` never. The end of a shutdown's grace comes first, if it is earlier. Default:
   * the supervisor's `graceMs`, which is 60,000.
   */
  readonly graceMs?: number | undefined;
  /** What happens to a body that cannot be killed when it overruns its grace. Default `hold`. */
  readonly onOverrun?: OnOverrun | undefined;
  /**
   * What a shutdown does with it. `stop`: it is asked to stop when its stage begins; while it
   * waits, it is rejected. `finish`: its present attempt goes on, or its first one if it has had
   * none, and no attempt follows that one. Once the shutdown's `finishMs` is over, `finish` is
   * `stop`. Not promised: that the finish time is enough. Default `stop`.
   */
  readonly onShutdown?: OnShutdown | undefined;
  /**
   * When a shutdown turns to it: the lowest stage is stopped first, and the next stage when that
   * one has ended, at the latest after an equal share of what is left of the grace. Until then it
   * goes on as before. A whole number, also a negative one. Default 0.
   */
  readonly shutdownStage?: number | undefined;
  /**
   * How long it may wait for its first attempt, in ms, 0 or more: in the queue, for the lease, at
   * the concurrency gate, and while it is suspended. After that time it is rejected as
   * `queueTimeout`; if it owns its slot, it is canceled, by `queueTimeout`. A joined submission
   * waits for the first attempt of the body that it shares. Default none.
   */
  readonly queueTimeoutMs?: number | undefined;
  /**
   * The time from `submit` to a stop request, in ms, all waiting included. More than 0. A
   * submission that waits is rejected as `deadline`. A submission that owns or shares its slot is
   * canceled, by `deadline`. Default none.
   */
  readonly deadlineMs?: number | undefined;
  /** The order at the concurrency gate: a higher number goes first. Finite. Default 0. */
  readonly priority?: number | undefined;
  /**
   * It is meant to live as long as the process: its slot is vital. The supervisor's `deadFraction`
   * and `vitalSlots` look at vital slots only. A joined submission marks its slot too. Default
   * false; in `run` true.
   */
  readonly vital?: boolean | undefined;
  /** Aborting it cancels the submission, by `signal`. Default none. */
  readonly signal?: AbortSignal | undefined;
  /** A value of your own. It appears unchanged in events, views and the context. */
  readonly meta?: unknown;
}

interface OptionalState<S> {
  /**
   * Called before every attempt. What it returns is `ctx.state` of that attempt. If it throws, the
   * attempt has failed. Default: `ctx.state` is undefined. So it must be given where the body reads
   * a `ctx.state` that cannot be undefined.
   */
  readonly state?: (() => S) | undefined;
}

interface RequiredState<S> extends OptionalState<S> {
  readonly state: NonNullable<OptionalState<S>['state']>;
}

/**
 * Without `state`, `ctx.state` is undefined. So `state` is optional where `S` can be undefined.
 *
 * @inline
 */
export type StateOption<S> = undefined extends S ? OptionalState<S> : RequiredState<S>;

/**
 * What to run, in which slot, and under which rules. `T` is the value of the body, and `S` what its
 * `ctx.state` is.
 *
 * Only own fields count, and each is read once. An option given as `undefined` is absent, except
 * `slot`. `Infinity` means "none" and overrides an inherited default. The supervisor's `defaults`
 * override the defaults that are named here.
 *
 * @interface
 */
export type TaskSpec<T = unknown, S = undefined> = BodyOption<T, S> & TaskOptions & StateOption<S>;

/**
 * The spec of `slot(name).submit`. The handle names the slot.
 *
 * @interface
 */
export type SpecInSlot<T, S> = BodyOption<T, S> & Omit<TaskOptions, 'slot'> & StateOption<S>;

/**
 * The options of a spec whose body and restart policy a builder gives.
 *
 * @interface
 */
export type BuilderOptions<S> = Omit<TaskOptions, 'restart' | 'intervalMs'> & StateOption<S>;

/**
 * The options of a spec for which a supervisor can give defaults.
 *
 * @interface
 */
export type TaskDefaults = Omit<TaskOptions, 'name' | 'slot' | 'vital' | 'signal' | 'meta'>;

/** The compiler infers `unknown` where a body does not care, and without `state`. */
export type InferredState<S> = unknown extends S ? undefined : S;

/**
 * The specs of a batch, as a tuple or an array. `States` has the type of `ctx.state` for each of
 * them; `unknown` without `state`.
 */
// A condition here would keep generic code from a call.
export type Specs<States extends readonly unknown[]> = {
  readonly [K in keyof States]: TaskSpec<unknown, States[K]>;
};

export interface ParsedSpec {
  readonly run: Run;
  readonly name: string | undefined;
  readonly slot: string | undefined;
  /** The policy that the spec itself gives. It overrides every default. */
  readonly admission: AdmissionPolicy | undefined;
  readonly meta: unknown;
  readonly settings: TaskSettings;
}

/**
 * Used with `for in`, which costs half as much as making a list of the keys (measured: 22 ns
 * against 51).
 */
const hasOwn = Object.prototype.hasOwnProperty;

const READERS: ReadonlyMap<string, (field: string, value: unknown) => unknown> = new Map(
  Object.entries(SETTING_READERS),
);

/**
 * Marks a spec from the builder `restartable`. A spread copies it, and a loop over the names of the
 * options does not see it.
 */
export const RESTARTABLE = Symbol.for('slotvisor.restartable');

export const SPEC_KEYS = ['run', 'name', 'slot', ...READERS.keys(), 'meta'];

/**
 * Reads a spec. A spec without settings shares `defaults`. A spec whose settings equal recent ones
 * shares those. `inSlot` is the slot of a handle, for a spec that must not name one.
 */
export function parseSpec(
  value: unknown,
  defaults: CompleteDefaults,
  recent: RecentSettings,
  inSlot?: string | undefined,
): ParsedSpec {
  try {
    return readSpec(value, defaults, recent, inSlot);
  } catch (error) {
    return unreadable('spec', value, error);
  }
}

/**
 * Has a loop of its own instead of `parse`, because every submission pays for it (measured: 61 ns
 * without settings).
 */
function readSpec(
  value: unknown,
  defaults: CompleteDefaults,
  recent: RecentSettings,
  inSlot: string | undefined,
): ParsedSpec {
  let run: unknown;
  let name: string | undefined;
  let slot = inSlot;
  let admission: AdmissionPolicy | undefined;
  let meta: unknown;
  let draft: Draft | undefined;
  let givesInterval = false;
  let givesStreak = false;
  const given = anOptionsObject('spec', value, 'must be an object, such as { slot, run }') as Record<string, unknown>;
  for (const key in given) {
    if (!hasOwn.call(given, key)) continue;
    const got = given[key];
    if (got === undefined && key !== 'slot' && SPEC_KEYS.includes(key)) continue;
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
        slot = readSlot(got, inSlot);
        break;
      case 'admission':
        admission = readAdmission(key, got);
        break;
      default:
        draft = readSetting(draft, defaults, key, got);
        givesInterval ||= key === 'intervalMs';
        givesStreak ||= STREAK_SETTINGS.includes(key);
    }
  }
  let body = run as Run;
  if (typeof run !== 'function') {
    draft ??= { ...defaults };
    body = readKillable(run, draft);
  }
  if (draft === undefined) return { run: body, name, slot, admission, meta, settings: defaults };
  if (givesInterval) checkInterval(draft, 'intervalMs');
  if (!givesStreak && hasOwn.call(given, RESTARTABLE)) draft.stableMs = defaults.restartableStableMs;
  return { run: body, name, slot, admission, meta, settings: recent.share(draft) };
}

/**
 * A name that was lost must not give a slot of its own, where nothing is excluded. So `undefined`
 * is refused.
 */
function readSlot(got: unknown, inSlot: string | undefined): string {
  if (inSlot !== undefined)
    return got === undefined
      ? inSlot
      : refuse('slot', `must not be set here: slot(${show(inSlot)}) already names it`, got);
  if (got === undefined) return refuse('slot', 'must be a string; leave it out for a slot of its own', got);
  return nameText('slot', got);
}

/** Settings while they are being read. */
type Draft = { -readonly [K in keyof TaskSettings]: TaskSettings[K] };

function readSetting(draft: Draft | undefined, defaults: TaskSettings, key: string, got: unknown): Draft {
  const read = READERS.get(key);
  if (read === undefined) return refuseUnknown(key, key, got, SPEC_KEYS, INNER_OPTIONS);
  const settings: Draft = draft ?? { ...defaults };
  (settings as Record<string, unknown>)[key] = read(key, got);
  return settings;
}

/** Binds both methods, so that replacing one later has no effect. */
function readKillable(value: unknown, draft: Draft): Run {
  if (typeof value !== 'object' || value === null)
    return refuse('run', 'must be a function, or an object with run and kill functions', value);
  const { run, kill } = value as Partial<KillableTask>;
  if (run === undefined && typeof field(value, 'then') === 'function')
    return refuse('run', 'must be a function, not the promise that it returned: pass it without calling it', value);
  const body = aFunction<Run>('run.run', run).bind(value);
  draft.kill = aFunction<Kill>('run.kill', kill).bind(value);
  return body;
}
