// A body that ends when the test opens it, and that counts its pending calls.

import type { TaskBody, TaskContext } from 'slotvisor';

export interface GateBody<T> {
  readonly body: TaskBody<T>;
  /** The contexts of all calls so far. */
  readonly calls: TaskContext[];
  /** The number of calls that have begun and not ended. */
  readonly alive: number;
  open(value: T): void;
  fail(error: unknown): void;
}

/** Each call waits until the test opens it, the oldest first. The body ignores its stop request. */
export function gateBody<T = string>(): GateBody<T> {
  const calls: TaskContext[] = [];
  const waiting: { resolve: (value: T) => void; reject: (error: unknown) => void }[] = [];
  return {
    body: (ctx) => {
      calls.push(ctx);
      return new Promise<T>((resolve, reject) => waiting.push({ resolve, reject }));
    },
    calls,
    get alive() {
      return waiting.length;
    },
    open: (value) => waiting.shift()?.resolve(value),
    fail: (error) => waiting.shift()?.reject(error),
  };
}
