// Cancellation as a light token: listeners and an AbortSignal exist only once somebody asks for them.

import { after, type Clock } from './clock.ts';
import { deferred, settled, soon } from './deferred.ts';

export type CancelListener<R> = (reason: R) => void;

export class CancelToken<R> {
  #reason: R | undefined;
  #delivered = false;
  #closed: (() => unknown) | undefined;
  #listeners: Set<CancelListener<R>> | undefined;
  #waits: Set<(reason: unknown) => void> | undefined;
  #controller: AbortController | undefined;

  /** Set at most once; seen at once by whoever asks. Listeners hear of it from `deliver`, which the owner calls on a turn of its own. */
  cancel(reason: R): boolean {
    if (this.#reason !== undefined) return false;
    this.#reason = reason;
    return true;
  }

  /** Tells the signal and every listener. What a listener throws goes to `onError` and harms no other. */
  deliver(onError: (error: unknown) => void): void {
    const reason = this.#reason;
    if (reason === undefined || this.#delivered) return;
    this.#delivered = true;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    this.#endWaits();
    this.#controller?.abort(reason); // a listener there that throws is reported by the platform, not here
    if (listeners !== undefined)
      for (const listener of listeners) {
        try {
          settled(listener(reason), () => {}, onError);
        } catch (error) {
          onError(error);
        }
      }
  }

  get canceled(): boolean {
    return this.#reason !== undefined;
  }

  get reason(): R | undefined {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Calls once, on a turn of its own, when it is canceled or if it has been; never after `close`. Returns the removal. */
  onCancel(listener: CancelListener<R>, onError: (error: unknown) => void): () => void {
    if (this.#closed !== undefined) return () => {};
    const own: CancelListener<R> = (reason) => listener(reason); // the same function may be added twice
    this.#listeners ??= new Set();
    const listeners = this.#listeners; // still the one to leave while it is being told
    listeners.add(own);
    if (this.#delivered) {
      this.#delivered = false;
      soon(() => this.deliver(onError));
    }
    return () => {
      listeners.delete(own);
    };
  }

  /** Nobody is left who could be told: forgets every listener, and ends what still waits in `sleep` or `race` with the reason made for it. */
  close(makeReason: () => unknown): void {
    this.#listeners = undefined;
    this.#delivered = true;
    this.#closed = makeReason;
    this.#endWaits();
  }

  /** Resolves after `ms`, or rejects with the reason. Leaves no timer behind, whichever comes first. */
  sleep(clock: Clock, ms: number): Promise<void> {
    const wait = deferred<void>();
    const leave = this.#wait((reason) => {
      stopTimer();
      wait.reject(reason);
    });
    const stopTimer = after(clock, ms, () => {
      leave();
      wait.resolve();
    });
    return wait.promise;
  }

  /** Settles as the work does, or rejects with the reason, whichever comes first. Work that lives on keeps nothing of a wait that is over. */
  race<T>(work: PromiseLike<T>): Promise<T> {
    const { promise, resolve, reject } = deferred<T>();
    let wait: { readonly resolve: typeof resolve; readonly reject: typeof reject; leave(): void } | undefined;
    const over = () => {
      const ended = wait;
      wait = undefined;
      ended?.leave();
      return ended;
    };
    wait = { resolve, reject, leave: this.#wait((reason) => over()?.reject(reason)) };
    const later = settled<T>(
      work,
      (value) => over()?.resolve(value),
      (error) => over()?.reject(error),
    );
    if (!later) over()?.resolve(work as T);
    return promise;
  }

  #wait(end: (reason: unknown) => void): () => void {
    const own = (reason: unknown) => end(reason);
    this.#waits ??= new Set();
    this.#waits.add(own);
    if (this.#delivered) soon(() => this.#endWaits());
    return () => {
      this.#waits?.delete(own);
    };
  }

  #endWaits(): void {
    const waits = this.#waits;
    if (waits === undefined || waits.size === 0) return;
    this.#waits = undefined;
    const reason = this.#reason ?? this.#closed?.();
    if (reason !== undefined) for (const end of waits) end(reason);
  }
}
