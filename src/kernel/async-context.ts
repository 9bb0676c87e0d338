// Keeps the async context of a caller for a later call on its behalf. That call then sees the
// caller's AsyncLocalStorage stores.

import { AsyncResource } from 'node:async_hooks';

export type AsyncContext = AsyncResource;

export function captureContext(): AsyncContext {
  return new AsyncResource('slotvisor');
}

/** Calls `fn` in the given context. With `null`, calls it in the current context. */
export function callIn<A, R>(context: AsyncContext | null, fn: (argument: A) => R, argument: A): R {
  return context === null ? fn(argument) : context.runInAsyncScope(fn, undefined, argument);
}
