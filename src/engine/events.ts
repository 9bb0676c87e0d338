// Builds events and hands them to the bus. It is the only place that numbers and stamps events.
// Call it through `listening`: while there is no subscriber, no event is built.

import { Bus } from '../kernel/bus.ts';
import type { Clock } from '../kernel/clock.ts';
import type {
  EventBase,
  SubscribeOptions,
  Subscriber,
  TaskEvent,
  TaskEventBase,
  TaskEventType,
} from '../model/event.ts';
import type { TaskId } from '../model/id.ts';
import type { AttemptEnd } from '../policy/restart.ts';

type Without<Event, Key extends PropertyKey> = Event extends unknown ? Omit<Event, Key> : never;

export type TaskEventData = Without<Extract<TaskEvent, TaskEventBase>, keyof TaskEventBase>;
export type OtherEventData = Without<Exclude<TaskEvent, TaskEventBase>, keyof EventBase>;

export const FAILURE_EVENTS = {
  thrown: 'attemptFailed',
  exited: 'attemptFailed',
  timedOut: 'attemptTimedOut',
  stalled: 'attemptStalled',
} as const;

/** The event for the end of an attempt. */
export function attemptEndEvent(attempt: number, end: AttemptEnd, durationMs: number): TaskEventData {
  switch (end.kind) {
    case 'value':
      return { type: 'attemptSucceeded', attempt, durationMs };
    case 'gaveUp':
    case 'stopped':
      return { type: 'attemptCanceled', attempt, durationMs };
    case 'failure':
      return { type: FAILURE_EVENTS[end.failure.kind], attempt, durationMs, failure: end.failure };
  }
}

/** What decides which subscribers get an event. */
type EventKind = Pick<TaskEvent, 'type'>;

/** The submission that an event names. */
export interface Subject {
  readonly id: TaskId;
  readonly slot: string;
  readonly name: string;
  readonly meta: unknown;
}

export class EventPublisher {
  readonly #clock: Clock;
  readonly #bus: Bus<TaskEvent, EventKind>;
  #seq = 0;
  #unnamed = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#bus = new Bus({
      lost: (subscriber, count) => this.#stamped({ type: 'eventsDropped', subscriber, count }),
      failed: (subscription, subscriber, error, event) => {
        // Two subscribers that both fail on `subscriberFailed` would keep each other busy forever.
        if (event.type === 'subscriberFailed') return;
        this.#bus.publish(this.#stamped({ type: 'subscriberFailed', subscriber, error }), subscription);
      },
    });
  }

  /**
   * The publisher itself, or `undefined` without a subscriber: `events.listening?.publish(...)`
   * then builds no event.
   */
  get listening(): this | undefined {
    return this.#bus.active ? this : undefined;
  }

  /** There is a subscriber that gets events of this type. */
  reaches(type: TaskEventType): boolean {
    return this.#bus.reaches({ type });
  }

  /** Events that subscribers never saw. */
  get lost(): number {
    return this.#bus.lost;
  }

  publishFor(subject: Subject, data: TaskEventData): void {
    this.#bus.publish(Object.freeze(taskEvent(this.#next(), this.#clock.wallNow(), subject, data)));
  }

  publish(data: OtherEventData): void {
    this.#bus.publish(this.#stamped(data));
  }

  subscribe(subscriber: Subscriber, capacity: number, types: SubscribeOptions['types'], ended: () => void): () => void {
    const wanted = types && new Set(types);
    this.#unnamed += 1;
    return this.#bus.subscribe({
      name: subscriber.name ?? `subscriber-${this.#unnamed}`,
      capacity,
      wants: wanted && (({ type }) => wanted.has(type)),
      handle: (event) => subscriber.onEvent(event),
      ended,
    });
  }

  flush(graceMs: number): Promise<void> {
    return this.#bus.flush(this.#clock, graceMs);
  }

  #next(): number {
    this.#seq += 1;
    return this.#seq;
  }

  /** Frozen, because all subscribers get the same object. */
  #stamped(data: OtherEventData): TaskEvent {
    return Object.freeze({ seq: this.#next(), at: this.#clock.wallNow(), ...data });
  }
}

/**
 * One literal a type: an object that gets its fields later costs twice as much (measured: 580 ns
 * against 300).
 */
function taskEvent(seq: number, at: number, { id, slot, name, meta }: Subject, data: TaskEventData): TaskEvent {
  const { type } = data;
  switch (type) {
    case 'submitted':
      return { seq, at, type, id, slot, name, meta, policy: data.policy };
    case 'queued':
      return { seq, at, type, id, slot, name, meta, depth: data.depth };
    case 'joined':
      return { seq, at, type, id, slot, name, meta, leader: data.leader };
    case 'rejected': {
      const { reason, by } = data;
      if (by === undefined) return { seq, at, type, id, slot, name, meta, reason };
      return { seq, at, type, id, slot, name, meta, reason, by };
    }
    case 'started':
      return { seq, at, type, id, slot, name, meta, waitedMs: data.waitedMs, fence: data.fence };
    case 'attemptStarted': {
      const { attempt, waitedMs } = data;
      if (waitedMs === undefined) return { seq, at, type, id, slot, name, meta, attempt };
      return { seq, at, type, id, slot, name, meta, attempt, waitedMs };
    }
    case 'attemptSucceeded':
    case 'attemptCanceled':
      return { seq, at, type, id, slot, name, meta, attempt: data.attempt, durationMs: data.durationMs };
    case 'attemptFailed':
    case 'attemptTimedOut':
    case 'attemptStalled': {
      const { attempt, durationMs, failure } = data;
      return { seq, at, type, id, slot, name, meta, attempt, durationMs, failure };
    }
    case 'backoffScheduled': {
      const { attempt, delayMs, after } = data;
      return { seq, at, type, id, slot, name, meta, attempt, delayMs, after };
    }
    case 'stopRequested':
      return { seq, at, type, id, slot, name, meta, by: data.by };
    case 'overrun':
      return { seq, at, type, id, slot, name, meta, action: data.action, sinceMs: data.sinceMs };
    case 'finished': {
      const { outcome, attempts, ranMs } = data;
      return { seq, at, type, id, slot, name, meta, outcome, attempts, ranMs };
    }
  }
}
