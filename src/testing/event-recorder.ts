// Remembers events, and waits for one without sleeping.

import type { Supervisor, TaskEvent, TaskEventType } from '../index.ts';

/** The events of one type. Some types share a shape, which `Extract` would not find. */
type EventOf<Type extends TaskEventType> = TaskEvent extends infer Event
  ? Event extends { readonly type: infer Own }
    ? Type extends Own
      ? Event & { readonly type: Type }
      : never
    : never
  : never;

export interface EventRecorder {
  /** Everything seen so far, in order. */
  readonly events: readonly TaskEvent[];
  /** The types seen so far, in order; of one submission when its id is given. */
  types(id?: string): TaskEventType[];
  of<Type extends TaskEventType>(type: Type): EventOf<Type>[];
  /** Resolves with the first event, past or to come, for which the predicate holds. */
  until(predicate: (event: TaskEvent) => boolean): Promise<TaskEvent>;
  clear(): void;
  stop(): void;
}

export function recordEvents(supervisor: Supervisor): EventRecorder {
  const events: TaskEvent[] = [];
  const waiting = new Set<(event: TaskEvent) => void>();
  const stop = supervisor.subscribe(
    (event) => {
      events.push(event);
      for (const look of waiting) look(event);
    },
    { capacity: Infinity },
  );
  return {
    events,
    types: (id) =>
      events.filter((event) => id === undefined || ('id' in event && event.id === id)).map(({ type }) => type),
    of: <Type extends TaskEventType>(type: Type) =>
      events.filter((event) => event.type === type) as unknown as EventOf<Type>[],
    until: (predicate) =>
      new Promise((resolve) => {
        const seen = events.find(predicate);
        if (seen !== undefined) {
          resolve(seen);
          return;
        }
        const look = (event: TaskEvent): void => {
          if (!predicate(event)) return;
          waiting.delete(look);
          resolve(event);
        };
        waiting.add(look);
      }),
    clear: () => {
      events.length = 0;
    },
    stop,
  };
}
