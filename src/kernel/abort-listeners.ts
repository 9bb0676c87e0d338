// One listener on a foreign AbortSignal, however many wait for it. A signal's own listener list is searched on every change and
// warns from the eleventh on; a set is neither slow nor loud. The last one to leave takes the listener away.

class AbortListeners {
  readonly #signal: AbortSignal;
  readonly #waiting = new Set<(reason: unknown) => void>();
  readonly #fire = () => {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const call of waiting) call(reasonOf(this.#signal));
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(call: (reason: unknown) => void): () => void {
    if (this.#waiting.size === 0) this.#attempt('addEventListener');
    this.#waiting.add(call);
    return () => {
      if (this.#waiting.delete(call) && this.#waiting.size === 0) this.#attempt('removeEventListener');
    };
  }

  /** A look-alike of a signal that throws here is one that nobody can listen to, and no more than that. */
  #attempt(change: 'addEventListener' | 'removeEventListener'): void {
    try {
      this.#signal[change]('abort', this.#fire, { once: true });
    } catch {
      // nobody is told of its abort
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

/** A look-alike that throws when it is asked counts as aborted: nobody could be told later. */
export function isAborted(signal: AbortSignal): boolean {
  try {
    return signal.aborted;
  } catch {
    return true;
  }
}

const listenersOf = new WeakMap<AbortSignal, AbortListeners>();

/** Calls `call` with the signal's reason when it aborts. Not for a signal that is aborted already. Returns the removal. */
export function onAbort(signal: AbortSignal, call: (reason: unknown) => void): () => void {
  let fan = listenersOf.get(signal);
  if (fan === undefined) {
    fan = new AbortListeners(signal);
    listenersOf.set(signal, fan);
  }
  return fan.add(call);
}
