// A promise that is settled from outside, and guarded ways to wait for promises of user code.

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

/** For a promise of a subclass, or with its own `constructor`: settles as `await` sees it. */
const awaitValue = async (value: unknown): Promise<unknown> => {
  const settledTo = await value;
  return settledTo;
};

const RESOLVED = Promise.resolve();

/**
 * Calls `job` in a microtask. As `queueMicrotask`, at a third of the cost. If `job` throws, that is
 * an unhandled rejection.
 */
export function soon(job: () => void): void {
  void RESOLVED.then(job);
}

/**
 * Calls back exactly once when `value` has settled, and never within this call. Returns false, and
 * does not call back, if `value` is not a thenable.
 *
 * Accepts any value. Misbehaving thenables (a `then` that throws, settles twice, or calls back
 * synchronously) behave like a normal promise. `then` is read once, as `await` does. A value that
 * throws on property access counts as rejected with the error that it threw.
 */
export function settled<T>(value: unknown, onValue: (value: T) => void, onError: (error: unknown) => void): boolean {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  try {
    // Calls the language's own `then`. As with `await`, a `then` that was set on the promise itself
    // is not used.
    if (types.isPromise(value))
      void promiseThen.call(isPlain(value) ? value : awaitValue(value), onValue as never, onError);
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

/**
 * A promise that settles as a thenable does, guarded as in `settled`. `undefined` if `value` is not
 * a thenable.
 */
export function promised<T>(value: unknown): Promise<T> | undefined {
  const wait = deferred<T>();
  return settled(value, wait.resolve, wait.reject) ? wait.promise : undefined;
}

/**
 * Ignores how `value` settles: a rejection is not reported as unhandled. Returns false if it is not
 * a thenable.
 */
export function ignore(value: unknown): boolean {
  return settled(
    value,
    () => {},
    () => {},
  );
}

/** Returns the value as it is, and ignores how it settles. */
export function ignored<T>(value: T): T {
  ignore(value);
  return value;
}
