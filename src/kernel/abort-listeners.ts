// Watches AbortSignals of user code. Searching a signal's own list of listeners takes longer the
// more there are, and Node warns at 11 listeners. So one listener is added for each signal, with a
// set of callbacks behind it. The listener is removed together with the last callback.

import { LongJobs } from './long-jobs.ts';

let jobs: LongJobs | undefined;

class AbortListeners {
  readonly #signal: AbortSignal;
  readonly #callbacks = new Set<(reason: unknown) => void>();
  /** Those that are called on later turns can still be removed. */
  readonly #onAbort = () => {
    const callbacks = this.#callbacks;
    const reason = reasonOf(this.#signal);
    const next = callbacks.values();
    // Made on first use: fake timers that are in at the import may be out by then.
    jobs ??= new LongJobs();
    jobs.begin(() => {
      const { value: call } = next.next();
      if (call === undefined) return false;
      callbacks.delete(call);
      call(reason);
      return callbacks.size > 0;
    });
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(callback: (reason: unknown) => void): () => void {
    if (this.#callbacks.size === 0) this.#change('addEventListener');
    this.#callbacks.add(callback);
    return () => {
      if (this.#callbacks.delete(callback) && this.#callbacks.size === 0) this.#change('removeEventListener');
    };
  }

  #change(method: 'addEventListener' | 'removeEventListener'): void {
    try {
      this.#signal[method]('abort', this.#onAbort, { once: true });
    } catch {
      // An object that only looks like a signal may throw here. Its abort then goes unnoticed.
    }
  }
}

/** What an object that only looks like a signal throws counts as its reason. */
export function reasonOf(signal: AbortSignal): unknown {
  try {
    return signal.reason;
  } catch (error) {
    return error;
  }
}

/**
 * True if the signal is aborted. An object that only looks like a signal, and throws when it is
 * read, counts as aborted, because its abort could not be noticed later.
 */
export function isAborted(signal: AbortSignal): boolean {
  try {
    return signal.aborted;
  } catch {
    return true;
  }
}

const listenersOf = new WeakMap<AbortSignal, AbortListeners>();

/**
 * Calls `call` with the signal's reason when the signal aborts: within the abort, but for signals
 * that many wait for, where the rest is called on later turns. The signal must not be aborted yet.
 * Returns a function that removes the callback. `call` must not throw.
 */
export function onAbort(signal: AbortSignal, call: (reason: unknown) => void): () => void {
  let listeners = listenersOf.get(signal);
  if (listeners === undefined) {
    listeners = new AbortListeners(signal);
    listenersOf.set(signal, listeners);
  }
  return listeners.add(call);
}
