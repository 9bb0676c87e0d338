// A promise with its handle outside, and the guarded ways in and out of other people's promises.

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

/**
 * Calls back exactly once, never within this call, when `value` has settled. Anything may come in: a thenable whose `then` throws,
 * settles twice or calls back at once is tamed here. For a value that is no promise use {@link isThenable} first and save the turn.
 */
export function settled<T>(value: unknown, onValue: (value: T) => void, onError: (error: unknown) => void): void {
  let native: Promise<unknown> | undefined;
  try {
    // The language's own `then`: one attached to the promise itself is not looked at, as `await` does not either.
    if (value instanceof Promise && value.constructor === Promise) native = value;
  } catch {
    // a proxy that throws when it is looked at: taken as any other thenable
  }
  native ??= new Promise((resolve) => resolve(value));
  void promiseThen.call(native, onValue as (value: unknown) => void, onError);
}

/** Whether waiting makes sense. What throws when it is looked at counts as yes: {@link settled} then reports what it threw. */
export function isThenable(value: unknown): boolean {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  try {
    return value instanceof Promise || typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return true;
  }
}

/** Says that nobody needs to look at this promise. */
export function ignore(promise: PromiseLike<unknown>): void {
  void promise.then(
    () => {},
    () => {},
  );
}
