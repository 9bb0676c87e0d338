// The options of the supervisor's calls: checked at the door, read once.

import { isCatchable } from '../kernel/signals.ts';
import {
  abortSignal,
  aFunction,
  anObject,
  count,
  durationMs,
  nameText,
  oneOf,
  reading,
  readOptions,
  refuse,
} from '../model/check.ts';
import {
  EVENT_TYPES,
  type SubscribeOptions,
  type Subscriber,
  type TaskEvent,
  type TaskEventType,
} from '../model/event.ts';

export interface RunOptions {
  /** Signals that drain; a second one cuts the grace short. Default SIGINT and SIGTERM; `false` for none. */
  readonly signals?: readonly NodeJS.Signals[] | false | undefined;
}

export interface ShutdownOptions {
  /** From the request to stop until what still runs is killed or abandoned. Default: the supervisor's. 0: at once. */
  readonly graceMs?: number | undefined;
}

export interface Subscription {
  readonly capacity: number;
  readonly types: readonly TaskEventType[] | undefined;
  readonly signal: AbortSignal | undefined;
}

export function parseSubscription(options: SubscribeOptions): Subscription {
  const { capacity = 1_024, types, signal } = readOptions('options', options, ['capacity', 'types', 'signal']);
  return {
    capacity: count('capacity', capacity, 1),
    types: types === undefined ? undefined : reading('types', types, () => parseTypes(types)),
    signal: signal === undefined ? undefined : abortSignal('signal', signal),
  };
}

function parseTypes(value: unknown): readonly TaskEventType[] {
  if (!Array.isArray(value)) return refuse('types', 'must be an array of event types', value);
  return value.map((type, i) => oneOf(`types[${i}]`, type, EVENT_TYPES));
}

/** Bound once, here, so that replacing the method later changes nothing. */
export function parseSubscriber(value: Subscriber | ((event: TaskEvent) => void | PromiseLike<void>)): Subscriber {
  if (typeof value === 'function') return { onEvent: value };
  return reading('subscriber', value, () => {
    const { name, onEvent } = anObject('subscriber', value) as Partial<Subscriber>;
    const handle = aFunction<Subscriber['onEvent']>('subscriber.onEvent', onEvent).bind(value);
    return name === undefined ? { onEvent: handle } : { name: nameText('subscriber.name', name), onEvent: handle };
  });
}

export function parseRunOptions(options: RunOptions): readonly NodeJS.Signals[] {
  const { signals = ['SIGINT', 'SIGTERM'] } = readOptions('options', options, ['signals']);
  return signals === false ? [] : reading('signals', signals, () => parseSignals(signals));
}

function parseSignals(value: unknown): readonly NodeJS.Signals[] {
  if (!Array.isArray(value)) return refuse('signals', 'must be an array of signal names, or false', value);
  const names = value.map((name: unknown, i) =>
    isCatchable(name) ? name : refuse(`signals[${i}]`, 'must be a signal that a process can listen to', name),
  );
  return [...new Set(names)];
}

/** The grace asked for; `undefined` leaves it to the supervisor's own. */
export function parseShutdownOptions(options: ShutdownOptions): number | undefined {
  const { graceMs } = readOptions('options', options, ['graceMs']);
  return graceMs === undefined ? undefined : durationMs('graceMs', graceMs);
}
