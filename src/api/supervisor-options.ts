// The options of a supervisor: read once, checked, completed.

import { localLeases } from '../engine/local-leases.ts';
import type { AroundAttempt } from '../engine/runtime.ts';
import { type Clock, SystemClock } from '../kernel/clock.ts';
import type { GateLimits } from '../kernel/gate.ts';
import { systemRandom } from '../kernel/random.ts';
import {
  aBoolean,
  aFunction,
  anObject,
  count,
  durationMs,
  finiteMs,
  nameText,
  refuse,
  wholeNumber,
} from '../model/check.ts';
import type { SlotLeases } from '../model/lease.ts';
import { parse, parseAll, parseGiven, pathsIn, type Readers, readFields } from '../model/options.ts';
import {
  type CompleteDefaults,
  completeDefaults,
  DEFAULT_READERS,
  DEFAULT_SETTINGS,
  type DefaultSettings,
  readDefaults,
} from '../model/settings.ts';
import { DEFAULT_SLOT_SETTINGS, readSlotOptions, type SlotOptions, type SlotSettings } from '../model/slot-options.ts';
import type { TaskDefaults } from '../model/spec.ts';
import { type GivenTimes, shutdownTimes } from './call-options.ts';

/** Limits how many attempts start, over all slots. */
export interface RateOptions {
  /** Starts allowed within any `intervalMs`. A whole number, 1 or more. `Infinity`: no limit. */
  readonly limit: number;
  /** The length of the sliding window, in ms. More than 0, and finite. */
  readonly intervalMs: number;
}

/** The limits over all slots, which `configure` can change. */
export interface GateOptions {
  /**
   * How many bodies may run at once, over all slots. A whole number, 1 or more. A body that awaits
   * another submission keeps its place: if all places are kept so, none of them ends. Default
   * `Infinity`.
   */
  readonly concurrency?: number | undefined;
  /** How many attempts may start within a time, over all slots. Default `false`: any number. */
  readonly rate?: RateOptions | false | undefined;
}

/** Options of a supervisor. All are optional. */
export interface SupervisorOptions extends GateOptions {
  /** The defaults of its tasks. */
  readonly defaults?: TaskDefaults | undefined;
  /** Options of slots, by name. What a slot leaves out comes from `slotDefaults`. */
  readonly slots?: Readonly<Record<string, SlotOptions>> | undefined;
  /** The defaults of its slots. */
  readonly slotDefaults?: SlotOptions | undefined;
  /** The default `graceMs` of its tasks, in ms. 0 or more. Default 60,000. */
  readonly graceMs?: number | undefined;
  /**
   * The time that a shutdown gives all owners together to end, in ms, 0 or more. Then they are
   * killed or abandoned. Keep it below the time that your platform gives the process: Kubernetes
   * waits 30,000 ms. `Infinity`: until they end. Default 25,000.
   */
  readonly shutdownGraceMs?: number | undefined;
  /**
   * The time for which a shutdown lets tasks with `onShutdown: 'finish'` go on, in ms. It is part
   * of the grace: 0 or more, at most `shutdownGraceMs`. Then they are asked to stop, and have the
   * rest of the grace. Default: half of the grace.
   */
  readonly finishMs?: number | undefined;
  /** How long a shutdown waits for all subscribers together, in ms, 0 or more. Default 5,000. */
  readonly subscriberGraceMs?: number | undefined;
  /** A submission over a limit is rejected `resourceLimit`. Default none. */
  readonly limits?:
    | {
        /** How many slots may be live. A whole number, 0 or more. */
        readonly slots?: number | undefined;
        /**
         * How many submissions may wait for their first attempt, over all slots: in a queue, as
         * replacement, for a lease, or at the concurrency gate. Joined submissions do not count. A
         * whole number, 0 or more.
         */
        readonly pending?: number | undefined;
      }
    | undefined;
  /**
   * How many ended submissions `get` and `cancel` still find: those that ended last. Of each it
   * keeps id, slot, name, admission and outcome, with the value or the error that the outcome has.
   * Submissions that `submit` turned away are not kept. A whole number, 0 or more. Default 0.
   */
  readonly keepEnded?: number | undefined;
  /**
   * From 0 to 1. When at least this share of the vital slots is dead, the supervisor shuts down: a
   * process that does little of what it is for should end, and be started again. With 0 the first
   * dead slot is enough. Vital is the slot of a task with `vital: true`, and of each task of `run`.
   * Default none.
   */
  readonly deadFraction?: number | undefined;
  /**
   * Where time and timers come from. Default: the platform's, as they are when the supervisor is
   * made.
   */
  readonly clock?: Clock | undefined;
  /** Returns a number in [0, 1), for jitter. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Grants slots that several processes share. Default: every slot belongs to this process. */
  readonly leases?: SlotLeases | undefined;
  /**
   * Wraps every attempt, to change what it does: a logging context, a lock. To watch attempts, use
   * `instrument`. It must call `next` and await it. If it ends without a call of `next`, or throws
   * after the body succeeded, the attempt has failed.
   */
  readonly aroundAttempt?: AroundAttempt | undefined;
  /**
   * Warn with `process.emitWarning` of an attempt that failed, and of a body that overran and keeps
   * its slot, if nothing watches it: no subscriber that gets the event, no `aroundAttempt`, no
   * probe, no subscriber of the channel, and no look at the outcome until the next turn of the
   * event loop. Once for each group of slots (the name up to the first `:`), at most 20 times.
   * `false`: never. Default `true`.
   */
  readonly warnings?: boolean | undefined;
}

