// Records events, and waits for an event without a timer.

import type { EventOf, Supervisor, TaskEvent, TaskEventType } from '../index.ts';
import { aFunction, anObjectWith, EVENT_TYPES, fromCaller, oneOf } from '../kit.ts';

/** The events of one supervisor, recorded from the call of {@link recordEvents} on. */
export interface EventRecorder {
  /** All recorded events, in order. The array grows; `clear` empties it. */
  readonly events: readonly TaskEvent[];
  /** The types of all recorded events, in order. With an id: of the events of this submission. */
  types(id?: string): TaskEventType[];
  /**
   * All recorded events of one type, in order.
   *
   * @throws OptionError if there is no such type.
   */
  of<Type extends TaskEventType>(type: Type): EventOf<Type>[];
  /**
   * Resolves with the first event for which the predicate returns true. Recorded events are
   * searched first, then every new event. Without such an event, the promise stays pending. If the
   * predicate throws, the promise rejects with its error; other waits are not affected.
   *
   * @throws OptionError if the predicate is not a function.
   */
  until(predicate: (event: TaskEvent) => boolean): Promise<TaskEvent>;
  /** Removes all recorded events. */
  clear(): void;
  /** Ends the recording. The recorded events stay. */
  stop(): void;
}

/**
 * Records every event of the supervisor from now on. No event is dropped.
 *
 * @throws OptionError if it is not a supervisor.
 */
export function recordEvents(supervisor: Supervisor): EventRecorder {
  fromCaller(recordEvents, () => anObjectWith('subscribe', 'supervisor', 'must be a Supervisor', supervisor));
  const events: TaskEvent[] = [];
  const checks = new Set<(event: TaskEvent) => void>();
  const stop = supervisor.subscribe(
    (event) => {
      events.push(event);
      for (const check of checks) check(event);
    },
    { capacity: Infinity },
  );
  const of = <Type extends TaskEventType>(type: Type): EventOf<Type>[] => {
    fromCaller(of, () => oneOf('type', type, EVENT_TYPES));
    return events.filter((event) => event.type === type) as unknown as EventOf<Type>[];
  };
  const until = (predicate: (event: TaskEvent) => boolean): Promise<TaskEvent> => {
    fromCaller(until, () => aFunction('predicate', predicate));
    return new Promise((resolve, reject) => {
      const seen = events.find(predicate);
      if (seen !== undefined) {
        resolve(seen);
        return;
      }
      const check = (event: TaskEvent): void => {
        try {
          if (!predicate(event)) return;
          resolve(event);
        } catch (error) {
          reject(error);
        }
        checks.delete(check);
      };
      checks.add(check);
    });
  };
  return {
    events,
    types: (id) =>
      events.filter((event) => id === undefined || ('id' in event && event.id === id)).map(({ type }) => type),
    of,
    until,
    clear: () => {
      events.length = 0;
    },
    stop,
  };
}
