// Delivers items to many listeners. Each listener has its own bounded queue and gets one item at a
// time, so a slow or failing listener does not affect the others. When a queue is full, new items
// are dropped, and the listener gets an item with their number. `publish` itself delivers nothing.
// A listener is called in the async context in which it was added, not in that of a publisher.

import { type AsyncContext, callIn, captureContext } from './async-context.ts';
import { after, type Clock } from './clock.ts';
import { type Deferred, deferred, settled, soon } from './deferred.ts';
import { Queue } from './queue.ts';

/** `Kind`: the part of an item that decides which listeners get it. */
export interface Listener<T extends Kind, Kind = T> {
  readonly name: string;
  readonly capacity: number;
  /** Which items it gets. `undefined`: all. */
  readonly wants: ((item: Kind) => boolean) | undefined;
  readonly handle: (item: T) => unknown;
  /** Called once, when the subscription ends. Nothing is handled after it. */
  readonly ended: () => void;
}

export interface BusHooks<T> {
  /** Makes the item that reports a loss to a listener. */
  lost(listener: string, count: number): T;
  /** A handler threw or rejected while it handled `item`. */
  failed(subscription: object, listener: string, error: unknown, item: T): void;
}

/**
 * How many items are handled between two turns of the event loop. 256 turn takers come between two
 * turns, and a plain run publishes four or five items each. With 256 items a quick listener fell
 * behind (measured: an empty one lost four of five).
 */
const BATCH = 2_048;

type SetImmediate = (job: () => void) => unknown;

class Subscription<T extends Kind, Kind> {
  readonly #listener: Listener<T, Kind>;
  readonly #hooks: BusHooks<T>;
  readonly #items = new Queue<T>();
  #delivering = false;
  #leftInBatch = BATCH;
  #unreportedLoss = 0;
  #lossReport: T | undefined; // in the queue; it does not count to the capacity
  totalLost = 0;
  #whenEmpty: Deferred<void> | undefined;
  readonly #context: AsyncContext = captureContext();
  /** Enters the context once for many items, not for each. */
  readonly #onTurn = () => callIn(this.#context, deliver, this);
  readonly #setImmediate: SetImmediate;

  constructor(listener: Listener<T, Kind>, hooks: BusHooks<T>, setImmediate: SetImmediate) {
    this.#listener = listener;
    this.#hooks = hooks;
    this.#setImmediate = setImmediate;
  }

  wants(item: Kind): boolean {
    return this.#listener.wants === undefined || this.#listener.wants(item);
  }

  enqueue(item: T): void {
    if (!this.wants(item)) return;
    const waiting = this.#items.size - (this.#lossReport === undefined ? 0 : 1);
    if (waiting >= this.#listener.capacity) {
      this.#unreportedLoss += 1;
      this.totalLost += 1;
      return;
    }
    this.#items.push(item);
    this.#scheduleDelivery();
  }

  /** Resolves when every item in the queue has been handled. */
  empty(): Promise<void> {
    if (!this.#delivering) return Promise.resolve();
    this.#whenEmpty ??= deferred();
    return this.#whenEmpty.promise;
  }

  close(): void {
    this.totalLost += this.#items.size;
    this.#items.clear();
    this.#listener.ended();
  }

  #scheduleDelivery(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    soon(this.#onTurn);
  }

  deliver(): void {
    while (this.#items.size > 0) {
      if (this.#leftInBatch === 0) {
        this.#leftInBatch = BATCH;
        this.#setImmediate(this.#onTurn);
        return;
      }
      this.#leftInBatch -= 1;
      const item = this.#take();
      const result = this.#handle(item);
      if (result === undefined) continue;
      const settlesLater = settled(
        result,
        () => this.deliver(),
        (error) => {
          this.#hooks.failed(this, this.#listener.name, error, item);
          this.deliver();
        },
      );
      if (settlesLater) return;
    }
    this.#delivering = false;
    this.#whenEmpty?.resolve();
    this.#whenEmpty = undefined;
  }

  #take(): T {
    const item = this.#items.take() as T;
    if (item === this.#lossReport) this.#lossReport = undefined;
    this.#reportLoss(); // the queue has room now
    return item;
  }

  #handle(item: T): unknown {
    try {
      return this.#listener.handle(item);
    } catch (error) {
      this.#hooks.failed(this, this.#listener.name, error, item);
      return undefined;
    }
  }

  #reportLoss(): void {
    if (this.#unreportedLoss === 0 || this.#lossReport !== undefined) return; // one report waits at most
    const count = this.#unreportedLoss;
    this.#unreportedLoss = 0;
    this.#lossReport = this.#hooks.lost(this.#listener.name, count);
    this.#items.push(this.#lossReport);
  }
}

const deliver = <T extends Kind, Kind>(subscription: Subscription<T, Kind>): void => subscription.deliver();

export class Bus<T extends Kind, Kind = T> {
  readonly #subscriptions = new Set<Subscription<T, Kind>>();
  readonly #hooks: BusHooks<T>;
  /** Taken once: a turn that fake timers swallow would be the last one. */
  readonly #setImmediate: SetImmediate = setImmediate;
  #lostByEnded = 0;

  constructor(hooks: BusHooks<T>) {
    this.#hooks = hooks;
  }

  /** There is a listener. Without one, no item needs to be built. */
  get active(): boolean {
    return this.#subscriptions.size > 0;
  }

  /** There is a listener that would get such an item. */
  reaches(item: Kind): boolean {
    for (const subscription of this.#subscriptions) if (subscription.wants(item)) return true;
    return false;
  }

  /** How many items were dropped or not delivered, over all listeners. */
  get lost(): number {
    let lost = this.#lostByEnded;
    for (const subscription of this.#subscriptions) lost += subscription.totalLost;
    return lost;
  }

  publish(item: T, except?: object): void {
    for (const subscription of this.#subscriptions) if (subscription !== except) subscription.enqueue(item);
  }

  /** Returns a function that ends the subscription. Nothing is handled after it. */
  subscribe(listener: Listener<T, Kind>): () => void {
    const subscription = new Subscription(listener, this.#hooks, this.#setImmediate);
    this.#subscriptions.add(subscription);
    return () => {
      if (!this.#subscriptions.delete(subscription)) return;
      this.#lostByEnded += subscription.totalLost; // items that still wait are left on purpose, so they are not lost
      subscription.close();
    };
  }

  /**
   * Waits until every queue is empty, for at most `graceMs` in total. Then ends every subscription.
   */
  async flush(clock: Clock, graceMs: number): Promise<void> {
    const graceOver = deferred<void>();
    const stopTimer = after(clock, graceMs, graceOver.resolve);
    const allEmpty = Promise.all([...this.#subscriptions].map((subscription) => subscription.empty()));
    await Promise.race([allEmpty, graceOver.promise]);
    stopTimer();
    const ended = [...this.#subscriptions];
    this.#subscriptions.clear();
    for (const subscription of ended) {
      subscription.close();
      this.#lostByEnded += subscription.totalLost;
    }
  }
}