export interface SupervisorSettings extends GateLimits {
  readonly defaults: CompleteDefaults;
  readonly slots: ReadonlyMap<string, SlotSettings>;
  readonly slotDefaults: SlotSettings;
  readonly shutdown: GivenTimes;
  readonly subscriberGraceMs: number;
  readonly limits: { readonly slots: number; readonly pending: number };
  readonly keepEnded: number;
  readonly deadFraction: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly leases: SlotLeases;
  readonly aroundAttempt: AroundAttempt | undefined;
  readonly warnings: boolean;
}

/**
 * As they are read: `defaults` and `slots` hold only what was given, since other options complete
 * them. Without a `clock`, one is made for each supervisor.
 */
type GivenOptions = Omit<SupervisorSettings, 'defaults' | 'slots' | 'clock' | 'shutdown'> & {
  readonly clock: Clock | undefined;
  readonly defaults: Partial<DefaultSettings>;
  readonly slots: ReadonlyMap<string, Partial<SlotSettings>>;
  readonly graceMs: number;
  readonly shutdownGraceMs: number;
  readonly finishMs: number | undefined;
};

const NO_LIMITS: SupervisorSettings['limits'] = { slots: Infinity, pending: Infinity };

const DEFAULTS: GivenOptions = {
  defaults: {},
  slots: new Map(),
  slotDefaults: DEFAULT_SLOT_SETTINGS,
  concurrency: Infinity,
  rate: undefined,
  graceMs: DEFAULT_SETTINGS.graceMs,
  shutdownGraceMs: 25_000,
  finishMs: undefined,
  subscriberGraceMs: 5_000,
  limits: NO_LIMITS,
  keepEnded: 0,
  deadFraction: Infinity,
  clock: undefined,
  random: systemRandom,
  leases: localLeases,
  aroundAttempt: undefined,
  warnings: true,
};

const GATE_READERS: Readers<GateLimits> = {
  concurrency: (field, value) => count(field, value, 1),
  rate: readRate,
};

const READERS: Readers<GivenOptions> = {
  ...GATE_READERS,
  defaults: readDefaults,
  slots: readSlots,
  slotDefaults: (field, value) => ({ ...DEFAULT_SLOT_SETTINGS, ...readSlotOptions(field, value) }),
  graceMs: durationMs,
  shutdownGraceMs: durationMs,
  finishMs: durationMs,
  subscriberGraceMs: durationMs,
  limits: readLimits,
  keepEnded: readKeepEnded,
  deadFraction: readFraction,
  clock: readClock,
  random: readRandom,
  leases: readLeases,
  aroundAttempt: aFunction,
  warnings: aBoolean,
};

