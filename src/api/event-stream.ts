// Events as an async iterator. It is a subscriber that delivers one event at a time, so the limits
// of a subscription hold for it too.

import { type Deferred, deferred } from '../kernel/deferred.ts';
import type { TaskEvent } from '../model/event.ts';

export class EventStream implements AsyncIterableIterator<TaskEvent> {
  /** Ends the subscription. */
  unsubscribe: () => void = () => {};
  #offer: { readonly event: TaskEvent; readonly taken: Deferred<void> } | undefined;
  readonly #askers: Deferred<IteratorResult<TaskEvent>>[] = [];
  #ended = false;

  /** As a subscriber: settles when the consumer has taken the event. */
  onEvent(event: TaskEvent): void | Promise<void> {
    const asker = this.#askers.shift();
    if (asker !== undefined) {
      asker.resolve({ done: false, value: event });
      return;
    }
    const taken = deferred<void>();
    this.#offer = { event, taken };
    return taken.promise;
  }

  next(): Promise<IteratorResult<TaskEvent>> {
    const offer = this.#offer;
    if (offer !== undefined) {
      this.#offer = undefined;
      offer.taken.resolve();
      return Promise.resolve({ done: false, value: offer.event });
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    const asker = deferred<IteratorResult<TaskEvent>>();
    this.#askers.push(asker);
    return asker.promise;
  }

  return(): Promise<IteratorResult<TaskEvent>> {
    this.unsubscribe();
    this.#offer = undefined;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** No more events follow. An event that was offered can still be taken. */
  end(): void {
    this.#ended = true;
    for (const asker of this.#askers.splice(0)) asker.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
