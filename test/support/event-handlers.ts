// Publishes events for a test, and handles them at the pace of the test.

import type { TaskEvent, TaskEventType } from 'slotvisor';
import type { Setup } from './setup.ts';

/** Publishes `count` events, one with each call of the API. */
export function publishEvents({ supervisor }: Pick<Setup, 'supervisor'>, count: number): void {
  const slot = supervisor.slot('ticking');
  for (let n = 0; n < count; n += 1) slot.view().paused ? slot.resume() : slot.pause();
}

/** A subscriber whose promise the test settles, one event at a time. */
export function slowHandler(): { seen: TaskEvent[]; onEvent: (event: TaskEvent) => Promise<void>; next: () => void } {
  const seen: TaskEvent[] = [];
  let settle = (): void => {};
  const onEvent = (event: TaskEvent): Promise<void> => {
    seen.push(event);
    return new Promise((resolve) => {
      settle = resolve;
    });
  };
  return { seen, onEvent, next: () => settle() };
}

export const seqs = (events: readonly TaskEvent[]): number[] => events.map(({ seq }) => seq);
export const types = (events: readonly TaskEvent[]): TaskEventType[] => events.map(({ type }) => type);
