// Watches AbortSignals of user code. Searching a signal's own list of listeners takes longer the
// more there are, and Node warns at 11 listeners. So one listener is added for each signal, with a
// set of callbacks behind it. The listener is removed together with the last callback.

class AbortListeners {
  readonly #signal: AbortSignal;
  readonly #callbacks = new Set<(reason: unknown) => void>();
  readonly #onAbort = () => {
    const callbacks = [...this.#callbacks];
    this.#callbacks.clear();
    for (const callback of callbacks) callback(reasonOf(this.#signal));
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

function reasonOf(signal: AbortSignal): unknown {
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
 * Calls `call` with the signal's reason when the signal aborts. The signal must not be aborted yet.
 * Returns a function that removes the callback.
 */
export function onAbort(signal: AbortSignal, call: (reason: unknown) => void): () => void {
  let listeners = listenersOf.get(signal);
  if (listeners === undefined) {
    listeners = new AbortListeners(signal);
    listenersOf.set(signal, listeners);
  }
  return listeners.add(call);
}
