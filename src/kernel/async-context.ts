// The async context of a caller, kept for a call that is made for it later: AsyncLocalStorage stores travel along.

import { AsyncResource } from 'node:async_hooks';

export type AsyncContext = AsyncResource;

export function captureContext(): AsyncContext {
  return new AsyncResource('slotvisor', { requireManualDestroy: true });
}

export function callIn<A, R>(context: AsyncContext, fn: (argument: A) => R, argument: A): R {
  return context.runInAsyncScope(fn, undefined, argument);
}
