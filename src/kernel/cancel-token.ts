// A light form of cancellation. The set of listeners and the AbortSignal are made on first use.

import { abortController } from './abort-controller.ts';
import { after, type Clock } from './clock.ts';
import { deferred, settled, soon } from './deferred.ts';

export type CancelListener<R> = (reason: R) => void;

export class CancelToken<R> {
  #reason: R | undefined;
  #delivered = false;
  #makeCloseReason: (() => unknown) | undefined; // set by `close`
  #listeners: Set<CancelListener<R>> | undefined;
  #waits: Set<(reason: unknown) => void> | undefined;
  #controller: AbortController | undefined;

  /**
   * Cancels the token. `canceled` and `reason` change at once. Listeners are called by `deliver`,
   * which the owner of the token calls on a turn of its own. Returns false if it was canceled
   * before: the first reason stays.
   */
  cancel(reason: R): boolean {
    if (this.#reason !== undefined) return false;
    this.#reason = reason;
    return true;
  }

  /**
   * Ends the waits, aborts the signal and calls every listener. If a listener throws or rejects,
   * the error is passed to `onError`, and the other listeners are still called.
   */
  deliver(onError: (error: unknown) => void): void {
    const reason = this.#reason;
    if (reason === undefined || this.#delivered) return;
    this.#delivered = true;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    this.#endWaits();
    this.#controller?.abort(reason); // the platform reports what a listener of the signal throws
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
      this.#controller = abortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /**
   * Calls the listener once, when the token is canceled. If it is canceled already, calls the
   * listener on a later turn. After `close`, the listener is never called. Returns a function that
   * removes it.
   */
  onCancel(listener: CancelListener<R>, onError: (error: unknown) => void): () => void {
    if (this.#makeCloseReason !== undefined) return () => {};
    const own: CancelListener<R> = (reason) => listener(reason); // the same function may be added twice
    this.#listeners ??= new Set();
    const listeners = this.#listeners; // `deliver` iterates over this set, also after the field is cleared
    listeners.add(own);
    if (this.#delivered) {
      this.#delivered = false;
      soon(() => this.deliver(onError));
    }
    return () => {
      listeners.delete(own);
    };
  }

  /** Drops all listeners and rejects pending `sleep` and `race` calls with `makeReason()`. */
  close(makeReason: () => unknown): void {
    this.#listeners = undefined;
    this.#delivered = true;
    this.#makeCloseReason = makeReason;
    this.#endWaits();
  }

  /** Resolves after `ms`, or rejects with the reason. In both cases no timer is left. */
  sleep(clock: Clock, ms: number): Promise<void> {
    const wait = deferred<void>();
    const removeWait = this.#addWait((reason) => {
      stopTimer();
      wait.reject(reason);
    });
    const stopTimer = after(clock, ms, () => {
      removeWait();
      wait.resolve();
    });
    return wait.promise;
  }

  /**
   * Settles as the work does, or rejects with the reason, whichever comes first. Work that goes on
   * after that keeps nothing of the wait in memory.
   */
  race<T>(work: PromiseLike<T>): Promise<T> {
    const { promise, resolve, reject } = deferred<T>();
    let wait: { readonly resolve: typeof resolve; readonly reject: typeof reject; remove(): void } | undefined;
    const endWait = () => {
      const ended = wait;
      wait = undefined;
      ended?.remove();
      return ended;
    };
    wait = { resolve, reject, remove: this.#addWait((reason) => endWait()?.reject(reason)) };
    const settlesLater = settled<T>(
      work,
      (value) => endWait()?.resolve(value),
      (error) => endWait()?.reject(error),
    );
    if (!settlesLater) endWait()?.resolve(work as T);
    return promise;
  }

  #addWait(end: (reason: unknown) => void): () => void {
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
    const reason = this.#reason ?? this.#makeCloseReason?.();
    if (reason !== undefined) for (const end of waits) end(reason);
  }
}
