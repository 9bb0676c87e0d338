// A TracingChannel of Node for work that begins in a call and ends later. Each piece of work has
// one message object, which its subscribers may write to. What a subscriber throws is an uncaught
// exception: that is Node's rule.

import { tracingChannel } from 'node:diagnostics_channel';

export class TraceChannel {
  readonly #channel;

  constructor(name: string) {
    this.#channel = tracingChannel<object, object>(name);
  }

  /** Somebody subscribes to one of its words, or has bound a store. */
  get isHeard(): boolean {
    return this.#channel.hasSubscribers;
  }

  /** Calls `work`, its synchronous part, with the bound stores. */
  run<R>(message: object, work: () => R): R {
    const { start, end } = this.#channel;
    return start.runStores(message, () => {
      try {
        return work();
      } finally {
        end.publish(message);
      }
    });
  }

  /** Work that has failed has its `error` in the message. */
  ended(message: object, hasFailed: boolean): void {
    const { error, asyncStart, asyncEnd } = this.#channel;
    if (hasFailed) error.publish(message);
    asyncStart.publish(message);
    asyncEnd.publish(message);
  }
}
