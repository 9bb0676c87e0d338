// A light form of cancellation. Its rings of listeners and its AbortSignal are made on first use.

import { abortController } from './abort-controller.ts';
import { after, type Clock } from './clock.ts';
import { deferred, settled, soon } from './deferred.ts';
import { eventLoopTurn } from './event-loop.ts';

export type CancelListener<R> = (reason: R) => void;

/**
 * A ring of links. Most tokens have one listener, and with a `Set` a live slot with one held 280
 * bytes more (measured).
 */
class Link {
  next: Link = this;
  previous: Link = this;

  /** Takes its place at the end of the ring that begins with `first`. */
  join(first: Link): void {
    this.next = first;
    this.previous = first.previous;
    first.previous.next = this;
    first.previous = this;
  }

  /** Does nothing if it has left before. */
  leave(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this.previous = this;
  }
}

/** What is called once. It has left its ring by then. */
class Call<R> extends Link {
  readonly call: (reason: R) => unknown;

  constructor(call: (reason: R) => unknown) {
    super();
    this.call = call;
  }
}

/** The first link of a ring, which is no call itself. */
class Ring<R> extends Link {
  add(call: (reason: R) => unknown): Call<R> {
    const added = new Call(call);
    added.join(this);
    return added;
  }

  /** Calls that leave meanwhile are not taken. */
  take(): Call<R> | undefined {
    if (this.next === this) return undefined;
    const taken = this.next as Call<R>;
    taken.leave();
    return taken;
  }
}

export class CancelToken<R> {
  #reason: R | undefined;
  #delivered = false;
  #makeCloseReason: (() => unknown) | undefined; // set by `close`
  #listeners: Ring<R> | undefined;
  #waits: Ring<unknown> | undefined;
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
    const listeners = this.#takeListeners();
    this.#endWaits();
    this.#controller?.abort(reason); // the platform reports what a listener of the signal throws
    callEach(listeners, reason, onError);
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
    this.#listeners ??= new Ring();
    const added = this.#listeners.add(listener);
    if (this.#delivered) soon(() => callEach(this.#takeListeners(), this.#reason as R, onError));
    return leaving(added);
  }

  /** Those that are added meanwhile are not among them. */
  #takeListeners(): Ring<R> | undefined {
    const listeners = this.#listeners;
    this.#listeners = undefined;
    return listeners;
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
    return new Promise((resolve, reject) => {
      const wait = this.#addWait((reason) => {
        stopTimer();
        reject(reason);
      });
      const stopTimer = after(clock, ms, () => {
        wait.leave();
        resolve();
      });
    });
  }

  /**
   * Settles as the work does, or rejects with the reason, whichever comes first. Work that goes on
   * after that keeps nothing of the wait in memory.
   */
  race<T>(work: PromiseLike<T>): Promise<T> {
    const { promise, resolve, reject } = deferred<T>();
    let wait: { readonly resolve: typeof resolve; readonly reject: typeof reject; readonly link: Link } | undefined;
    const endWait = () => {
      const ended = wait;
      wait = undefined;
      ended?.link.leave();
      return ended;
    };
    wait = { resolve, reject, link: this.#addWait((reason) => endWait()?.reject(reason)) };
    const settlesLater = settled<T>(
      work,
      (value) => endWait()?.resolve(value),
      (error) => endWait()?.reject(error),
    );
    if (!settlesLater) endWait()?.resolve(work as T);
    return promise;
  }

  #addWait(end: (reason: unknown) => void): Link {
    this.#waits ??= new Ring();
    if (this.#delivered) void eventLoopTurn().then(() => this.#endWaits());
    return this.#waits.add(end);
  }

  #endWaits(): void {
    const waits = this.#waits;
    if (waits === undefined || waits.next === waits) return;
    this.#waits = undefined;
    const reason = this.#reason ?? this.#makeCloseReason?.();
    for (let one = waits.take(); one !== undefined; one = waits.take()) one.call(reason);
  }
}

function callEach<R>(listeners: Ring<R> | undefined, reason: R, onError: (error: unknown) => void): void {
  for (let one = listeners?.take(); one !== undefined; one = listeners?.take()) {
    const { call } = one; // called without a `this`
    try {
      settled(call(reason), () => {}, onError);
    } catch (error) {
      onError(error);
    }
  }
}

/** Made here, so that it holds nothing but the link. */
const leaving = (link: Link) => (): void => link.leave();
