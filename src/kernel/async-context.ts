// The async context of a caller, kept for a call that is made for it later: AsyncLocalStorage stores travel along.

import { AsyncResource } from 'node:async_hooks';

export type AsyncContext = AsyncResource;

export function captureContext(): AsyncContext {
  return new AsyncResource('slotvisor');
}

/** Without a context: in the present one. */
export function callIn<A, R>(context: AsyncContext | null, fn: (argument: A) => R, argument: A): R {
  return context === null ? fn(argument) : context.runInAsyncScope(fn, undefined, argument);
}
