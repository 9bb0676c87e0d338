// News for many listeners: each has its own bounded line and is served one item at a time. A slow one slows nobody, a throwing one
// harms nobody, a full one loses the newest and is told how many. Nothing is delivered inside `publish`.

import { after, type Clock } from './clock.ts';
import { type Deferred, deferred, settled, soon } from './deferred.ts';
import { Queue } from './queue.ts';

export interface Listener<T> {
  readonly name: string;
  readonly capacity: number;
  /** Which items it wants; `undefined` for all. */
  readonly wants: ((item: T) => boolean) | undefined;
  readonly handle: (item: T) => unknown;
  /** Nothing more will be handled. Told once. */
  readonly ended: () => void;
}

export interface BusHooks<T> {
  /** The item that tells a listener how many it lost. */
  lost(listener: string, count: number): T;
  /** A handler threw or rejected on `item`. */
  failed(line: object, listener: string, error: unknown, item: T): void;
}

/** Items handled between two turns of the event loop. */
const BATCH = 256;

class Subscription<T> {
  readonly #listener: Listener<T>;
  readonly #hooks: BusHooks<T>;
  readonly #items = new Queue<T>();
  #busy = false;
  #open = true;
  #left = BATCH;
  #lost = 0; // not yet told
  #notice: T | undefined; // tells of a loss, and takes nobody's place
  lostInAll = 0;
  #whenEmpty: Deferred<void> | undefined;
  readonly #turn = () => this.#serve();

  constructor(listener: Listener<T>, hooks: BusHooks<T>) {
    this.#listener = listener;
    this.#hooks = hooks;
  }

  put(item: T): void {
    if (!this.#open || this.#listener.wants?.(item) === false) return;
    const waiting = this.#items.size - (this.#notice === undefined ? 0 : 1);
    if (waiting >= this.#listener.capacity) {
      this.#lost += 1;
      this.lostInAll += 1;
      return;
    }
    this.#items.push(item);
    this.#wake();
  }

  /** Resolves when everything put so far has been handled. */
  empty(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    this.#whenEmpty ??= deferred();
    return this.#whenEmpty.promise;
  }

  close(): void {
    this.lostInAll += this.#items.size;
    this.#items.clear();
    this.#open = false;
    this.#listener.ended();
  }

  #wake(): void {
    if (this.#busy) return;
    this.#busy = true;
    soon(this.#turn);
  }

  #serve(): void {
    while (this.#items.size > 0) {
      if (this.#left === 0) {
        this.#left = BATCH;
        setImmediate(this.#turn);
        return;
      }
      this.#left -= 1;
      const item = this.#take();
      const result = this.#handle(item);
      if (result === undefined) continue;
      const later = settled(
        result,
        () => this.#serve(),
        (error) => {
          this.#hooks.failed(this, this.#listener.name, error, item);
          this.#serve();
        },
      );
      if (later) return;
    }
    this.#busy = false;
    this.#whenEmpty?.resolve();
    this.#whenEmpty = undefined;
  }

  #take(): T {
    const item = this.#items.take() as T;
    if (item === this.#notice) this.#notice = undefined;
    this.#announceLoss(); // there is room now
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

  #announceLoss(): void {
    if (this.#lost === 0 || !this.#open) return;
    const count = this.#lost;
    this.#lost = 0;
    this.#notice = this.#hooks.lost(this.#listener.name, count);
    this.#items.push(this.#notice);
  }
}

export class Bus<T> {
  readonly #subscriptions = new Set<Subscription<T>>();
  readonly #hooks: BusHooks<T>;
  #lostByEnded = 0;

  constructor(hooks: BusHooks<T>) {
    this.#hooks = hooks;
  }

  /** False: nobody listens, so no item needs to be built. */
  get active(): boolean {
    return this.#subscriptions.size > 0;
  }

  /** Items that listeners never saw. */
  get lost(): number {
    let lost = this.#lostByEnded;
    for (const line of this.#subscriptions) lost += line.lostInAll;
    return lost;
  }

  publish(item: T, except?: object): void {
    for (const line of this.#subscriptions) if (line !== except) line.put(item);
  }

  /** Returns the end of the subscription: nothing is handled after it. */
  subscribe(listener: Listener<T>): () => void {
    const line = new Subscription(listener, this.#hooks);
    this.#subscriptions.add(line);
    return () => {
      if (!this.#subscriptions.delete(line)) return;
      this.#lostByEnded += line.lostInAll; // what it leaves unread on purpose is not lost
      line.close();
    };
  }

  /** Waits until every line is served, `graceMs` at most for all together, then ends every subscription. */
  async flush(clock: Clock, graceMs: number): Promise<void> {
    const over = deferred<void>();
    const stopTimer = after(clock, graceMs, over.resolve);
    const served = Promise.all([...this.#subscriptions].map((line) => line.empty()));
    await Promise.race([served, over.promise]);
    stopTimer();
    for (const line of this.#subscriptions) {
      line.close();
      this.#lostByEnded += line.lostInAll;
    }
    this.#subscriptions.clear();
  }
}
