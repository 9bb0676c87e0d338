// The options of the supervisor's calls: checked on the way in, each read once.

import { isCatchable } from '../kernel/signals.ts';
import {
  abortSignal,
  aFunction,
  count,
  durationMs,
  finiteMs,
  nameText,
  oneOf,
  refuse,
  wholeFrom,
} from '../model/check.ts';
import { EVENT_TYPES, type SubscribeOptions, type Subscriber, type TaskEventType } from '../model/event.ts';
import { parse, parseGiven, type Readers, reading } from '../model/options.ts';
import type { Probe } from '../model/probe.ts';
import type { ShutdownReport } from '../model/view.ts';
import type { ShutdownTimes } from '../policy/shutdown.ts';

/** Options of `supervisor.run`. */
export interface RunOptions {
  /**
   * Process signals that begin the shutdown. A second signal ends the grace at once. `false`: none.
   * Default SIGINT and SIGTERM.
   */
  readonly signals?: readonly NodeJS.Signals[] | false | undefined;
  /**
   * Aborting it begins the shutdown too, with the cause `signal`. It does not count as the first of
   * two signals. Aborted already: no task starts, and every outcome is `rejected`, `canceled`.
   * Default none.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `supervisor.shutdown`. */
export interface ShutdownOptions {
  /**
   * The time that all owners together have to end, in ms, 0 or more. Then they are killed or
   * abandoned. Default: the supervisor's `shutdownGraceMs`.
   */
  readonly graceMs?: number | undefined;
  /**
   * The time for which tasks with `onShutdown: 'finish'` go on, in ms. It is part of the grace: 0
   * or more, at most the grace. Default: the supervisor's `finishMs`, but not more than the grace;
   * half of the grace where the supervisor has none, and for a later call with a grace of its own.
   */
  readonly finishMs?: number | undefined;
}

/** Options of `stopOnSignals`. The times are those of the shutdown. */
export interface StopOnSignalsOptions extends ShutdownOptions {
  /** The signals of the process. `false`: none. Default SIGINT and SIGTERM. */
  readonly signals?: readonly NodeJS.Signals[] | false | undefined;
  /**
   * Called at the first signal, and awaited: to refuse new requests, and to finish those that are
   * in flight. Tasks go on and are accepted meanwhile. It has no time limit: a second signal or the
   * end of the supervisor ends the wait. What it throws is emitted as a warning of the process, and
   * the shutdown goes on. Default none.
   */
  readonly before?: (() => unknown) | undefined;
  /**
   * The time between `before` and the shutdown, in ms, 0 or more, and finite: for a load balancer
   * that has to see first that this process is not ready. Default 0.
   */
  readonly delayMs?: number | undefined;
  /**
   * Called with the report, and awaited before the process may exit. What it throws is emitted as a
   * warning of the process. Default none.
   */
  readonly after?: ((report: ShutdownReport) => unknown) | undefined;
  /**
   * The exit code of a process that must be ended, because a body that was given up is alive. From
   * 0 to 255. Default 1.
   */
  readonly exitCode?: number | undefined;
}

export interface StopSettings extends ShutdownOptions {
  readonly signals: readonly NodeJS.Signals[];
  readonly before: (() => unknown) | undefined;
  readonly delayMs: number;
  readonly after: ((report: ShutdownReport) => unknown) | undefined;
  /** Undefined: the process is never ended. */
  readonly exitCode: number | undefined;
}

export interface SubscribeSettings {
  readonly capacity: number;
  readonly types: readonly TaskEventType[] | undefined;
  readonly signal: AbortSignal | undefined;
}

export const SUBSCRIBE_READERS: Readers<SubscribeSettings> = {
  capacity: (field, value) => count(field, value, 1),
  types: readTypes,
  signal: abortSignal,
};

/**
 * Room for the events of ten thousand submissions in one tick: a subscriber that returns at once
 * loses none. A subscriber that hangs holds no more.
 */
const DEFAULT_CAPACITY = 65_536;

export function parseSubscribeOptions(options: SubscribeOptions): SubscribeSettings {
  return parse('options', options, SUBSCRIBE_READERS, {
    capacity: DEFAULT_CAPACITY,
    types: undefined,
    signal: undefined,
  });
}

function readTypes(field: string, value: unknown): readonly TaskEventType[] {
  if (!Array.isArray(value)) return refuse(field, 'must be an array of event types', value);
  return value.map((type, i) => oneOf(`${field}[${i}]`, type, EVENT_TYPES));
}

export function parseSubscriber(value: unknown): Subscriber {
  if (typeof value === 'function') return { onEvent: value as Subscriber['onEvent'] };
  return withMethod('subscriber', 'must be a function, or an object with onEvent', value, 'onEvent');
}

export function parseProbe(value: unknown): Probe {
  return withMethod('probe', 'must be an object with attempt()', value, 'attempt');
}

/**
 * An object with this method, and maybe a name. The method is bound here, so that replacing it
 * later changes nothing.
 */
function withMethod<T extends Subscriber | Probe>(
  field: string,
  rule: string,
  value: unknown,
  method: Exclude<keyof T, 'name'> & string,
): T {
  return reading(field, value, () => {
    if (typeof value !== 'object' || value === null) return refuse(field, rule, value);
    const { name, [method]: given } = value as Partial<Record<string, unknown>>;
    const handle = aFunction<(...given: unknown[]) => unknown>(`${field}.${method}`, given).bind(value);
    const named = name !== undefined && { name: nameText(`${field}.name`, name) };
    return { ...named, [method]: handle } as unknown as T;
  });
}

/** Options of `slot.view` and `supervisor.slots`. */
export interface ViewOptions {
  /**
   * How many waiting submissions a view shows. A whole number, 0 or more. Default: all.
   * `queuedCount` is exact in any case.
   */
  readonly queued?: number | undefined;
}

/** Returns `queued`. */
export function parseViewOptions(options: ViewOptions): number {
  const queued = (field: string, value: unknown): number => count(field, value, 0);
  return parse('options', options, { queued }, { queued: Infinity }).queued;
}

export interface RunSettings {
  readonly signals: readonly NodeJS.Signals[];
  readonly signal: AbortSignal | undefined;
}

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

export function parseRunOptions(options: RunOptions): RunSettings {
  const readers: Readers<RunSettings> = { signals: readSignals, signal: abortSignal };
  return parse('options', options, readers, { signals: SIGNALS, signal: undefined });
}

const TIME_READERS: Readers<ShutdownOptions> = { graceMs: durationMs, finishMs: durationMs };

/** A call that gives none. Own fields, so that none is read from `Object.prototype`. */
export const NO_TIMES: ShutdownOptions = { graceMs: undefined, finishMs: undefined };

const STOP_READERS: Readers<StopSettings> = {
  ...TIME_READERS,
  signals: readSignals,
  before: aFunction,
  delayMs: finiteMs,
  after: aFunction,
  exitCode: (field, value) => wholeFrom(field, value, 0, 255),
};

export function parseStopOptions(options: StopOnSignalsOptions): StopSettings {
  const defaults = { ...NO_TIMES, signals: SIGNALS, before: undefined, delayMs: 0, after: undefined, exitCode: 1 };
  return parse('options', options, STOP_READERS, defaults);
}

function readSignals(field: string, value: unknown): readonly NodeJS.Signals[] {
  if (value === false) return [];
  if (!Array.isArray(value)) return refuse(field, 'must be an array of signal names, or false', value);
  const names = value.map((name: unknown, i) =>
    isCatchable(name) ? name : refuse(`${field}[${i}]`, 'must be a signal that a process can handle', name),
  );
  return [...new Set(names)];
}

/** The times that the supervisor gives its shutdown. */
export interface GivenTimes {
  readonly graceMs: number;
  readonly finishMs: number | undefined;
}

export function parseShutdownOptions(options: ShutdownOptions): ShutdownOptions {
  return parseGiven('options', options, TIME_READERS);
}

/**
 * The times of one call. A shorter grace shortens the supervisor's `finishMs`. `isLater`: the call
 * comes during a shutdown, so a grace of its own brings its own finish time.
 */
export function timesOfCall(given: ShutdownOptions, supervisor: GivenTimes, isLater = false): ShutdownTimes {
  const { graceMs = supervisor.graceMs } = given;
  const { finishMs } = supervisor;
  const isOwn = finishMs === undefined || (isLater && given.graceMs !== undefined);
  return shutdownTimes(graceMs, given.finishMs ?? (isOwn ? undefined : Math.min(finishMs, graceMs)));
}

export function shutdownTimes(graceMs: number, finishMs = graceMs / 2): ShutdownTimes {
  if (finishMs > graceMs)
    refuse('finishMs', `must be at most the grace of the shutdown, of which it is part (${graceMs} ms)`, finishMs);
  return { graceMs, finishMs };
}
