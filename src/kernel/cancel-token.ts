// Cancellation as a light token: listeners and an AbortSignal exist only once somebody asks for them.

import { after, type Clock } from './clock.ts';
import { deferred, isThenable, settled } from './deferred.ts';

export type CancelListener<R> = (reason: R) => void;

export class CancelToken<R> {
  #reason: R | undefined;
  #delivered = false;
  #listeners: Set<CancelListener<R>> | undefined;
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
    this.#controller?.abort(reason); // a listener there that throws is reported by the platform, not here
    if (listeners !== undefined)
      for (const listener of listeners) {
        try {
          const result: unknown = listener(reason);
          if (isThenable(result)) settled(result, () => {}, onError);
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

  /** Calls once, now or later on a turn of its own. Returns the removal. */
  onCancel(listener: CancelListener<R>, onError: (error: unknown) => void): () => void {
    const own: CancelListener<R> = (reason) => listener(reason); // the same function may be added twice
    this.#listeners ??= new Set();
    this.#listeners.add(own);
    if (this.#delivered) {
      this.#delivered = false;
      queueMicrotask(() => this.deliver(onError));
    }
    return () => {
      this.#listeners?.delete(own);
    };
  }

  /** Forgets every listener: nobody is left who could be told. */
  close(): void {
    this.#listeners = undefined;
    this.#delivered = true;
  }

  /** Resolves after `ms`, or rejects with the reason. */
  sleep(clock: Clock, ms: number): Promise<void> {
    const wait = deferred<void>();
    if (this.#reason !== undefined) {
      wait.reject(this.#reason);
      return wait.promise;
    }
    const stopTimer = after(clock, ms, () => {
      stopListening();
      wait.resolve();
    });
    const stopListening = this.onCancel(
      (reason) => {
        stopTimer();
        wait.reject(reason);
      },
      () => {},
    );
    return wait.promise;
  }

  /** Settles as the work does, or rejects with the reason, whichever comes first. */
  race<T>(work: PromiseLike<T>): Promise<T> {
    const wait = deferred<T>();
    if (this.#reason !== undefined) {
      wait.reject(this.#reason);
      settled(
        work,
        () => {},
        () => {},
      );
      return wait.promise;
    }
    const stopListening = this.onCancel(wait.reject, () => {});
    settled<T>(
      work,
      (value) => {
        stopListening();
        wait.resolve(value);
      },
      (error) => {
        stopListening();
        wait.reject(error);
      },
    );
    return wait.promise;
  }
}