export function parseSupervisorOptions(value: unknown): SupervisorSettings {
  const { defaults, slots, graceMs, shutdownGraceMs, finishMs, ...options } = parse(
    'options',
    value,
    READERS,
    DEFAULTS,
    pathsIn('defaults', DEFAULT_READERS),
  );
  const { slotDefaults, clock = new SystemClock() } = options;
  shutdownTimes(shutdownGraceMs, finishMs); // refuses a finish time that is more than the grace
  return {
    ...options,
    clock,
    defaults: completeDefaults('defaults', defaults, { ...DEFAULT_SETTINGS, graceMs }),
    slots: new Map(Array.from(slots, ([name, given]) => [name, { ...slotDefaults, ...given }])),
    shutdown: { graceMs: shutdownGraceMs, finishMs },
  };
}

/** Reads the limits that `configure` changes: only those that were given. */
export function parseGateOptions(value: unknown): Partial<GateLimits> {
  return parseGiven('options', value, GATE_READERS);
}

function readSlots(field: string, value: unknown): Map<string, Partial<SlotSettings>> {
  const slots = new Map<string, Partial<SlotSettings>>();
  for (const [name, options] of Object.entries(readFields(field, value)))
    slots.set(nameText(`${field} name`, name), readSlotOptions(`${field}.${name}`, options));
  return slots;
}

function readRate(field: string, value: unknown): RateOptions | undefined {
  if (value === false) return undefined;
  const rate = parseAll<RateOptions>(field, value, {
    limit: (path, got) => count(path, got, 1),
    intervalMs: readRateInterval,
  });
  return rate.limit === Infinity ? undefined : rate;
}

function readRateInterval(field: string, value: unknown): number {
  const ms = finiteMs(field, value);
  return ms > 0 ? ms : refuse(field, 'must be a number of ms, more than 0', value);
}

function readLimits(field: string, value: unknown): SupervisorSettings['limits'] {
  const limit = (path: string, got: unknown): number => count(path, got, 0);
  return parse(field, value, { slots: limit, pending: limit }, NO_LIMITS);
}

/** All of them would be a leak. */
function readKeepEnded(field: string, value: unknown): number {
  const kept = wholeNumber(field, value);
  return kept >= 0 ? kept : refuse(field, 'must be a whole number, 0 or more', value);
}

function readFraction(field: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && (value <= 1 || value === Infinity)) return value;
  return refuse(field, 'must be a number from 0 to 1 (Infinity means none)', value);
}

export function readClock(field: string, value: unknown): Clock {
  const { now, wallNow, setTimer } = anObject(field, value) as Partial<Clock>;
  aFunction(`${field}.now`, now);
  aFunction(`${field}.wallNow`, wallNow);
  aFunction(`${field}.setTimer`, setTimer);
  return value as Clock;
}

/**
 * A source that throws or leaves [0, 1) must not reach the arithmetic. The platform's source then
 * gives that number.
 */
function readRandom(field: string, value: unknown): () => number {
  const draw = aFunction<() => unknown>(field, value);
  return () => {
    try {
      const drawn = draw();
      if (typeof drawn === 'number' && drawn >= 0 && drawn < 1) return drawn;
    } catch {
      // the platform's source follows
    }
    return systemRandom();
  };
}

function readLeases(field: string, value: unknown): SlotLeases {
  const { open, acquire, close } = anObject(field, value) as Partial<SlotLeases>;
  aFunction(`${field}.acquire`, acquire);
  if (open !== undefined) aFunction(`${field}.open`, open);
  if (close !== undefined) aFunction(`${field}.close`, close);
  return value as SlotLeases;
}
