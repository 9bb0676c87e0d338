// The options of the supervisor's calls: checked on the way in, each read once.

import { isCatchable } from '../kernel/signals.ts';
import { abortSignal, aFunction, count, durationMs, nameText, oneOf, refuse } from '../model/check.ts';
import { EVENT_TYPES, type SubscribeOptions, type Subscriber, type TaskEventType } from '../model/event.ts';
import { parse, parseGiven, type Readers, reading } from '../model/options.ts';
import type { ShutdownTimes } from '../policy/shutdown.ts';

/** Options of `supervisor.run`. */
export interface RunOptions {
  /**
   * Process signals that begin the shutdown. A second signal ends the grace at once. `false`: none.
   * Default SIGINT and SIGTERM.
   */
  readonly signals?: readonly NodeJS.Signals[] | false | undefined;
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

export interface SubscribeSettings {
  readonly capacity: number;
  readonly types: readonly TaskEventType[] | undefined;
  readonly signal: AbortSignal | undefined;
}

const SUBSCRIBE_READERS: Readers<SubscribeSettings> = {
  capacity: (field, value) => count(field, value, 1),
  types: readTypes,
  signal: abortSignal,
};

export function parseSubscribeOptions(options: SubscribeOptions): SubscribeSettings {
  return parse('options', options, SUBSCRIBE_READERS, { capacity: 1_024, types: undefined, signal: undefined });
}

function readTypes(field: string, value: unknown): readonly TaskEventType[] {
  if (!Array.isArray(value)) return refuse(field, 'must be an array of event types', value);
  return value.map((type, i) => oneOf(`${field}[${i}]`, type, EVENT_TYPES));
}

/** Bound here, so that replacing the method later changes nothing. */
export function parseSubscriber(value: unknown): Subscriber {
  if (typeof value === 'function') return { onEvent: value as Subscriber['onEvent'] };
  return reading('subscriber', value, () => {
    const { name, onEvent } = anEventHandler(value);
    const handle = aFunction<Subscriber['onEvent']>('subscriber.onEvent', onEvent).bind(value);
    return name === undefined ? { onEvent: handle } : { name: nameText('subscriber.name', name), onEvent: handle };
  });
}

function anEventHandler(value: unknown): Partial<Subscriber> {
  if (typeof value === 'object' && value !== null) return value;
  return refuse('subscriber', 'must be a function, or an object with onEvent', value);
}

export function parseRunOptions(options: RunOptions): readonly NodeJS.Signals[] {
  const defaults = { signals: ['SIGINT', 'SIGTERM'] as readonly NodeJS.Signals[] };
  return parse('options', options, { signals: readSignals }, defaults).signals;
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

/**
 * The times of one call. A shorter grace shortens the supervisor's `finishMs`. `isLater`: the call
 * comes during a shutdown, so a grace of its own brings its own finish time.
 */
export function parseShutdownOptions(options: ShutdownOptions, supervisor: GivenTimes, isLater = false): ShutdownTimes {
  const given = parseGiven<ShutdownTimes>('options', options, { graceMs: durationMs, finishMs: durationMs });
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
