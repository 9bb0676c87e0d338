// A promise with its handle outside, and the guarded ways in and out of other people's promises.

import { types } from 'node:util';

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

const promiseThen = Promise.prototype.then;

const isPlain = (value: Promise<unknown>): boolean =>
  Object.getPrototypeOf(value) === Promise.prototype && !Object.hasOwn(value, 'constructor');

/** For a promise of a subclass, or with a constructor of its own: whatever `await` makes of it. */
const awaited = async (value: unknown): Promise<unknown> => {
  const settledTo = await value;
  return settledTo;
};

const done = Promise.resolve();

/** Calls on a microtask of its own. Like `queueMicrotask`, at a third of its price; what `job` throws would be an unhandled rejection. */
export function soon(job: () => void): void {
  void done.then(job);
}

/**
 * Calls back exactly once, never within this call, when `value` has settled. False, and no call, when it is nothing to wait for.
 * Anything may come in: a thenable whose `then` throws, settles twice or calls back at once is tamed here, and `then` is read once, as
 * `await` does. What cannot even be looked at counts as rejected with what it threw.
 */
export function settled<T>(value: unknown, onValue: (value: T) => void, onError: (error: unknown) => void): boolean {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  try {
    // The language's own `then`: one attached to the promise itself is not looked at, as `await` does not either.
    if (types.isPromise(value))
      void promiseThen.call(isPlain(value) ? value : awaited(value), onValue as never, onError);
    else {
      const { then } = value as { then?: unknown };
      if (typeof then !== 'function') return false;
      void new Promise<T>((resolve, reject) => then.call(value, resolve, reject)).then(onValue, onError);
    }
  } catch (error) {
    void Promise.reject(error).catch(onError);
  }
  return true;
}

/** A tamed promise of what any thenable comes to; `undefined` when it is nothing to wait for. */
export function promised<T>(value: unknown): Promise<T> | undefined {
  const wait = deferred<T>();
  return settled(value, wait.resolve, wait.reject) ? wait.promise : undefined;
}

/** Whatever comes of this value, nobody has to look at it. False when it is nothing to wait for. */
export function ignore(value: unknown): boolean {
  return settled(
    value,
    () => {},
    () => {},
  );
}
