// The async context of whoever makes it, kept for calls that are made on their behalf later: AsyncLocalStorage stores travel along.

import { AsyncResource } from 'node:async_hooks';

const OPTIONS = Object.freeze({ requireManualDestroy: true });

/** To be extended, as the platform's own class is: a context apart would be one more object to each that has one. */
export class AsyncContext extends AsyncResource {
  constructor() {
    super('slotvisor', OPTIONS);
  }

  callIn<A, R>(fn: (argument: A) => R, argument: A): R {
    return this.runInAsyncScope(fn, undefined, argument);
  }
}
